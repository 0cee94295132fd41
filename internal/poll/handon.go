package poll

import "context"

// handOn gives a page away and moves on.
func (w *walker) handOn(ctx context.Context, p Page) error {
	if err := w.e.cfg.HandOn(ctx, p); err != nil {
		return err
	}
	w.pos.Apply(p.Step)
	return nil
}

package poll

import (
	"context"
	"errors"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// walkByTime reads what changed since the last walk, oldest first, going on where the position stands.
//
// Two things make it safe. A list with cursors is a walk along (update_time, id): a record that changes meanwhile
// moves to the end and is met again, never skipped. A list with offsets shifts under the reader; so each page
// begins with the last record of the one before, and when that is not there the walk steps back. Either way, the
// next walk begins overlap before this one began.
func (w *walker) walkByTime(ctx context.Context) error {
	walk := underWay(w.pos.Main)
	restarted := false
	for {
		page, err := w.list(ctx, pipedrive.Query{Since: walk.Since, Order: pipedrive.OldestFirst, Cursor: walk.Cursor, Start: walk.Start})
		if w.cursorRefused(err, walk) && !restarted {
			walk, restarted = restart(walk), true
			continue
		}
		if err != nil {
			return err
		}
		walk.Began = w.began(walk, page)
		if w.shifted(page, walk) {
			walk.Start = max(0, walk.Start-w.pageSize())
			continue
		}
		next, err := advance(walk, page)
		if err != nil {
			return err
		}
		if err := w.handOn(ctx, w.pickByTime(page, walk, next)); err != nil {
			return err
		}
		if !page.More {
			return nil
		}
		walk = next
	}
}

// pickByTime takes what is new from a page and says how it moves the position.
func (w *walker) pickByTime(page *pipedrive.Page, walk, next cursor.Walk) Page {
	since := w.nextSince(walk)
	step := cursor.Step{Walk: &next, Keep: cursor.Keep{From: since}}
	if w.ordered() && !next.Last.IsZero() && next.Last.Before(since) {
		step.Keep.From = next.Last
	}
	p := w.newPicker(page, step.Keep)
	for i := range page.Records {
		r := &page.Records[i]
		if w.readBefore(r, walk) {
			continue
		}
		p.take(r, pick(r.Updated, r.Created))
	}
	step.Seen = p.seen
	if !page.More {
		step.Walk, step.Since, step.Walked = nil, since, walk.Began
		if w.pos.First && !walk.Restarted {
			step.LookSince = since
		}
	}
	return Page{Object: &w.obj, Records: p.records, Step: step}
}

// ordered tells whether the list is read in the order of update_time.
func (w *walker) ordered() bool { return w.obj.OldestFirst != "" }

// readBefore tells whether a walk along offsets has passed a record: it meets it again after stepping back.
func (w *walker) readBefore(r *pipedrive.Record, walk cursor.Walk) bool {
	return w.obj.Paging == entity.Offset && w.ordered() && !r.Updated.IsZero() && r.Updated.Before(walk.Last)
}

// shifted tells whether rows went missing before the page, so that rows that nobody read moved out of reach.
func (w *walker) shifted(page *pipedrive.Page, walk cursor.Walk) bool {
	if w.obj.Paging != entity.Offset || !w.ordered() || walk.Start == 0 {
		return false
	}
	if len(page.Records) == 0 {
		return true
	}
	r := &page.Records[0]
	_, met := w.met(r.ID)
	return !met && !r.Updated.IsZero() && !r.Updated.Before(walk.Last)
}

// cursorRefused tells whether Pipedrive no longer takes the cursor of a walk.
func (w *walker) cursorRefused(err error, walk cursor.Walk) bool {
	var refused *pipedrive.RefusedError
	return walk.Cursor != "" && errors.As(err, &refused)
}

// restart goes on from the last time that was read. What has no update_time cannot be found that way, so the next
// look reads to the end.
func restart(walk cursor.Walk) cursor.Walk {
	return cursor.Walk{Since: pick(walk.Last, walk.Since), Began: walk.Began, Last: walk.Last, Restarted: true}
}

// underWay is the walk that a track stands in, or a new one.
func underWay(t cursor.Track) cursor.Walk {
	if t.Walk != nil {
		return *t.Walk
	}
	return cursor.Walk{Since: t.Since}
}

// advance is the walk after a page. A list that leads back to the same page would be read for ever.
func advance(walk cursor.Walk, page *pipedrive.Page) (cursor.Walk, error) {
	next := walk
	next.Cursor = page.Next
	if page.Next == "" {
		next.Start += max(0, len(page.Records)-1)
	}
	if page.More && next.Cursor == walk.Cursor && next.Start == walk.Start {
		return walk, &pipedrive.LaterError{
			Kind:   pipedrive.KindGarbled,
			Answer: pipedrive.Answer{Text: "the list says that there is more, but not where"},
		}
	}
	for i := range page.Records {
		next.Last = latest(next.Last, page.Records[i].Updated)
	}
	return next, nil
}

// began is the server time at which a walk began. Without a Date header the local clock stands in.
func (w *walker) began(walk cursor.Walk, page *pipedrive.Page) time.Time {
	if !walk.Began.IsZero() {
		return walk.Began
	}
	if !page.Time.IsZero() {
		return page.Time
	}
	if !w.dateless {
		w.dateless = true
		w.e.cfg.Log.Warnf("Answers for %s carry no Date header: the clock of this machine is used, with twice the overlap. Does a proxy remove it?", w.obj.Name)
	}
	return time.Now().UTC().Truncate(time.Second)
}

// nextSince is where the walk after this one begins.
func (w *walker) nextSince(walk cursor.Walk) time.Time {
	overlap := w.e.cfg.Overlap
	if w.dateless {
		overlap *= 2
	}
	return latest(w.pos.Floor, walk.Began.Add(-overlap))
}

// lookIsDue tells whether it is time to look for records without an update_time.
func (w *walker) lookIsDue() bool {
	return w.obj.NewestFirst != "" && time.Since(w.pos.Look.Since) >= w.e.cfg.FullReadInterval
}

// pick is the first time that is one.
func pick(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

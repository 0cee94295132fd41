package journal

import (
	"context"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// Delivery is an entry that has been handed on. Until Done or Later is called with it, its lane stands still. It
// counts once: a second call, or one after Close, changes nothing.
type Delivery struct {
	Entry
	// Refused is how often Later has been called for the entry, in earlier processes too.
	Refused int

	lane   *lane
	item   item
	handed time.Duration // when, since the journal was opened
}

// NextBatch waits until an entry can be handed on and returns what there is then, oldest first: at most one entry of
// each lane, at most maxEntries, and at most maxBytes unless the first alone has more. It returns the error of ctx
// when that ends first, and ErrClosed after Close.
func (j *Journal) NextBatch(ctx context.Context, maxEntries int, maxBytes int64) ([]Delivery, error) {
	// Once only: who has taken the token of j.ready has to look.
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("waiting for the journal: %w", err)
	}
	for {
		j.letCome(func() uint64 { return uint64(len(j.index.ready)) })
		batch, wait, err := j.takeBatch(maxEntries, maxBytes)
		if len(batch) > 0 || err != nil {
			return batch, err
		}
		if err := j.await(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// await returns when it pays to look into the index again, which is after wait at the latest unless that is 0.
func (j *Journal) await(ctx context.Context, wait time.Duration) error {
	var due <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-j.ready:
	case <-due:
	case <-j.stop: // takeBatch says why
	case <-ctx.Done():
		signal(j.ready) // somebody else has to wait for the time
		return fmt.Errorf("waiting for the journal: %w", ctx.Err())
	}
	return nil
}

// takeBatch returns what can be handed on now, or else how long to wait for a lane that is held back; 0 is for ever.
func (j *Journal) takeBatch(maxEntries int, maxBytes int64) ([]Delivery, time.Duration, error) {
	j.mu.Lock()
	if j.ended != nil {
		j.mu.Unlock()
		return nil, 0, j.ended
	}
	now := time.Since(j.opened)
	lanes, wake := j.index.take(now, max(1, maxEntries), maxBytes)
	if len(j.index.ready) > 0 || len(lanes) > 0 && wake > 0 {
		signal(j.ready) // for somebody else who waits: this one does not, for what is held back either
	}
	batch := make([]Delivery, len(lanes))
	var stored []*Delivery
	for i, l := range lanes {
		d := &batch[i]
		*d = Delivery{Refused: int(l.refused), lane: l, item: l.oldest, handed: now}
		known := false
		if d.Entry, known = j.remembered(d.item); !known {
			stored = append(stored, d)
		}
	}
	j.mu.Unlock()
	if len(lanes) == 0 {
		return nil, max(0, wake-now), nil
	}
	if err := j.read(stored); err != nil {
		return nil, 0, err // which has ended the journal, so the lanes need not be put back
	}
	return batch, 0, nil
}

// remembered returns an entry that need not be read from the file. The caller holds j.mu.
func (j *Journal) remembered(it item) (Entry, bool) {
	if a := j.unwritten[it.seq]; a != nil {
		a.handed = true
		return a.entry.asStored(), true
	}
	return j.fresh.take(it)
}

// read gives deliveries their entries from the file.
func (j *Journal) read(deliveries []*Delivery) error {
	if len(deliveries) == 0 {
		return nil
	}
	return j.view(func(tx *bbolt.Tx) error {
		entries := tx.Bucket(entriesBucket)
		for _, d := range deliveries {
			s, err := readStored(entries.Get(seqKey(d.item.seq)))
			if err == nil {
				d.Entry, err = s.entry()
			}
			if err != nil {
				return fmt.Errorf("entry %d: %w", d.item.seq, err)
			}
		}
		return nil
	})
}

// Done says that the entries are delivered and returns nil when none is in the file any more: many calls share one
// sync, and what was not yet written needs none. Their lanes go on at once. After an error, of ctx too, the removal is
// tried again by itself; the entries come again only if the process ends before.
func (j *Journal) Done(ctx context.Context, deliveries ...Delivery) error {
	b, err := j.depart(deliveries)
	if b == nil {
		return err
	}
	select {
	case <-b.done:
		return b.removeErr
	case <-ctx.Done():
		return fmt.Errorf("removing delivered entries from the journal: %w", ctx.Err())
	}
}

// depart returns the batch that removes the entries, nil when there are none to remove.
func (j *Journal) depart(deliveries []Delivery) (b *batch, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended != nil {
		return nil, j.ended
	}
	now := time.Since(j.opened)
	for i := range deliveries {
		d := &deliveries[i]
		if !d.underway() {
			continue
		}
		j.swift = now-d.handed < patience
		if r, written := j.deliver(d); written {
			b = j.next
			b.removals = append(b.removals, r)
			d.lane.leaving++
		}
		j.index.advance(d.lane)
	}
	if b != nil {
		b.wanted = true
		signal(j.work)
	}
	j.wake()
	return b, nil
}

// deliver lets go whoever waits for the entry, and returns its removal if it is, or may be, in the file. The caller holds
// j.mu.
func (j *Journal) deliver(d *Delivery) (_ removal, written bool) {
	a := j.unwritten[d.item.seq]
	switch {
	case d.lane.dropped:
		return removal{}, false
	case a == nil:
		return removal{item: d.item, key: digestOf(d.Key), lane: d.lane}, true
	case a.writing:
		a.over = true
		a.done <- nil
		return removal{item: d.item, lane: d.lane}, true // its key was never known
	default:
		j.forgo(a)
		a.done <- nil
		j.index.uncount(a.item)
		return removal{}, false
	}
}

// Later says that the entries were refused. Each is handed on again after the time, and nothing of its lane before
// it; other lanes are not concerned. How often that was is written to the file soon, not before Later returns.
func (j *Journal) Later(after time.Duration, deliveries ...Delivery) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended != nil {
		return
	}
	until := time.Since(j.opened) + after
	for _, d := range deliveries {
		if !d.underway() {
			continue
		}
		a := j.unwritten[d.item.seq]
		if a != nil && a.failed != nil {
			j.refuse(a)
		}
		if d.lane.dropped {
			j.index.advance(d.lane) // who sent it was told that it is not kept
			continue
		}
		j.index.hold(d.lane, until)
		if a != nil && !a.writing {
			continue // the count goes to the file with it
		}
		j.next.refusals[d.item.seq] = d.lane.refused
		j.next.wanted = true
		signal(j.work)
	}
	signal(j.ready) // somebody may be waiting for a later time
}

// underway says whether the entry is still in flight, handed on by this delivery and not by one after it: each refusal
// counts. The caller holds the journal's mu.
func (d *Delivery) underway() bool {
	return d.lane != nil && d.lane.place == flying && d.lane.oldest.seq == d.item.seq && d.lane.refused == uint32(d.Refused)
}

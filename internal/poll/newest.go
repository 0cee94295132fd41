package poll

import (
	"context"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// readNewest reads a list from its newest record down to what the last such walk began with.
func (w *walker) readNewest(ctx context.Context) error {
	return w.descend(ctx, w.pos.Main, false)
}

// look finds the new records that a walk by time cannot find, those without an update_time.
func (w *walker) look(ctx context.Context) error {
	return w.descend(ctx, w.pos.Look, true)
}

// descend reads along the times in NewestBy. The order is checked, not trusted: as soon as a record is newer than
// the one before it, nothing is concluded from the order any more and the list is read to its end.
func (w *walker) descend(ctx context.Context, track cursor.Track, look bool) error {
	return w.walkPages(ctx, underWay(track), itinerary{
		order: pipedrive.NewestFirst,
		pick: func(page *pipedrive.Page, walk, next cursor.Walk, passed int) Page {
			return w.pickNewest(page, walk, next, passed, look)
		},
		turn: w.turnBack,
		further: func(walk, turned cursor.Walk) bool {
			return walk.Last.Before(turned.Last) || further(walk, turned)
		},
	})
}

func (w *walker) pickNewest(page *pipedrive.Page, walk, next cursor.Walk, passed int, look bool) Page {
	if walk.Start == 0 && walk.Cursor == "" {
		passed = len(page.Records) // it turned back to the beginning, or begins
	}
	w.descendTo(page, passed, &next)
	since := w.nextSince(walk)
	p := w.newPicker(page, since)
	reached := false
	for i := range page.Records {
		r := &page.Records[i]
		at := w.newestBy(r)
		switch {
		case at.Before(walk.Since) && !at.IsZero():
			reached = true
		case !next.Disorderly && !walk.Last.IsZero() && at.After(walk.Last):
			// Passed before the walk turned back; what is newer now is met by the next walk.
		case look && !r.Updated.IsZero():
			// The walk by time hands it on.
		default:
			p.take(r, pick(at, walk.Began))
		}
	}
	step := cursor.Step{Look: look, Walk: &next, Seen: p.seen, Keep: since}
	if !page.More || reached && !next.Disorderly {
		step.Walk, step.Since, step.Walked = nil, since, walk.Began
	}
	return Page{Object: &w.obj, Records: p.records, Step: step}
}

// newestBy is the time that the list is ordered by.
func (w *walker) newestBy(r *pipedrive.Record) time.Time {
	if w.obj.NewestBy == w.obj.Created {
		return r.Created
	}
	return pick(r.Updated, r.Created)
}

// descendTo moves the walk to the last record of a page, and checks the order on the way: within the page, and of what
// is behind the passed ones with the page before.
func (w *walker) descendTo(page *pipedrive.Page, passed int, next *cursor.Walk) {
	var before time.Time
	for i := range page.Records {
		at := w.newestBy(&page.Records[i])
		if i == passed && !next.Last.IsZero() && (before.IsZero() || next.Last.Before(before)) {
			before = next.Last
		}
		if !before.IsZero() && at.After(before) {
			next.Disorderly = true
		}
		before = pick(at, before)
	}
	if next.Last.IsZero() || before.Before(next.Last) {
		next.Last = pick(before, next.Last)
	}
}

// turnBack reads the page before once more, or the list from its beginning where a cursor was refused.
func (w *walker) turnBack(walk cursor.Walk) cursor.Walk {
	if walk.Cursor != "" {
		return cursor.Walk{Since: walk.Since, Began: walk.Began, Restarted: true}
	}
	walk.Start = max(0, walk.Start-w.pageSize())
	if walk.Start == 0 {
		walk.Edge = ""
	}
	return walk
}

// further tells whether a walk along offsets has passed the place where it turned back. One along cursors begins
// again, and does so once.
func further(walk, turned cursor.Walk) bool { return walk.Start > turned.Start }

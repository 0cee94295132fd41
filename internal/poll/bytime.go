package poll

import (
	"context"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// walkByTime reads what changed since the last walk, oldest first, going on where the position stands. A list with
// cursors is a walk along (update_time, id): a record that changes meanwhile moves to the end and is met again, never
// skipped. The next walk begins overlap before this one began.
func (w *walker) walkByTime(ctx context.Context) error {
	return w.walkPages(ctx, underWay(w.pos.Main), itinerary{
		order: pipedrive.OldestFirst,
		pick:  w.pickByTime,
		turn:  w.turnByTime,
		further: func(walk, turned cursor.Walk) bool {
			return walk.Last.After(turned.Last)
		},
	})
}

// pickByTime takes what is new from a page and says how it moves the position.
func (w *walker) pickByTime(page *pipedrive.Page, walk, next cursor.Walk, _ int) Page {
	for i := range page.Records {
		at := page.Records[i].Updated
		if !at.IsZero() && at.Before(next.Last) {
			next.Disorderly = true
		}
		if !at.IsZero() && at.Before(walk.Since.Truncate(time.Second)) {
			w.tellUnfiltered(at, walk.Since)
		}
		next.Last = latest(next.Last, at)
	}
	since := w.nextSince(walk)
	step := cursor.Step{Walk: &next, Keep: since}
	if w.orderly(next) && !next.Last.IsZero() && next.Last.Before(since) {
		step.Keep = next.Last // a walk that turns begins with the last second again
	}
	p := w.newPicker(page, step.Keep)
	for i := range page.Records {
		r := &page.Records[i]
		if r.Updated.IsZero() {
			p.takeTimeless(r, since, walk.Began)
		} else {
			p.take(r, r.Updated)
		}
	}
	step.Seen, step.Timeless = p.seen, p.timeless
	if !page.More {
		step.Walk, step.Since, step.Walked = nil, since, walk.Began
		if w.pos.First && !next.Restarted {
			step.LookSince = since
		}
	}
	return Page{Object: &w.obj, Records: p.records, Step: step}
}

// tellUnfiltered says once that a list holds what it was not asked for. All that it is asked for comes, and much of it
// again and again.
func (w *walker) tellUnfiltered(at, since time.Time) {
	if w.unfiltered {
		return
	}
	w.unfiltered = true
	w.e.cfg.Log.Warnf("The list of %s holds a record of %s, though it was asked for %s from %s on: such records are handed on with every walk. Does the list know that parameter, and are the format and time zone of its times right?",
		w.obj.Name, at.Format(time.RFC3339), w.obj.Since, since.UTC().Format(time.RFC3339))
}

// orderly tells whether the list comes in the order of update_time, as far as a walk has seen.
func (w *walker) orderly(walk cursor.Walk) bool {
	return w.obj.OldestFirst != "" && !walk.Disorderly
}

// turnByTime goes on from the last time that was read. What has no update_time cannot be found that way, so the next
// look reads to the end. Without an order there is no such time.
func (w *walker) turnByTime(walk cursor.Walk) cursor.Walk {
	again := cursor.Walk{Since: walk.Since, Began: walk.Began, Last: walk.Last, Restarted: true, Disorderly: walk.Disorderly}
	if w.orderly(walk) {
		again.Since = pick(walk.Last, walk.Since)
		again.Records, again.Pages, again.From = walk.Records, walk.Pages, walk.From
	}
	return again
}

// lookIsDue tells, after a walk, whether it is time to look for records without an update_time. Both times are the
// server's: a clock of ours that is ahead of it would make every cycle look, one that is behind none.
func (w *walker) lookIsDue() bool {
	return w.obj.NewestFirst != "" && w.pos.Walked.Sub(w.pos.Look.Since) >= w.e.cfg.FullReadInterval
}

package poll

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// itinerary is one way through the pages of a list.
type itinerary struct {
	order pipedrive.Order
	// pick takes from a page what is new. So many of its first rows stood in front of the last record that was read. A step
	// without a walk ends the way.
	pick func(page *pipedrive.Page, walk, next cursor.Walk, passed int) Page
	// turn is where to go on when the place of a walk is lost; further tells whether it has come on since it turned.
	turn    func(walk cursor.Walk) cursor.Walk
	further func(walk, turned cursor.Walk) bool
}

// walkPages reads page after page and hands each on, until the list or the way ends.
//
// The place is lost when Pipedrive refuses the cursor; or, in a list with offsets, when rows went missing in front
// of the page, so that rows nobody read moved out of reach. That is seen because each page begins with the last
// record of the one before. Then the walk turns, but not twice at the same place: rows of one second may have no
// stable order, and a list that is read for ever is worse than one whose tie is read once.
func (w *walker) walkPages(ctx context.Context, walk cursor.Walk, way itinerary) error {
	var turned *cursor.Walk
	for {
		q := pipedrive.Query{Order: way.order, Cursor: walk.Cursor, Start: walk.Start}
		if way.order == pipedrive.OldestFirst {
			q.Since = walk.Since
		}
		asked := time.Now()
		page, err := w.list(ctx, q)
		lost := cursorRefused(err, walk) || err == nil && w.misplaced(page, walk)
		if lost && (turned == nil || way.further(walk, *turned)) {
			here := walk
			turned, walk = &here, way.turn(walk)
			continue
		}
		if err != nil {
			return err
		}
		walk.Began = w.began(walk, page, asked)
		next, err := w.advance(walk, page)
		if err != nil {
			return err
		}
		passed := w.dropRead(page, walk)
		if w.pos.First {
			w.meter.count(page, &next)
		}
		p := way.pick(page, walk, next, passed)
		if err := w.handOn(ctx, p); err != nil {
			return err
		}
		if p.Step.Walk == nil || !page.More {
			return nil
		}
		walk = *p.Step.Walk
	}
}

// handOn gives a page away and moves on.
func (w *walker) handOn(ctx context.Context, p Page) error {
	if err := w.e.cfg.HandOn(ctx, p); err != nil {
		return err
	}
	first := w.pos.First
	w.pos.Apply(p.Step)
	if first {
		w.tellProgress(p.Step.Walk)
	}
	return nil
}

// cursorRefused tells whether Pipedrive no longer takes the cursor of a walk.
func cursorRefused(err error, walk cursor.Walk) bool {
	var refused *pipedrive.RefusedError
	return walk.Cursor != "" && errors.As(err, &refused)
}

// misplaced tells whether a page does not hold the record that it should begin with.
func (w *walker) misplaced(page *pipedrive.Page, walk cursor.Walk) bool {
	return w.obj.Paging == entity.Offset && walk.Start > 0 &&
		!slices.ContainsFunc(page.Records, func(r pipedrive.Record) bool { return r.ID == walk.Edge })
}

// dropRead takes the record out of a page that the page before ended with, and returns how many stand in front of it.
func (w *walker) dropRead(page *pipedrive.Page, walk cursor.Walk) (passed int) {
	if w.obj.Paging != entity.Offset || walk.Start == 0 {
		return 0
	}
	passed = slices.IndexFunc(page.Records, func(r pipedrive.Record) bool { return r.ID == walk.Edge })
	page.Records = slices.DeleteFunc(page.Records, func(r pipedrive.Record) bool { return r.ID == walk.Edge })
	return max(passed, 0)
}

// advance is the walk after a page. A list that leads back to the same page would be read for ever.
func (w *walker) advance(walk cursor.Walk, page *pipedrive.Page) (cursor.Walk, error) {
	next := walk
	next.Cursor = page.Next
	if n := len(page.Records); n > 0 {
		next.Edge = strings.Clone(page.Records[n-1].ID)
		if page.Next == "" {
			next.Start += n - 1
		}
	}
	if page.More && next.Cursor == walk.Cursor && next.Start == walk.Start {
		return walk, &pipedrive.LaterError{
			Kind:   pipedrive.KindGarbled,
			Answer: pipedrive.Answer{Text: "the list says that there is more, but not where"},
		}
	}
	return next, nil
}

// underWay is the walk that a track stands in, or a new one.
func underWay(t cursor.Track) cursor.Walk {
	if t.Walk != nil {
		return *t.Walk
	}
	return cursor.Walk{Since: t.Since}
}

// began is the server time at which a walk began. Without a Date header the local clock stands in.
func (w *walker) began(walk cursor.Walk, page *pipedrive.Page, asked time.Time) time.Time {
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
	return asked.UTC().Truncate(time.Second)
}

// nextSince is where the walk after this one begins.
func (w *walker) nextSince(walk cursor.Walk) time.Time {
	overlap := w.e.cfg.Overlap
	if w.dateless {
		overlap *= 2
	}
	return latest(w.pos.Floor, walk.Began.Add(-overlap-w.obj.Late))
}

// pick is the first time that is one.
func pick(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

package poll

import (
	"context"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// Which track a walk from the newest moves.
const (
	mainTrack = false
	lookTrack = true
)

// readNewest reads a list from its newest record down to what is known. On the look track it hands on only the
// records that a walk by time cannot find, those without an update_time.
//
// The order is checked, not trusted: as soon as a record is newer than the one before it, nothing is concluded from
// the order any more and the list is read to its end.
func (w *walker) readNewest(ctx context.Context, look bool) error {
	track := &w.pos.Main
	if look {
		track = &w.pos.Look
	}
	d := descent{w: w, look: look, walk: underWay(*track), orderly: true}
	for {
		page, err := w.list(ctx, pipedrive.Query{Order: pipedrive.NewestFirst, Cursor: d.walk.Cursor, Start: d.walk.Start})
		if w.cursorRefused(err, d.walk) {
			d.walk = cursor.Walk{Since: track.Since, Began: d.walk.Began}
			continue
		}
		if err != nil {
			return err
		}
		d.walk.Began = w.began(d.walk, page)
		if d.shifted(page) {
			d.walk.Start = max(0, d.walk.Start-w.pageSize())
			continue
		}
		p, err := d.pick(page)
		if err != nil {
			return err
		}
		if err := w.handOn(ctx, p); err != nil {
			return err
		}
		if p.Step.Walk == nil {
			return nil
		}
		d.walk = *p.Step.Walk
	}
}

// descent is a walk from the newest record down.
type descent struct {
	w       *walker
	look    bool
	walk    cursor.Walk
	orderly bool // no record so far was newer than the one before it
}

func (d *descent) pick(page *pipedrive.Page) (Page, error) {
	next, err := advance(d.walk, page)
	if err != nil {
		return Page{}, err
	}
	last := d.lastTime(page)
	if next.Last = last; !d.walk.Last.IsZero() && last.After(d.walk.Last) {
		next.Last = d.walk.Last
	}
	since := d.w.nextSince(d.walk)
	p := d.w.newPicker(page, cursor.Keep{From: since, At: last})
	reached := false
	for i := range page.Records {
		r := &page.Records[i]
		at := d.at(r)
		switch {
		case !at.IsZero() && at.Before(d.walk.Since):
			reached = d.orderly
		case d.readBefore(at):
		case d.look && !r.Updated.IsZero():
			d.remember(&p, r, at)
		default:
			p.take(r, at)
		}
	}
	step := cursor.Step{Look: d.look, Walk: &next, Seen: p.seen, Keep: p.keep}
	if reached || !page.More {
		step.Walk, step.Since, step.Walked = nil, since, d.walk.Began
	}
	return Page{Object: &d.w.obj, Records: p.records, Step: step}, nil
}

// at is the time that the list is ordered by.
func (d *descent) at(r *pipedrive.Record) time.Time {
	if d.w.obj.NewestBy == d.w.obj.Created {
		return r.Created
	}
	return pick(r.Updated, r.Created)
}

// lastTime is the time of the last record of a page. It checks the order on the way.
func (d *descent) lastTime(page *pipedrive.Page) time.Time {
	last := d.walk.Last
	for i := range page.Records {
		at := d.at(&page.Records[i])
		if i > 0 && !last.IsZero() && at.After(last) {
			d.orderly = false
		}
		last = pick(at, last)
	}
	return last
}

// readBefore tells whether an orderly descent has passed a time: what is newer now will be met by the next walk.
func (d *descent) readBefore(at time.Time) bool {
	return d.orderly && !d.walk.Last.IsZero() && at.After(d.walk.Last)
}

// remember notes a record that is not handed on, where the next page may begin with it.
func (d *descent) remember(p *picker, r *pipedrive.Record, at time.Time) {
	if at.Equal(p.keep.At) {
		p.note(r.ID, at, cursor.HashOf(r.JSON))
	}
}

// shifted tells whether rows went missing before a page of an orderly list with offsets.
func (d *descent) shifted(page *pipedrive.Page) bool {
	if d.w.obj.Paging != entity.Offset || !d.orderly || d.walk.Start == 0 {
		return false
	}
	if len(page.Records) == 0 {
		return true
	}
	r := &page.Records[0]
	_, met := d.w.met(r.ID)
	at := d.at(r)
	return !met && !at.IsZero() && !at.After(d.walk.Last)
}

package poll

import (
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// picker takes from one page the records that were not handed on before.
type picker struct {
	w        *walker
	keep     time.Time // the window holds records from here on
	records  []Record
	seen     []cursor.Seen
	timeless []cursor.Seen
}

func (w *walker) newPicker(page *pipedrive.Page, keep time.Time) picker {
	return picker{w: w, keep: keep, records: make([]Record, 0, len(page.Records))}
}

// take hands a record on unless the window holds this very content of it. Only what the window holds or will hold
// is hashed: on a first walk that is next to nothing.
func (p *picker) take(r *pipedrive.Record, at time.Time) {
	if s := p.hand(r, at, p.keep); s != nil {
		p.seen = append(p.seen, *s)
	}
}

// takeTimeless does the same for a record without an update_time. Only the look can meet it again, by its add_time.
func (p *picker) takeTimeless(r *pipedrive.Record, keep, began time.Time) {
	if s := p.hand(r, pick(r.Created, began), keep); s != nil {
		p.timeless = append(p.timeless, *s)
	}
}

// hand hands a record on, unless the window holds it, and returns what of it to remember, if anything.
func (p *picker) hand(r *pipedrive.Record, at, keep time.Time) *cursor.Seen {
	prior, met := p.w.met(r.ID)
	if !met && at.Before(keep) {
		settled := p.w.record(r, false)
		settled.Settled = true
		p.records = append(p.records, settled)
		return nil
	}
	hash := cursor.HashOf(r.JSON, r.Deleted)
	if met && prior.Hash == hash {
		return nil
	}
	p.records = append(p.records, p.w.record(r, met))
	return &cursor.Seen{ID: r.ID, Sighting: cursor.Sighting{At: at, Hash: hash}}
}

// met looks for a record in the windows of both tracks.
func (w *walker) met(id string) (cursor.Sighting, bool) {
	if s, ok := w.pos.Main.Window[id]; ok {
		return s, true
	}
	s, ok := w.pos.Look.Window[id]
	return s, ok
}

func (w *walker) record(r *pipedrive.Record, met bool) Record {
	return Record{JSON: r.JSON, ID: r.ID, Action: w.action(r, met), Time: pick(r.Updated, r.Created)}
}

// action says what happened to a record. Pipedrive writes update_time up to some seconds after add_time on creation,
// or not at all.
func (w *walker) action(r *pipedrive.Record, met bool) Action {
	switch {
	case r.Deleted:
		return Deleted
	case w.pos.StartFrom == Beginning && (w.pos.First || w.firstLook()):
		return Snapshot
	case met:
		return Updated
	case r.Updated.IsZero():
		return Created
	case !r.Created.IsZero() && r.Updated.Sub(r.Created) <= w.e.cfg.CreatedTolerance:
		return Created
	default:
		return Updated
	}
}

// firstLook tells whether the look makes up for a first walk that lost its place: it reads to the end, and what it
// finds is as old as what the walk found.
func (w *walker) firstLook() bool {
	return w.obj.Walk == entity.ByTime && w.obj.NewestFirst != "" && w.pos.Look.Since.IsZero()
}

package poll

import (
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// picker takes from one page the records that were not handed on before.
type picker struct {
	w       *walker
	keep    cursor.Keep
	records []Record
	seen    []cursor.Seen
}

func (w *walker) newPicker(page *pipedrive.Page, keep cursor.Keep) picker {
	return picker{w: w, keep: keep, records: make([]Record, 0, len(page.Records))}
}

// take hands a record on unless the window holds this very content of it. Only what the window holds or will hold
// is hashed: on a first walk that is next to nothing.
func (p *picker) take(r *pipedrive.Record, at time.Time) {
	prior, met := p.w.met(r.ID)
	if met || p.keep.Holds(at) {
		hash := cursor.HashOf(r.JSON)
		if met && prior.Hash == hash {
			return
		}
		p.note(r.ID, at, hash)
	}
	p.records = append(p.records, p.w.record(r, met))
}

func (p *picker) note(id string, at time.Time, hash cursor.Hash) {
	p.seen = append(p.seen, cursor.Seen{ID: id, Sighting: cursor.Sighting{At: at, Hash: hash}})
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
	case w.pos.First && w.pos.StartFrom == Beginning:
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

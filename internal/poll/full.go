package poll

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// missingAsked is how many vanished records of one reading are asked for by their own GET; the others wait for the
// next reading to miss them again.
const missingAsked = 20

// readFull reads a whole list, hands on what differs from the last reading, and finds what vanished. A reading that
// was interrupted begins again: what was handed on is known by its content.
func (w *walker) readFull(ctx context.Context) error {
	walk := cursor.Walk{}
	shown := map[string]bool{}
	for {
		page, err := w.list(ctx, pipedrive.Query{Cursor: walk.Cursor, Start: walk.Start})
		if err != nil {
			return err
		}
		walk.Began = w.began(walk, page)
		if walk.Start > 0 && w.obj.Paging == entity.Offset && (len(page.Records) == 0 || !shown[page.Records[0].ID]) {
			walk.Start = max(0, walk.Start-w.pageSize())
			continue
		}
		next, err := advance(walk, page)
		if err != nil {
			return err
		}
		if err := w.handOn(ctx, w.pickChanged(page, next, shown)); err != nil {
			return err
		}
		if !page.More {
			return w.finishFull(ctx, walk, shown)
		}
		walk = next
	}
}

// pickChanged takes from a page what the last reading did not show in this form.
func (w *walker) pickChanged(page *pipedrive.Page, next cursor.Walk, shown map[string]bool) Page {
	p := Page{Object: &w.obj, Step: cursor.Step{Walk: &next}}
	for i := range page.Records {
		r := &page.Records[i]
		shown[strings.Clone(r.ID)] = true
		hash := cursor.HashOf(r.JSON)
		before, known := w.pos.Full.Known[r.ID]
		if known && before == hash {
			continue
		}
		p.Step.Known = append(p.Step.Known, cursor.Seen{ID: r.ID, Sighting: cursor.Sighting{Hash: hash}})
		if w.pos.First && w.older(r) {
			continue
		}
		p.Records = append(p.Records, w.record(r, known))
	}
	return p
}

// older tells whether a record did not change since the moment from which changes are asked for.
func (w *walker) older(r *pipedrive.Record) bool {
	return latest(r.Updated, r.Created).Before(w.pos.Floor)
}

// finishFull ends a reading: known records that it did not show are asked for, and deleted when they are gone or
// were missing from the reading before, too.
func (w *walker) finishFull(ctx context.Context, walk cursor.Walk, shown map[string]bool) error {
	last := Page{Object: &w.obj, Step: cursor.Step{Since: walk.Began, Walked: walk.Began}}
	missing := w.missing(shown)
	switch {
	case !w.obj.Removals:
		last.Step.Forget = missing
	case len(shown) == 0:
		// A list that is suddenly empty is more likely a fault than the deletion of everything.
	default:
		if err := w.judge(ctx, missing, walk.Began, &last); err != nil {
			return err
		}
	}
	return w.handOn(ctx, last)
}

func (w *walker) missing(shown map[string]bool) []string {
	var ids []string
	for id := range w.pos.Full.Known {
		if !shown[id] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// judge decides what became of each missing record.
func (w *walker) judge(ctx context.Context, missing []string, found time.Time, last *Page) error {
	for i, id := range missing {
		if slices.Contains(w.pos.Full.Missing, id) {
			last.remove(id, found)
			continue
		}
		if i >= missingAsked || w.obj.Record == "" {
			last.Step.Missing = append(last.Step.Missing, id)
			continue
		}
		r, err := w.e.cfg.Client.Record(ctx, &w.obj, id)
		w.spent += w.obj.RecordTokens
		var gone *pipedrive.GoneError
		switch {
		case errors.As(err, &gone), err == nil && r.Deleted:
			last.remove(id, found)
		case err == nil:
			// It lives on outside the list, like an archived project: that is a change, and the last one from here.
			last.Records = append(last.Records, w.record(&r, true))
			last.Step.Forget = append(last.Step.Forget, id)
		case ctx.Err() != nil:
			return ctx.Err()
		default:
			last.Step.Missing = append(last.Step.Missing, id)
		}
	}
	return nil
}

// remove hands on the deletion of a record that vanished.
func (p *Page) remove(id string, found time.Time) {
	body := []byte(`{"id":` + strconv.Quote(id) + `}`)
	if n := json.Number(id); isInteger(n) {
		body = []byte(`{"id":` + id + `}`)
	}
	p.Records = append(p.Records, Record{JSON: body, ID: id, Action: Deleted, Time: found})
	p.Step.Forget = append(p.Step.Forget, id)
}

func isInteger(n json.Number) bool {
	_, err := n.Int64()
	return err == nil
}

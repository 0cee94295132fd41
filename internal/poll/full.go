package poll

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// missingAsked is how many vanished records of one reading are asked for by their own GET; the others wait for the
// next reading to miss them again.
const missingAsked = 20

// reading is a full read under way. It outlives a failure in the middle: the walk goes on where it stands.
type reading struct {
	walk  cursor.Walk
	shown map[string]bool // ids of the pages so far
	whole bool            // this process has seen it from the beginning: only then does missing mean anything
}

// readFull reads a whole list, hands on what differs from the last reading, and finds what vanished.
func (w *walker) readFull(ctx context.Context) error {
	if w.reading == nil {
		w.reading = &reading{walk: underWay(cursor.Track{Walk: w.pos.Main.Walk}), shown: map[string]bool{}, whole: w.pos.Main.Walk == nil}
	}
	err := w.walkPages(ctx, w.reading.walk, itinerary{
		order: pipedrive.Unordered,
		pick:  w.pickChanged,
		turn: func(walk cursor.Walk) cursor.Walk {
			if walk.Cursor != "" {
				w.reading = &reading{shown: map[string]bool{}, whole: true}
			}
			return w.turnBack(walk)
		},
		further: further,
	})
	if err != nil {
		return err
	}
	if err := w.finishFull(ctx, *w.reading); err != nil {
		return err
	}
	w.reading = nil
	return nil
}

// pickChanged takes from a page what the last reading did not show in this form.
func (w *walker) pickChanged(page *pipedrive.Page, walk, next cursor.Walk, _ int) Page {
	p := Page{Object: &w.obj, Step: cursor.Step{Walk: &next}}
	for i := range page.Records {
		r := &page.Records[i]
		w.reading.shown[strings.Clone(r.ID)] = true
		hash := cursor.HashOf(r.JSON, r.Deleted)
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
	w.reading.walk = next
	return p
}

// older tells whether a record did not change since the moment from which changes are asked for.
func (w *walker) older(r *pipedrive.Record) bool {
	return latest(r.Updated, r.Created).Before(w.pos.Floor)
}

// finishFull ends a reading: known records that it did not show are asked for, and deleted when they are gone or
// were missing from the reading before, too.
func (w *walker) finishFull(ctx context.Context, done reading) error {
	last := Page{Object: &w.obj, Step: cursor.Step{
		Since: done.walk.Began, Walked: done.walk.Began, Missing: w.pos.Full.Missing,
	}}
	// A list that is suddenly empty is more likely a fault than the deletion of everything.
	if done.whole && len(done.shown) > 0 {
		last.Step.Missing = nil
		if err := w.judge(ctx, w.missing(done.shown), done.walk.Began, &last); err != nil {
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
	asked := 0
	for _, id := range missing {
		switch {
		case !w.obj.Removals, w.pos.Full.Known[id].Deleted():
			last.Step.Forget = append(last.Step.Forget, id)
		case slices.Contains(w.pos.Full.Missing, id):
			last.remove(id, found)
		case asked == missingAsked || w.obj.Record == "":
			last.Step.Missing = append(last.Step.Missing, id)
		default:
			asked++
			if err := w.askFor(ctx, id, found, last); err != nil {
				return err
			}
		}
	}
	return nil
}

// askFor reads one missing record by itself.
func (w *walker) askFor(ctx context.Context, id string, found time.Time, last *Page) error {
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
	return nil
}

// remove hands on the deletion of a record that vanished.
func (p *Page) remove(id string, found time.Time) {
	var body any = map[string]string{"id": id}
	if n := json.Number(id); isInteger(n) {
		body = map[string]json.Number{"id": n}
	}
	encoded, _ := json.Marshal(body) // of a text or a whole number: it cannot go wrong
	p.Records = append(p.Records, Record{JSON: encoded, ID: id, Action: Deleted, Time: found})
	p.Step.Forget = append(p.Step.Forget, id)
}

func isInteger(n json.Number) bool {
	_, err := n.Int64()
	return err == nil
}

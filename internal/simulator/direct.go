package simulator

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/tidwall/gjson"
)

// Add makes a record with random values, and the fields on top of them, and returns its id.
func (s *Simulator) Add(name string, f Fields) string { return s.add(name, 1, f)[0] }

// AddMany makes n records in one and the same second and returns their ids.
func (s *Simulator) AddMany(name string, n int) []string { return s.add(name, n, nil) }

func (s *Simulator) add(name string, count int, f Fields) []string {
	l := listNamed(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := stampOf(s.clock.now())
	ids := make([]string, 0, count)
	for range count {
		ids = append(ids, s.addOne(l, now, f))
	}
	return ids
}

// addOne and the other small letters are called under the lock.
func (s *Simulator) addOne(l *list, now stamp, f Fields) string {
	t := s.tableOf(l)
	obj := t.obj
	d := draw{obj: obj, n: t.next, fresh: true, added: now, updated: never}
	if obj.updated != "" && !s.quirks.NullUpdateTime {
		d.updated = d.added
		if s.quirks.AddTimeEarlier {
			d.added -= stamp(time.Second / time.Millisecond)
		}
	}
	t.next++
	body := f.patch(t.seeds.render(nil, d), obj.layout)
	r := &row{n: d.n, body: body, deleted: never}
	if l.archived {
		r.archived = true
		r.body = mark(body, now, obj.layout, archiveMarks)
	}
	s.commit(t, action{kind: created, after: r})
	return t.seeds.id(obj, d.n)
}

// Update sets fields of a record and moves its update_time, unless update_time is among them. Nothing else follows
// from it: won_time, say, has to be set too.
func (s *Simulator) Update(name, id string, f Fields) {
	s.change(name, id, func(r row, t *table, now stamp) row {
		r.body = s.moved(t, f, now).patch(r.body, t.obj.layout)
		return r
	})
}

// Touch moves a record's update_time and nothing else, as Pipedrive does when a note of it is deleted.
func (s *Simulator) Touch(name, id string) { s.Update(name, id, nil) }

// Delete deletes a record: a deal or project stays in the lists of those who ask for status deleted, everything else
// vanishes from them.
func (s *Simulator) Delete(name, id string) {
	s.change(name, id, s.deleted)
}

// Purge forgets a record at once, as Pipedrive does 30 days after its deletion.
func (s *Simulator) Purge(name, id string) {
	l := listNamed(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tableOf(l)
	r := t.find(name, id)
	s.commit(t, action{kind: purged, before: &r})
}

// Archive moves a deal, lead or project to the archived list.
func (s *Simulator) Archive(name, id string) { s.archive(name, id, true) }

// Unarchive moves it back.
func (s *Simulator) Unarchive(name, id string) { s.archive(name, id, false) }

func (s *Simulator) archive(name, id string, archived bool) {
	s.change(name, id, func(r row, t *table, now stamp) row {
		marks := archiveMarks
		if !archived {
			marks = unarchiveMarks
		}
		r.archived = archived
		r.body = mark(r.body, now, t.obj.layout, marks)
		if !s.quirks.ArchiveKeepsUpdateTime {
			r.body = s.moved(t, nil, now).patch(r.body, t.obj.layout)
		}
		return r
	})
}

// Get is a record as a list or a GET would show it; a deleted one only while it is not purged.
func (s *Simulator) Get(name, id string) ([]byte, bool) {
	l := listNamed(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tableOf(l)
	n, ok := t.seeds.number(t.obj, id)
	if !ok {
		return nil, false
	}
	r, found := t.get(n)
	if !found || r.purged(stampOf(s.clock.now())) {
		return nil, false
	}
	return r.append(nil), true
}

// IDs are the ids of the list's records, oldest record first, deleted ones included where the list can show them.
func (s *Simulator) IDs(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	s.full(listNamed(name), func(r record) { ids = append(ids, r.id()) })
	return ids
}

// State is the list read whole: the records by id, deleted ones included where the list can show them.
func (s *Simulator) State(name string) map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := map[string][]byte{}
	s.full(listNamed(name), func(r record) { state[r.id()] = r.append(nil) })
	return state
}

func (s *Simulator) full(l *list, yield func(record)) {
	q := query{list: l, statuses: l.statuses, from: never, to: never}
	now := stampOf(s.clock.now())
	for r := range s.tableOf(l).walk(stretch{order: byNumber, from: never, to: never}) {
		if q.visible(r, now) {
			yield(r)
		}
	}
}

// Prebuild renders all pages of a list ahead and keeps them until the next write or Advance, so that a benchmark
// over them measures its client. The query is what the client will send, without cursor and start, in any order of
// its parameters. It returns the number of pages.
func (s *Simulator) Prebuild(path, query string) (int, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return 0, fmt.Errorf("reading the query %q: %w", query, err)
	}
	rt := findRoute(path)
	if !rt.known || rt.list == nil || rt.id != "" {
		return 0, fmt.Errorf("building pages: %s is no list", path)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages.on = true
	for pages := 1; ; pages++ {
		a := s.listAnswer(rt.list, path, values, stampOf(s.clock.now()))
		if a.status != http.StatusOK {
			return 0, fmt.Errorf("building page %d of %s: %s", pages, path, a.body)
		}
		cursor := gjson.GetBytes(a.body, "additional_data.next_cursor").Str
		start := gjson.GetBytes(a.body, "additional_data.pagination.next_start").Raw
		switch values = maps.Clone(values); {
		case cursor != "":
			values.Set("cursor", cursor)
		case start != "":
			values.Set("start", start)
		default:
			return pages, nil
		}
	}
}

package simulator

import (
	"fmt"

	"github.com/tidwall/gjson"
)

// action is one write.
type action struct {
	kind   actionKind
	before *record // nil for a creation
	after  *row    // nil for a purge
	how    manner
}

// manner is what webhooks say of a write beside its record.
type manner struct {
	bulk                 bool   // one of several at once
	mergedTo, mergedFrom string // ids
}

type actionKind uint8

const (
	created actionKind = iota
	changed
	purged
)

// commit is the one way into the tables. The sender of webhooks learns of every write here.
func (s *Simulator) commit(t *table, a action) {
	if a.kind == purged {
		t.remove(a.before.n)
	} else {
		r := a.after
		r.added = readStamp(gjson.GetBytes(r.body, t.obj.added))
		r.updated = never
		if t.obj.updated != "" {
			r.updated = readStamp(gjson.GetBytes(r.body, t.obj.updated))
		}
		t.put(r)
	}
	s.pages.drop()
	s.announce(t, a)
}

// change replaces a record by what edit makes of it.
func (s *Simulator) change(name, id string, edit func(row, *table, stamp) row) {
	l := listNamed(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tableOf(l)
	r := t.find(name, id)
	s.changeRecord(r, manner{}, edit)
}

func (s *Simulator) changeRecord(r record, how manner, edit func(row, *table, stamp) row) {
	old := row{n: r.n, deleted: never}
	if r.row != nil {
		old = *r.row
	} else {
		old.body = r.append(nil)
	}
	after := edit(old, r.table, stampOf(s.clock.now()))
	s.commit(r.table, action{kind: changed, before: &r, after: &after, how: how})
}

// find is get for a tester, who knows what there is.
func (t *table) find(name, id string) record {
	n, ok := t.seeds.number(t.obj, id)
	if ok {
		if r, found := t.get(n); found {
			return r
		}
	}
	panic(fmt.Sprintf("simulator: there is no record %q in %s", id, name))
}

// moved is the fields with the object's update_time set to now, unless they set it themselves.
func (s *Simulator) moved(t *table, f Fields, now stamp) Fields {
	if t.obj.updated == "" {
		return f
	}
	if _, set := f[t.obj.updated]; set {
		return f
	}
	all := Fields{t.obj.updated: now.time()}
	for name, value := range f {
		all[name] = value
	}
	return all
}

// marks are the fields that say that a record is deleted or archived; an object has some of them.
type marks map[string]any

// markTime stands for the time of the marking.
type markTime struct{}

var (
	deleteMarks    = marks{"is_deleted": true, "active_flag": false}
	archiveMarks   = marks{"is_archived": true, "archive_time": markTime{}}
	unarchiveMarks = marks{"is_archived": false, "archive_time": nil}
)

// mark sets those of the marks that the record has.
func mark(body []byte, now stamp, layout string, m marks) []byte {
	f := Fields{}
	for name, value := range m {
		if !gjson.GetBytes(body, name).Exists() {
			continue
		}
		if _, isTime := value.(markTime); isTime {
			value = now.time()
		}
		f[name] = value
	}
	return f.patch(body, layout)
}

func (s *Simulator) deleted(r row, t *table, now stamp) row {
	r.deleted = now
	r.body = mark(r.body, now, t.obj.layout, deleteMarks)
	f := Fields{}
	if marked := gjson.GetBytes(r.body, "is_deleted").Exists(); t.obj.lingers && (!marked || !s.quirks.DeletedKeepsStatus) {
		f["status"] = "deleted"
	}
	r.body = s.moved(t, f, now).patch(r.body, t.obj.layout)
	return r
}

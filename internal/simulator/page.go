package simulator

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/tidwall/gjson"
)

// orderOf is the walk order that sorts by the field, if there is one.
func (t *table) orderOf(field string) (order, bool) {
	switch field {
	case "id":
		return byNumber, true
	case t.obj.added:
		return byAdded, true
	case t.obj.updated:
		return byUpdated, true
	}
	return 0, false
}

// visible tells whether the list shows the record at all, filters aside.
func (q *query) visible(r record, now stamp) bool {
	if r.archived() != q.list.archived || r.purged(now) {
		return false
	}
	if r.deleted() && !slices.Contains(q.statuses, "deleted") {
		return false
	}
	if q.from != never && r.updated < q.from || q.to != never && (r.updated == never || r.updated >= q.to) {
		return false
	}
	return q.ids == nil || slices.Contains(q.ids, r.id())
}

// reads tells whether matches has to see the record itself.
func (q *query) reads() bool {
	return len(q.tests) > 0 || q.statuses != nil && !q.everyStatus()
}

// everyStatus holds when each status that a living record may have is asked for.
func (q *query) everyStatus() bool {
	for _, status := range q.list.statuses {
		if status != "deleted" && !slices.Contains(q.statuses, status) {
			return false
		}
	}
	return true
}

func (q *query) matches(r record, body []byte) bool {
	if q.statuses != nil && !r.deleted() && !slices.Contains(q.statuses, gjson.GetBytes(body, "status").Str) {
		return false
	}
	return !slices.ContainsFunc(q.tests, func(t test) bool { return !t.holds(gjson.GetBytes(body, t.field)) })
}

func (t test) holds(value gjson.Result) bool {
	if value.IsArray() {
		return slices.ContainsFunc(value.Array(), t.holds)
	}
	if value.Type == gjson.Null {
		return t.value == "null"
	}
	return value.String() == t.value
}

// rows is one page: the records as JSON, with commas between them.
type rows struct {
	json  []byte
	count int
	last  record // of the page
	more  bool   // there is another page
}

// page collects the records that the query asks for, skipping so many.
func (t *table) page(q *query, now stamp) rows {
	var p rows
	skip := q.start
	add := func(r record) bool {
		if !q.visible(r, now) {
			return true
		}
		var body []byte
		if q.reads() {
			if body = r.append(nil); !q.matches(r, body) {
				return true
			}
		}
		switch {
		case skip > 0:
			skip--
			return true
		case p.count == q.limit && q.list.paging != whole:
			p.more = true
			return false
		case p.count > 0:
			p.json = append(p.json, ',')
		}
		p.count, p.last = p.count+1, r
		switch {
		case q.keys != nil:
			p.json = append(p.json, onlyKeys(r.append(nil), q.keys)...)
		case body != nil:
			p.json = append(p.json, body...)
		default:
			p.json = r.append(p.json)
		}
		return true
	}
	o, quick := t.orderOf(q.sort)
	if !quick {
		t.pageSorted(q, add)
		return p
	}
	for r := range t.walk(q.stretch(o)) {
		if !add(r) {
			break
		}
	}
	return p
}

func (q *query) stretch(o order) stretch {
	s := stretch{order: o, desc: q.desc, from: q.from, to: q.to}
	if q.after != nil {
		after := q.after.place(o)
		if q.desc {
			s.high = &after
		} else {
			s.low = &after
		}
	}
	return s
}

// pageSorted serves the orders in which nothing is kept: it sorts the whole table for every page.
func (t *table) pageSorted(q *query, add func(record) bool) {
	type keyed struct {
		record
		key gjson.Result
	}
	compare := func(a, b keyed) int {
		c := 0
		switch {
		case a.key.Less(b.key, true):
			c = -1
		case b.key.Less(a.key, true):
			c = 1
		}
		if c = cmp.Or(c, cmp.Compare(a.n, b.n)); q.desc {
			return -c
		}
		return c
	}
	var all []keyed
	for r := range t.walk(stretch{order: byNumber, from: q.from, to: q.to}) {
		all = append(all, keyed{r, gjson.GetBytes(r.append(nil), q.sort)})
	}
	slices.SortFunc(all, compare)
	if q.after != nil {
		last := keyed{record{n: q.after.ID}, gjson.ParseBytes(q.after.FieldValue)}
		i, found := slices.BinarySearchFunc(all, last, compare)
		if found {
			i++
		}
		all = all[i:]
	}
	for _, r := range all {
		if !add(r.record) {
			return
		}
	}
}

// onlyKeys leaves the named custom fields and drops the others.
func onlyKeys(body []byte, keys []string) []byte {
	all := gjson.GetBytes(body, customKey)
	if !all.IsObject() {
		return body
	}
	kept := Fields{}
	all.ForEach(func(key, value gjson.Result) bool {
		if slices.Contains(keys, key.Str) {
			kept[key.Str] = json.RawMessage(value.Raw)
		}
		return true
	})
	return Fields{customKey: json.RawMessage(appendJSON(nil, kept))}.patch(body, "")
}

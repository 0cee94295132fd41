package simulator

import (
	"maps"
	"slices"
	"time"

	"github.com/tidwall/gjson"
)

// retention is how long Pipedrive keeps what was deleted.
const retention = 30 * 24 * time.Hour

// row is a record that is no longer, or never was, as it was seeded. It is never changed, only replaced.
type row struct {
	n              int64
	body           []byte
	added, updated stamp
	deleted        stamp // when; never while it lives
	archived       bool
}

// record is a seeded record, or a row.
type record struct {
	table          *table
	n              int64
	added, updated stamp
	row            *row // nil: as seeded
}

// append writes the record's JSON.
func (r record) append(b []byte) []byte {
	if r.row != nil {
		return append(b, r.row.body...)
	}
	return r.table.seeds.render(b, draw{obj: r.table.obj, n: r.n, added: r.added, updated: r.updated})
}

func (r record) deleted() bool  { return r.row != nil && r.row.deleted != never }
func (r record) archived() bool { return r.row != nil && r.row.archived }

// purged records are as if they had never been.
func (r record) purged(now stamp) bool {
	return r.deleted() && now-r.row.deleted >= stamp(retention/time.Millisecond)
}

func (r record) id() string { return r.table.seeds.id(r.table.obj, r.n) }

func (s *seeds) render(b []byte, d draw) []byte {
	d.seeds = s
	for i, c := range d.obj.columns {
		b = append(b, "{,"[min(i, 1)])
		b = append(appendWord(b, c.name), ':')
		d.k = uint64(i)
		b = c.put(b, &d)
	}
	if d.obj.rooted {
		b = rootedFields(b, &d)
	}
	return append(b, '}')
}

// Fields are values to set, by the name of the field. What encoding/json can write is a value; a time.Time is
// written as the object writes times. A map under custom_fields changes the keys it names and leaves the others.
type Fields map[string]any

// customKey is the one field whose members are set one by one.
const customKey = "custom_fields"

// patch is the record with the fields set: those it has keep their place, the others are added at the end.
func (f Fields) patch(body []byte, layout string) []byte {
	left := maps.Clone(f)
	out := make([]byte, 0, len(body)+64)
	out = append(out, '{')
	put := func(key string, value []byte) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(appendJSON(out, key), ':'), value...)
	}
	gjson.ParseBytes(body).ForEach(func(key, old gjson.Result) bool {
		value, set := left[key.Str]
		if !set {
			put(key.Str, []byte(old.Raw))
			return true
		}
		delete(left, key.Str)
		members, isMap := value.(map[string]any)
		if nested, isFields := value.(Fields); isFields {
			members, isMap = nested, true
		}
		if isMap && key.Str == customKey {
			base := []byte(old.Raw)
			if !old.IsObject() {
				base = []byte("{}")
			}
			put(key.Str, Fields(members).patch(base, layout))
			return true
		}
		put(key.Str, jsonOf(value, layout))
		return true
	})
	for _, key := range slices.Sorted(maps.Keys(left)) {
		put(key, jsonOf(left[key], layout))
	}
	return append(out, '}')
}

package event

import (
	"slices"
	"strings"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

const customFields = "custom_fields"

// row is one field of a record as REST v2 has it, and what other schemas call it.
type row struct {
	name  string
	shape *shape
	told  bool   // both doors carry it: it counts in the event's id
	old   string // its names elsewhere, with blanks between; one behind a ! says the opposite
}

// Whether a field counts in the event's id. Quiet are those that only one door carries, and what moves by itself:
// counters, times that follow from another field.
const (
	told  = true
	quiet = false
)

// kind is how the records of one kind are written.
type kind struct {
	rows   []row
	custom bool // they have custom fields

	names            map[string]*place // where a field goes, by every name it has
	updated, created string            // the fields of REST v2 that say when
	known            bool              // it has a table of its own
}

// place is where a field of some schema goes in REST v2.
type place struct {
	*row
	before   []string // names of the same field that count rather than this one, if the record has them
	opposite bool
	part     bool // of the address in row
}

var kinds = func() map[string]*kind {
	for name, k := range tables {
		k.known = true
		k.index(name)
	}
	return tables
}()

// anyKind is for what Pipedrive will add next year: what it has in common with the rest.
var anyKind = func() *kind {
	k := &kind{rows: common}
	k.index("")
	return k
}()

func kindOf(object string) *kind {
	if k, known := kinds[object]; known {
		return k
	}
	return anyKind
}

func (k *kind) index(object string) {
	k.updated, k.created = "update_time", "add_time"
	if o, listed := entity.OfKind(object); listed {
		k.updated, k.created = o.Updated.Field, o.Created.Field
	}
	k.names = map[string]*place{}
	for i := range k.rows {
		r := &k.rows[i]
		k.names[r.name] = &place{row: r}
		before := []string{r.name}
		for old := range strings.FieldsSeq(r.old) {
			name, opposite := strings.CutPrefix(old, "!")
			k.names[name] = &place{row: r, before: slices.Clone(before), opposite: opposite}
			before = append(before, name)
		}
		if r.shape == address {
			for _, part := range addressParts {
				k.names[r.name+"_"+part] = &place{row: r, part: true}
			}
		}
	}
}

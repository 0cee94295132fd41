package event

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"sync"
	"time"
)

// idPrefix is that of the first way to make ids. Another way needs another prefix, so that the two never meet.
const idPrefix = "pd1_"

// creation is how long after add_time the update_time of a new record may lie. Which of the two a record has in its
// first seconds differs by schema.
const creation = 5 * time.Second

// texts are buffers for what is hashed.
var texts = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// identify makes the event's id: a hash over company, object and record, the second of the change, and what the record
// says in the fields that all schemas carry. Of a deletion there is one only, so it has none of the last two.
func (e *Event) identify(k *kind, data map[string]any) string {
	buffer := texts.Get().(*[]byte)
	b := (*buffer)[:0]
	for _, word := range [...]string{e.CompanyID, e.Object, e.ObjectID} {
		b = append(append(b, word...), endOfField)
	}
	if e.Action == Deleted {
		b = append(b, Deleted...)
	} else {
		b = append(append(b, e.second(k, data)...), endOfField)
		b = k.tell(b, data)
	}
	sum := sha256.Sum256(b)
	*buffer = b
	texts.Put(buffer)

	id := make([]byte, len(idPrefix), len(idPrefix)+32)
	copy(id, idPrefix)
	return string(hex.AppendEncode(id, sum[:16]))
}

// second is when the record changed, in whole seconds.
func (e *Event) second(k *kind, data map[string]any) string {
	updated, _ := data[k.updated].(string)
	created, _ := data[k.created].(string)
	at := updated
	if at == "" || created != "" && soonAfter(created, updated) {
		at = created
	}
	if at == "" {
		at = e.Time
	}
	return wholeSecond(at)
}

func soonAfter(created, updated string) bool {
	from, err := time.Parse(time.RFC3339, created)
	if err != nil {
		return false
	}
	to, err := time.Parse(time.RFC3339, updated)
	return err == nil && to.Truncate(time.Second).Sub(from.Truncate(time.Second)).Abs() <= creation
}

func wholeSecond(at string) string {
	return at[:min(len(at), len(secondLayout))]
}

// tell appends what the record says in the fields that all schemas carry; of a kind without a table, all it says.
func (k *kind) tell(b []byte, data map[string]any) []byte {
	if !k.known {
		return appendPlain(b, data)
	}
	for i := range k.rows {
		r := &k.rows[i]
		if !r.told {
			continue
		}
		v, has := data[r.name]
		if !has && r.shape.standIn != "" {
			v = data[r.shape.standIn]
		}
		if r.shape.tell != nil {
			b = r.shape.tell(b, v)
		} else {
			b = appendPlain(b, v)
		}
		b = append(b, endOfField)
	}
	if k.custom {
		b = tellCustoms(b, data)
	}
	return b
}

func tellCustoms(b []byte, data map[string]any) []byte {
	fields, _ := data[customFields].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		named := append(appendText(b, key), '=')
		if told := tellCustom(named, fields[key]); len(told) > len(named) { // some schemas do not list what is unset
			b = append(told, endOfField)
		}
	}
	return b
}

// tellCustom tells what all schemas know of a value, of several options as version 1 does: 13,14.
func tellCustom(b []byte, v any) []byte {
	if list, ok := v.([]any); ok {
		for i, item := range list {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendPlain(b, item)
		}
		return b
	}
	o, ok := v.(map[string]any)
	if !ok {
		return appendPlain(b, v)
	}
	b = appendPlain(b, o["value"])
	for _, name := range [...]string{"currency", "until"} {
		if more := o[name]; more != nil {
			b = appendPlain(append(b, endOfMember), more)
		}
	}
	return b
}

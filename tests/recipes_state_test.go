package tests

import (
	"encoding/json"
	"fmt"
)

// row is what a sink knows of a record.
type row struct {
	Deleted bool
	Data    map[string]any
}

// differences says what a sink has otherwise than Pipedrive, one line for each key; rows are by object and id. A sink
// that is not whole may lack keys. Both may know more than the list shows.
func (k *kitchen) differences(rows map[string]row, lists []string, whole bool) []string {
	var wrong []string
	there := map[string]bool{}
	for _, list := range lists {
		for id, record := range k.sim.State(list) {
			e := polledEvent(k.t, list, record)
			name := e.Object + "/" + id
			there[name] = true
			had, known := rows[name]
			if !known || had.Deleted != (e.Data == nil) {
				wrong = append(wrong, fmt.Sprintf("%s: known %v, deleted %v", name, known, had.Deleted))
				continue
			}
			for key, v := range e.Data {
				is, has := had.Data[key]
				if whole && asJSON(is) != asJSON(v) || !whole && has && !share(is, v) {
					wrong = append(wrong, fmt.Sprintf("%s.%s: %s instead of %s", name, key, asJSON(is), asJSON(v)))
				}
			}
		}
	}
	for name, had := range rows {
		if !there[name] && !had.Deleted {
			wrong = append(wrong, name+": should be deleted")
		}
	}
	return wrong
}

// share tells whether two values are equal in what both have. One of them is a webhook's, which knows less of a time or an
// address than a list does, and of a new record no update_time.
func share(a, b any) bool {
	x, isObject := a.(map[string]any)
	y, both := b.(map[string]any)
	if !isObject || !both {
		return a == nil || asJSON(a) == asJSON(b)
	}
	for key, v := range x {
		if other, has := y[key]; has && !share(v, other) {
			return false
		}
	}
	return true
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

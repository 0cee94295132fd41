package unrest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// Kept is what a sink knows of a record.
type Kept struct {
	Deleted bool
	Data    map[string]any // numbers as json.Number
}

// State is what a sink knows of all records, by deal/101.
type State map[string]Kept

// kinds are what the records of the lists that every recipe reads are called.
var kinds = map[string]string{
	"deals": "deal", "deals_archived": "deal", "persons": "person", "organizations": "organization", "activities": "activity",
}

// RequireState waits until the sink knows of every record what the account knows: no more records, no fewer, every field.
func RequireState(t *testing.T, sim *simulator.Simulator, sink func() State) {
	t.Helper()
	RequireNone(t, "the sink is what the account is", func() []string { return differences(sim, sink()) })
}

// RequireNone waits until nothing is wrong any more.
func RequireNone(t *testing.T, what string, wrong func() []string) {
	t.Helper()
	var last []string
	deadline := time.Now().Add(Patience)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		if last = wrong(); len(last) == 0 {
			return
		}
		if time.Now().After(deadline) {
			break
		}
	}
	require.Fail(t, "not in time: "+what, "%d are not:\n%s", len(last), strings.Join(last[:min(10, len(last))], "\n"))
}

func differences(sim *simulator.Simulator, sink State) (wrong []string) {
	alive, records := map[string]bool{}, 0
	for list, kind := range kinds {
		for id, body := range sim.State(list) {
			records++
			name, want := kind+"/"+id, Decode(body)
			got, known := sink[name]
			switch {
			case isDeleted(want):
				if !got.Deleted {
					wrong = append(wrong, name+" is deleted, and alive in the sink")
				}
				continue
			case !known:
				wrong = append(wrong, name+" is missing")
				continue
			case got.Deleted:
				wrong = append(wrong, name+" is alive, and deleted in the sink")
			}
			alive[name] = true
			for field, v := range want {
				if field == "custom_fields" {
					v = withValue(v)
				}
				if where, a, b := Differs(field, v, got.Data[field]); where != "" {
					wrong = append(wrong, fmt.Sprintf("%s: %s is %v, and %v in the sink", name, where, a, b))
				}
			}
		}
	}
	if records == 0 {
		wrong = append(wrong, "the account is empty")
	}
	for name, k := range sink {
		kind, _, _ := strings.Cut(name, "/")
		if !k.Deleted && !alive[name] && slices.Contains(slices.Collect(maps.Values(kinds)), kind) {
			wrong = append(wrong, name+" is gone, and alive in the sink")
		}
	}
	slices.Sort(wrong)
	return wrong
}

func isDeleted(record map[string]any) bool {
	return record["is_deleted"] == true || record["status"] == "deleted"
}

// Decode reads an object of JSON, and keeps every digit of a number. What is none is a mistake of the test.
func Decode(body []byte) map[string]any {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var record map[string]any
	if err := d.Decode(&record); err != nil {
		panic(fmt.Sprintf("%v: %s", err, body))
	}
	return record
}

// withValue leaves out the custom fields without a value, as events do.
func withValue(v any) any {
	with := map[string]any{}
	fields, _ := v.(map[string]any)
	for key, v := range fields {
		if v != nil {
			with[key] = v
		}
	}
	return with
}

// Differs names the first place where two values of JSON are not the same, and what is there; numbers count by what they
// are worth. An empty name: they are the same.
func Differs(place string, a, b any) (where string, va, vb any) {
	switch x := a.(type) {
	case json.Number:
		if y, isNumber := b.(json.Number); isNumber && worth(x).Cmp(worth(y)) == 0 {
			return "", nil, nil
		}
		return place, a, b
	case []any:
		y, isList := b.([]any)
		if !isList || len(x) != len(y) {
			return place, a, b
		}
		for i := range x {
			if where, va, vb = Differs(fmt.Sprintf("%s[%d]", place, i), x[i], y[i]); where != "" {
				return where, va, vb
			}
		}
		return "", nil, nil
	case map[string]any:
		y, isObject := b.(map[string]any)
		if !isObject {
			return place, a, b
		}
		both := maps.Clone(x)
		maps.Copy(both, y)
		for key := range both {
			if where, va, vb = Differs(place+"."+key, x[key], y[key]); where != "" {
				return where, va, vb
			}
		}
		return "", nil, nil
	}
	if a != b {
		return place, a, b
	}
	return "", nil, nil
}

func worth(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		panic("not a number: " + string(n))
	}
	return r
}

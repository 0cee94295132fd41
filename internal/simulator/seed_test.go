package simulator

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
)

// some of everything.
func someOptions(seed uint64, n int) Options {
	return Options{
		Seed: seed, Deals: n, Persons: n, Organizations: n, Activities: n, Products: n, Leads: n, Notes: n, Files: n,
		CallLogs: n, Projects: n, Tasks: n, Users: n, Pipelines: n, Stages: n, ActivityTypes: n,
	}
}

func TestSeededRecordsAreTheSameForOneSeed(t *testing.T) {
	t.Parallel()
	a, b, other := New(someOptions(7, 40)), New(someOptions(7, 40)), New(someOptions(8, 40))
	for _, l := range lists {
		assert.Equal(t, a.State(l.name), b.State(l.name), l.name)
	}
	assert.NotEqual(t, a.State("deals"), other.State("deals"))
	assert.Equal(t, a.Token(), b.Token())
	assert.NotEqual(t, a.Token(), other.Token())
	assert.Len(t, a.Token(), 40)
}

func TestSeededRecordsAreJSONWithTimesInTheirOwnFormat(t *testing.T) {
	t.Parallel()
	s := New(someOptions(1, 60))
	for obj, table := range s.tables {
		for i := range table.seeded {
			r := table.at(i)
			body := r.append(nil)
			require.True(t, json.Valid(body), "%s", body)
			assert.Equal(t, r.added, readStamp(gjson.GetBytes(body, obj.added)), obj.name)
			if obj.updated != "" {
				assert.Equal(t, r.updated, readStamp(gjson.GetBytes(body, obj.updated)), obj.name)
			}
			assert.Equal(t, r.id(), gjson.GetBytes(body, "id").String())
			n, ok := s.tableOf(listNamed(obj.name)).seeds.number(obj, r.id())
			assert.True(t, ok)
			assert.Equal(t, r.n, n)
		}
	}
}

func TestSeededDealsAreRealisticInSize(t *testing.T) {
	t.Parallel()
	s := New(Options{Deals: 1000, Persons: 100, Organizations: 100})
	var sum int
	for _, body := range s.State("deals") {
		assert.Greater(t, len(body), 1000)
		assert.Less(t, len(body), 3000)
		sum += len(body)
	}
	assert.InDelta(t, 2000, sum/1000, 250)
}

func TestSeededOrdersCoincideAndHaveTies(t *testing.T) {
	t.Parallel()
	s := New(someOptions(3, 5000))
	for obj, table := range s.tables {
		ties := 0
		for i := 1; i < table.seeded; i++ {
			for o := range orders {
				require.Negative(t, table.at(i-1).place(o).compare(table.at(i).place(o)), "%s %d", obj.name, i)
			}
			if table.at(i).added == table.at(i-1).added {
				ties++
			}
		}
		if obj.layout != layoutMillis {
			assert.Greater(t, ties, 500, obj.name)
		}
		assert.Less(t, table.at(table.seeded-1).added.time(), s.Now())
	}
}

func TestAnAccountIsBornWithoutUpdateTimes(t *testing.T) {
	t.Parallel()
	s := New(Options{Stages: 7, Pipelines: 2})
	for name, born := range map[string]int{"stages": 5, "pipelines": 1} {
		for i, id := range s.IDs(name) {
			body, _ := s.Get(name, id)
			assert.Equal(t, i < born, gjson.GetBytes(body, "update_time").Type == gjson.Null)
		}
	}
}

// Filters compare what the records show, which is whole seconds, whatever the time at which New was called.
func TestSeededTimesAreWholeSeconds(t *testing.T) {
	t.Parallel()
	at := time.Date(2000, 1, 1, 0, 0, 0, 123_456_789, time.UTC)
	o := someOptions(1, 3).withDefaults()
	assert.Zero(t, newSeeds(&o, at).oldest%1000)
	assert.Less(t, newSeeds(&o, at).oldest.time(), at)
}

func TestIDsThatWereNeverMadeAreNotFound(t *testing.T) {
	t.Parallel()
	s := New(someOptions(1, 3))
	for _, name := range []string{"deals", "leads", "call_logs"} {
		for _, id := range []string{"", "0", "-1", "01", "x", "1e3", strings.Repeat("0", 36), strings.Repeat("g", 32)} {
			_, found := s.Get(name, id)
			assert.False(t, found, "%s %q", name, id)
		}
	}
}

// A million records are derived, not stored.
func TestAMillionRecordsCostNothingUntilTheyChange(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	s := New(Options{Deals: 1_000_000, Persons: 1_000_000, Organizations: 1_000_000})
	for i := range 2000 {
		s.Touch("deals", s.tables[s.objects["deals"]].at(i*500).id())
	}
	assert.Less(t, heap()-before, uint64(20<<20), "bytes held by three million records, 2,000 of them changed")
	runtime.KeepAlive(s)
}

// A page deep in the list costs what a page at its beginning costs: it is found, not counted up to.
func TestAPageAtTheEndOfAMillionIsReadWithoutTheRest(t *testing.T) {
	t.Parallel()
	s := New(Options{Deals: 1_000_000})
	table := s.tables[s.objects["deals"]]
	after := table.at(899_999).place(byUpdated)
	deals := listNamed("deals")
	for name, q := range map[string]*query{
		"by cursor": {list: deals, limit: 500, sort: "update_time", from: never, to: never, after: (&query{sort: "update_time"}).positionAt(table.at(899_999))},
		"by time":   {list: deals, limit: 500, sort: "id", from: after.at, to: never},
	} {
		visited := 0
		for r := range table.walk(q.stretch(byUpdated)) {
			if visited++; visited == 1 {
				assert.GreaterOrEqual(t, r.n, int64(899_990), name)
			}
			if visited == 500 {
				break
			}
		}
	}
}

func TestUncoveredSkipsWhatWasWritten(t *testing.T) {
	t.Parallel()
	s := New(Options{Deals: 300})
	table := s.tables[s.objects["deals"]]
	for i := range 300 {
		if i != 5 && i != 200 {
			table.remove(int64(i + 1))
		}
	}
	assert.Equal(t, 5, table.uncovered(0, 300, false))
	assert.Equal(t, 200, table.uncovered(6, 300, false))
	assert.Equal(t, -1, table.uncovered(6, 200, false))
	assert.Equal(t, -1, table.uncovered(201, 300, false))
	assert.Equal(t, 200, table.uncovered(299, 0, true))
	assert.Equal(t, 5, table.uncovered(199, 0, true))
	assert.Equal(t, -1, table.uncovered(199, 6, true))
	assert.Equal(t, -1, table.uncovered(4, 0, true))
}

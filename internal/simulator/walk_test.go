package simulator_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// Whatever was written, a list walked page by page is the state of the list, in the order that was asked for.
func TestWalkIsTheStateInOrder(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 1))
				s := simulator.New(simulator.Options{Seed: seed, Deals: 150, DailyBudget: -1, Burst: -1})
				scramble(s, rng, 200)
				all := s.State("deals")
				for _, sort := range []string{"id", "update_time", "add_time"} {
					for _, direction := range []string{"asc", "desc"} {
						query := url.Values{
							"sort_by": {sort}, "sort_direction": {direction}, "limit": {fmt.Sprint(1 + rng.IntN(60))},
							"status": {"open,won,lost,deleted"},
						}
						rows := walk(t, s, "/api/v2/deals", query, nil)
						require.Len(t, rows, len(all))
						for _, row := range rows {
							require.JSONEq(t, string(all[row.Get("id").String()]), row.Raw)
						}
						assert.True(t, slices.IsSortedFunc(rows, inOrder(sort, direction)), "%s %s", sort, direction)

						since := rows[len(rows)/2].Get("update_time").Str
						query.Del("cursor")
						query.Set("updated_since", since)
						assert.ElementsMatch(t, ids(slices.DeleteFunc(rows, func(r gjson.Result) bool {
							return r.Get("update_time").Str < since
						})), ids(walk(t, s, "/api/v2/deals", query, nil)))
					}
				}
			})
		})
	}
}

func inOrder(sort, direction string) func(a, b gjson.Result) int {
	return func(a, b gjson.Result) int {
		c := cmp.Compare(a.Get("id").Int(), b.Get("id").Int())
		if sort != "id" {
			c = cmp.Or(cmp.Compare(a.Get(sort).Str, b.Get(sort).Str), c)
		}
		if direction == "desc" {
			return -c
		}
		return c
	}
}

// scramble writes n times, at various times.
func scramble(s *simulator.Simulator, rng *rand.Rand, n int) {
	for range n {
		all := s.IDs("deals")
		id := all[rng.IntN(len(all))]
		switch rng.IntN(7) {
		case 0:
			s.Add("deals", nil)
		case 1:
			s.AddMany("deals", 5)
		case 2:
			s.Delete("deals", id)
		case 3:
			s.Archive("deals", id)
		case 4:
			s.Purge("deals", id)
		case 5:
			s.Update("deals", id, simulator.Fields{"add_time": s.Now().Add(-time.Hour)})
		default:
			s.Touch("deals", id)
		}
		if rng.IntN(3) > 0 {
			s.Advance(time.Duration(rng.IntN(3000)) * time.Millisecond)
		}
	}
}

// A record that changes during a walk by update_time moves to its end: seen twice perhaps, never missed.
func TestWalkByUpdateTimeMissesNothingThatMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{Deals: 300, DailyBudget: -1, Burst: -1})
		rng := rand.New(rand.NewPCG(1, 1))
		query := url.Values{"sort_by": {"update_time"}, "limit": {"20"}}
		pages := 0
		rows := walk(t, s, "/api/v2/deals", query, func() {
			if pages++; pages < 10 {
				for range 5 {
					s.Touch("deals", fmt.Sprint(1+rng.IntN(300)))
				}
				s.Advance(time.Second)
			}
		})
		newest := map[string]string{}
		for _, row := range rows {
			newest[row.Get("id").String()] = row.Raw
		}
		for id, want := range s.State("deals") {
			assert.JSONEq(t, string(want), newest[id])
		}
		assert.Greater(t, len(rows), 300)
	})
}

// Every list shows what it holds, with seeded, added and changed records, by its own paging.
func TestEveryListIsItsState(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(130))
	for name := range paths {
		if len(s.IDs(name)) > 0 {
			s.Update(name, s.IDs(name)[7], simulator.Fields{"note": "changed"})
		}
		s.Add(name, nil)
	}
	for name, path := range paths {
		rows := walk(t, s, path, url.Values{}, nil)
		want := s.State(name)
		require.Len(t, rows, len(want), name)
		for _, row := range rows {
			assert.JSONEq(t, string(want[row.Get("id").String()]), row.Raw, name)
		}
	}
}

// Orders in which nothing is kept are walked the same way.
func TestWalkByOtherFields(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(90))
	for _, tc := range []struct{ path, sort string }{
		{"/api/v2/activities", "due_date"},
		{"/api/v2/products", "name"},
		{"/api/v2/stages", "order_nr"},
	} {
		for _, direction := range []string{"asc", "desc"} {
			rows := walk(t, s, tc.path, url.Values{"sort_by": {tc.sort}, "sort_direction": {direction}, "limit": {"7"}}, nil)
			assert.Len(t, slices.Compact(ids(rows)), 90)
			assert.True(t, slices.IsSortedFunc(rows, func(a, b gjson.Result) int {
				c := cmp.Compare(a.Get(tc.sort).String(), b.Get(tc.sort).String())
				if a.Get(tc.sort).Type == gjson.Number {
					c = cmp.Compare(a.Get(tc.sort).Int(), b.Get(tc.sort).Int())
				}
				if c = cmp.Or(c, cmp.Compare(a.Get("id").Int(), b.Get("id").Int())); direction == "desc" {
					return -c
				}
				return c
			}), "%s %s %s", tc.path, tc.sort, direction)
		}
	}
	titles := walk(t, s, "/v1/leads", url.Values{"sort": {"title DESC"}, "limit": {"11"}}, nil)
	assert.Len(t, titles, 90)
	assert.True(t, slices.IsSortedFunc(titles, func(a, b gjson.Result) int {
		return -cmp.Compare(a.Get("title").Str, b.Get("title").Str)
	}))
}

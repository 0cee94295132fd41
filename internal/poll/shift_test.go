package poll_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The first record of a page was met by the walk before, but not on the page before.
func TestARecordOfAnEarlierWalkDoesNotHideAShift(t *testing.T) {
	inWorld(t, simulator.Options{Leads: 1, DailyBudget: plenty, Burst: plenty}, func(t *testing.T, w *world) {
		w.config.PageSize = 50
		w.config.Interval = 5 * time.Minute
		w.config.FullReadInterval = 100 * time.Hour
		w.read("leads")
		w.pass(4*time.Minute + 40*time.Second)
		k1 := w.sim.AddMany("leads", 50)
		w.pass(10 * time.Second)
		k2 := w.sim.AddMany("leads", 20)
		w.pass(30 * time.Second) // the walk at 5m
		require.Len(t, w.news(), 71)
		w.pass(30 * time.Second)
		fresh := w.sim.AddMany("leads", 3)
		w.pass(5 * time.Second)
		for i, id := range k2 {
			w.sim.Update("leads", id, changed(i))
		}
		n := 0
		w.sim.OnRequest(func(r *http.Request) {
			if n++; n == 2 {
				for _, id := range k1[:5] {
					w.sim.Delete("leads", id)
				}
			}
		})
		w.pass(time.Hour)
		came := map[string]bool{}
		for _, c := range w.news() {
			came[c.id] = true
		}
		for _, id := range fresh {
			assert.True(t, came[id], "new lead %s was never handed on", id)
		}
	})
}

func TestTiesWithoutAStableOrderAreReadWithoutALoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{answer: func(r *http.Request, start, limit int) string {
			var rows []string
			for i := range 40 {
				id := i + 1
				if start >= 10 {
					id = 40 - i
				}
				rows = append(rows, fmt.Sprintf(`{"id":"%d","add_time":"1999-01-01T00:00:00Z","update_time":"1999-01-01T00:00:00Z"}`, id))
			}
			return page(rows, start, limit)
		}}
		o, _ := entity.Lookup("leads")
		got, _, done := runStub(t, s, o, 15, 10*time.Minute, &logLines{})
		defer done()
		assert.Greater(t, len(idsOf(got)), 15, "it goes on past the first page")
		assert.Less(t, s.requests, 100)
	})
}

func TestAListThatPromisesMoreAndHasNoneIsNoLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rows []string
		for i := range 10 {
			rows = append(rows, fmt.Sprintf(`{"id":"%d","add_time":"1999-01-01T00:00:00Z","update_time":"1999-01-01T00:00:%02dZ"}`, i, i))
		}
		s := &stub{answer: func(r *http.Request, start, limit int) string {
			if start > 0 {
				return `{"success":true,"data":[],"additional_data":{"pagination":{"start":9,"limit":10,"more_items_in_collection":false}}}`
			}
			return `{"success":true,"data":[` + strings.Join(rows, ",") + `],"additional_data":{"pagination":{"start":0,"limit":10,"more_items_in_collection":true,"next_start":10}}}`
		}}
		o, _ := entity.Lookup("leads")
		got, _, done := runStub(t, s, o, 10, 10*time.Minute, &logLines{})
		defer done()
		assert.Len(t, idsOf(got), 10)
		assert.Less(t, s.requests, 100)
	})
}

func TestAWalkGoesOnWithOtherSettings(t *testing.T) {
	inWorld(t, simulator.Options{Leads: 1000, Deals: 1000, DailyBudget: plenty, Burst: plenty}, func(t *testing.T, w *world) {
		w.config.PageSize = 100
		w.sim.OnRequest(stopAfter(w, 6))
		w.read("leads", "deals")
		w.pass(time.Second)
		w.stop()
		all := w.news()
		w.sim.OnRequest(nil)
		w.sim.Heal()
		for _, id := range w.sim.IDs("leads")[:150] {
			w.sim.Update("leads", id, changed(3))
		}
		w.pass(48 * time.Hour)
		w.config.PageSize = 7
		w.config.Overlap = 10 * time.Minute
		w.read("leads", "deals")
		w.pass(10 * time.Minute)
		all = append(all, w.news()...)
		w.requireCaughtUpButFor("leads", only("leads", all))
		w.requireCaughtUpButFor("deals", only("deals", all))
		assert.Zero(t, repeats(all))
	})
}

func TestAWalkFromTheNewestGoesOnThroughChanges(t *testing.T) {
	inWorld(t, simulator.Options{Files: 450, DailyBudget: plenty, Burst: plenty}, func(t *testing.T, w *world) {
		w.config.PageSize = 20
		var all []change
		for range 8 {
			w.sim.Heal()
			w.sim.OnRequest(stopAfter(w, 4))
			w.read("files")
			w.pass(time.Second)
			w.stop()
			all = append(all, w.news()...)
			ids := w.sim.IDs("files")
			w.sim.Update("files", ids[0], changed(1))
			w.sim.Delete("files", ids[len(ids)-3])
			w.sim.Add("files", changed(2))
			w.pass(time.Hour)
		}
		w.sim.OnRequest(nil)
		w.sim.Heal()
		w.read("files")
		w.pass(2 * time.Hour)
		all = append(all, w.news()...)
		w.requireCaughtUpButFor("files", all)
	})
}

// Calls come as they were logged, and one may be logged a week late. As the last one of a page it must not hide what
// the next page begins with.
func TestALateCallAtTheEndOfAPageHidesNone(t *testing.T) {
	for _, late := range []int{48, 49, 50} {
		synctest.Test(t, func(t *testing.T) {
			var rows []string
			for i := range 120 {
				at := time.Date(1999, 12, 1, 12, 0, 0, 0, time.UTC).Add(-time.Duration(i) * time.Minute)
				if i == late {
					at = at.Add(-7 * 24 * time.Hour)
				}
				rows = append(rows, fmt.Sprintf(`{"id":"call-%d","start_time":"%s"}`, i, at.Format("2006-01-02T15:04:05.000Z")))
			}
			s := &stub{answer: func(_ *http.Request, start, limit int) string { return page(rows, start, limit) }}
			calls, _ := entity.Lookup("call_logs")
			got, _, done := runStub(t, s, calls, 500, time.Minute, &logLines{})
			defer done()
			assert.Len(t, idsOf(got), 120)
			assert.Len(t, got, 120)
		})
	}
}

package poll_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A record that is updated between the walk and the look of one cycle comes with the next walk.
func TestALookHidesNoUpdate(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 30, DailyBudget: plenty, Burst: plenty}, func(t *testing.T, w *world) {
		w.config.PageSize = 10
		w.read("deals")
		w.pass(13*time.Minute + 50*time.Second)
		w.news()
		ids := w.sim.AddMany("deals", 30)
		done := false
		w.sim.OnRequest(func(r *http.Request) {
			if r.URL.Query().Get("sort_by") == "add_time" && !done {
				done = true
				for _, id := range ids {
					w.sim.Update("deals", id, changed(77))
				}
			}
		})
		w.pass(10 * time.Minute)
		require.True(t, done)
		last := map[string]string{}
		for _, c := range w.news() {
			last[c.id] = c.json
		}
		lost := 0
		for _, id := range ids {
			now, _ := w.sim.Get("deals", id)
			if last[id] != string(now) {
				lost++
			}
		}
		assert.Zero(t, lost, "updates that were never handed on, of 30")
	})
}

func TestTheFirstLookOfAYoungAccountHidesNoUpdate(t *testing.T) {
	inWorld(t, simulator.Options{DailyBudget: plenty, Burst: plenty}, func(t *testing.T, w *world) {
		w.config.FullReadInterval = 2 * time.Minute
		w.read("deals")
		w.pass(50 * time.Second)
		id := w.sim.Add("deals", changed(1))
		done := false
		w.sim.OnRequest(func(r *http.Request) {
			if r.URL.Query().Get("sort_by") == "add_time" && !done {
				done = true
				w.sim.Update("deals", id, changed(77))
			}
		})
		w.pass(20 * time.Minute)
		require.True(t, done)
		w.requireCaughtUpButFor("deals", w.news())
	})
}

func TestARecordWithoutUpdateTimeComesOnceAroundTheFirstWalk(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 3, DailyBudget: plenty, Quirks: simulator.Quirks{NullUpdateTime: true}}, func(t *testing.T, w *world) {
		w.sim.Add("deals", changed(1))
		w.pass(30 * time.Second)
		w.read("deals")
		w.pass(time.Hour)
		assert.Zero(t, repeats(w.news()))
	})
}

func TestRecordsWithoutUpdateTimeComeOnceFromPagesByOffset(t *testing.T) {
	inWorld(t, simulator.Options{Leads: 1, DailyBudget: plenty, Burst: plenty, Quirks: simulator.Quirks{NullUpdateTime: true}}, func(t *testing.T, w *world) {
		w.sim.AddMany("leads", 50)
		w.pass(24 * time.Hour)
		w.config.PageSize = 10
		w.read("leads")
		w.pass(5 * time.Minute)
		came := w.news()
		assert.Len(t, came, 51)
		assert.Zero(t, repeats(came))
	})
}

// The records without an update_time that came before may come again: as what they are, snapshots.
func TestALookReadsToTheEndAfterTheFirstWalkLostItsPlace(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 0, DailyBudget: plenty, Burst: plenty, Quirks: simulator.Quirks{NullUpdateTime: true}}, func(t *testing.T, w *world) {
		w.sim.AddMany("deals", 50) // null update_time
		w.pass(time.Hour)
		w.sim.SetQuirks(func(q *simulator.Quirks) { q.NullUpdateTime = false })
		w.sim.AddMany("deals", 100)
		w.pass(time.Hour)
		w.config.PageSize = 20
		n := 0
		w.sim.OnRequest(func(r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/api/v2/deals") {
				if n++; n == 5 {
					w.sim.FailNext(simulator.BadCursor())
				}
			}
		})
		w.read("deals")
		w.pass(20 * time.Minute)
		came := w.news()
		for _, c := range came {
			assert.Equal(t, poll.Snapshot, c.action)
		}
		w.requireCaughtUp("deals", came)
	})
}

func TestALookThatFailsIsNoOutage(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 30, DailyBudget: plenty, Burst: plenty}, func(t *testing.T, w *world) {
		w.config.PageSize = 10
		w.read("deals")
		w.pass(13*time.Minute + 50*time.Second)
		require.Len(t, w.news(), 30)
		fail := true
		w.sim.OnRequest(func(r *http.Request) {
			if fail && r.URL.Query().Get("sort_by") == "add_time" {
				w.sim.FailNext(simulator.Status(500))
			}
		})
		w.pass(30 * time.Minute)
		assert.NoError(t, w.engine.Reason())
		w.sim.Update("deals", "2", changed(1))
		w.pass(2 * time.Minute)
		assert.Equal(t, []string{"updated deals 2"}, w.lines())
	})
}

// How often is looked does not depend on the clock of this machine, whichever way it is wrong.
func TestLooksKeepTheirIntervalWhateverTheLocalClockSays(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"behind": 3 * time.Hour, "right": 0, "ahead": -3 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, simulator.Options{Deals: 30, DailyBudget: plenty, Burst: plenty, Quirks: simulator.Quirks{NullUpdateTime: true}}, func(t *testing.T, w *world) {
				w.sim.Advance(ahead)
				looks := 0
				w.sim.OnRequest(func(r *http.Request) {
					if r.URL.Query().Get("sort_by") == "add_time" {
						looks++
					}
				})
				w.read("deals")
				w.pass(time.Minute)
				require.Len(t, w.news(), 30)
				made := w.sim.Add("deals", changed(1))
				w.pass(2 * time.Hour)
				assert.Equal(t, []string{"created deals " + made}, w.lines())
				assert.InDelta(t, 8, looks, 1, "one every 15 minutes")
			})
		})
	}
}

// A server that lists what has no update_time last: a walk that lost its place and goes on from the last time can no
// longer see it, so the first look has to, however old it is.
func TestWhatAWalkThatLostItsPlaceCannotSeeIsFoundByTheLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		row := func(id int, updated string) string {
			return fmt.Sprintf(`{"id":%d,"add_time":"1999-01-0%dT00:00:00Z","update_time":%s}`, id, id, updated)
		}
		dated := []string{row(1, `"1999-02-01T00:00:00Z"`), row(2, `"1999-02-02T00:00:00Z"`), row(3, `"1999-02-03T00:00:00Z"`)}
		timeless := []string{row(4, "null"), row(5, "null")}
		list := func(next string, rows ...string) string {
			return `{"success":true,"data":[` + strings.Join(rows, ",") + `],"additional_data":{"next_cursor":` + next + `}}`
		}
		s := &stub{
			status: func(r *http.Request) (int, http.Header) {
				if r.URL.Query().Get("cursor") != "" {
					return http.StatusBadRequest, nil
				}
				return http.StatusOK, nil
			},
			answer: func(r *http.Request, _, _ int) string {
				q := r.URL.Query()
				switch {
				case q.Get("cursor") != "":
					return `{"success":false,"error":"cursor is not valid"}`
				case q.Get("sort_by") == "add_time":
					return list("null", timeless[1], timeless[0], dated[2], dated[1], dated[0])
				case q.Get("updated_since") == "":
					return list(`"abc"`, dated[0], dated[1])
				case q.Get("updated_since") <= "1999-02-02T00:00:00Z":
					return list("null", dated[1], dated[2])
				}
				return list("null")
			},
		}
		deals, _ := entity.Lookup("deals")
		got, _, done := runStub(t, s, deals, 2, time.Hour, &logLines{})
		defer done()
		var came []string
		for _, c := range got {
			came = append(came, c.String())
		}
		assert.ElementsMatch(t, []string{"snapshot deals 1", "snapshot deals 2", "snapshot deals 3", "snapshot deals 4", "snapshot deals 5"}, came)
	})
}

package poll_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// byTimeObjects are those with a time filter: v2 with cursors, v1 with offsets.
var byTimeObjects = []string{"deals", "persons", "organizations", "activities", "products", "leads", "notes"}

func TestFirstWalkHandsOnEveryRecordOnceThenEveryChange(t *testing.T) {
	for _, object := range byTimeObjects {
		t.Run(object, func(t *testing.T) {
			inWorld(t, simulator.Options{Deals: 1200, Persons: 1200, Organizations: 1200, Activities: 1200, Products: 1200, Leads: 1200, Notes: 1200, DailyBudget: plenty},
				func(t *testing.T, w *world) {
					w.read(object)
					w.pass(30 * time.Second)
					first := w.news()
					require.Len(t, first, 1200)
					for _, c := range first {
						require.Equal(t, poll.Snapshot, c.action)
					}
					w.requireCaughtUp(object, first)

					ids := w.sim.IDs(object)
					w.sim.Update(object, ids[3], changed(1))
					made := w.sim.Add(object, changed(2))
					w.pass(time.Minute)
					assert.ElementsMatch(t, []string{"updated " + object + " " + ids[3], "created " + object + " " + made}, w.lines())
					w.pass(10 * time.Minute)
					assert.Empty(t, w.lines(), "nothing changed, nothing is repeated")
					assert.Empty(t, w.log.all())
				})
		})
	}
}

// changed is a new value for a field that every object has.
func changed(n int) simulator.Fields {
	text := fmt.Sprintf("changed %d", n)
	return simulator.Fields{"title": text, "name": text, "subject": text, "content": text}
}

func TestRecordsThatTieInOneSecondAreNeitherLostNorRepeated(t *testing.T) {
	for _, object := range []string{"deals", "leads", "notes"} {
		t.Run(object, func(t *testing.T) {
			inWorld(t, simulator.Options{Deals: 10, Leads: 10, Notes: 10, DailyBudget: plenty}, func(t *testing.T, w *world) {
				w.read(object)
				w.pass(time.Second)
				require.Len(t, w.news(), 10)
				w.sim.AddMany(object, 1500)
				w.pass(5 * time.Minute)
				came := w.news()
				assert.Len(t, came, 1500)
				assert.Zero(t, repeats(came))
			})
		})
	}
}

func TestASecondChangeInTheSameSecondIsSeen(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 1}, func(t *testing.T, w *world) {
		w.read("deals")
		w.pass(59*time.Second + 200*time.Millisecond)
		id := w.sim.IDs("deals")[0]
		require.Len(t, w.news(), 1)
		w.sim.Update("deals", id, changed(1))
		w.pass(time.Second - 100*time.Millisecond) // the second walk has read the first change
		var times []time.Time
		for _, c := range w.news() {
			times = append(times, c.time)
			assert.False(t, c.settled)
		}
		require.Len(t, times, 1)
		again := changed(2)
		again["update_time"] = times[0] // in the same second
		w.sim.Update("deals", id, again)
		w.pass(2 * time.Minute)
		came := w.news()
		require.Len(t, came, 1)
		assert.Equal(t, times[0], came[0].time)
		assert.Contains(t, came[0].json, "changed 2")
	})
}

// A writer changes, adds and deletes between any two pages of the walk.
func TestAWriterMovingRecordsDuringTheWalkHidesNone(t *testing.T) {
	for _, object := range byTimeObjects {
		t.Run(object, func(t *testing.T) {
			inWorld(t, simulator.Options{Deals: 700, Persons: 700, Organizations: 700, Activities: 700, Products: 700, Leads: 700, Notes: 700, DailyBudget: plenty, Burst: plenty},
				func(t *testing.T, w *world) {
					w.config.PageSize = 50
					requests := 0
					w.sim.OnRequest(func(r *http.Request) {
						if requests++; requests > 60 || strings.HasSuffix(r.URL.Path, "/me") {
							return
						}
						ids := w.sim.IDs(object)
						for _, at := range []int{0, 7, 49, len(ids) / 2, len(ids) - 1} {
							w.sim.Update(object, ids[at], changed(requests))
						}
						// Rows that go missing in front of the reader.
						w.sim.Delete(object, ids[1])
						w.sim.Delete(object, ids[20])
						w.sim.Add(object, changed(requests))
					})
					w.read(object)
					w.pass(20 * time.Minute)
					w.requireCaughtUpButFor(object, w.news())
				})
		})
	}
}

// requireCaughtUpButFor is requireCaughtUp for lists that do not show deletions: a copy of a deleted record may be
// the last one that came.
func (w *world) requireCaughtUpButFor(list string, came []change) {
	w.t.Helper()
	last := map[string]string{}
	for _, c := range came {
		last[c.id] = c.json
	}
	for id, record := range w.sim.State(list) {
		require.Equal(w.t, string(record), last[id], "record %s", id)
	}
}

func TestStoppedAnywhereItGoesOnWhereItWas(t *testing.T) {
	for _, object := range []string{"deals", "leads"} {
		t.Run(object, func(t *testing.T) {
			inWorld(t, simulator.Options{Deals: 2000, Leads: 2000, DailyBudget: plenty}, func(t *testing.T, w *world) {
				w.config.PageSize = 100
				var all []change
				for len(all) < 2000 {
					w.sim.Heal()
					w.sim.OnRequest(stopAfter(w, 4))
					w.read(object)
					w.pass(time.Second)
					w.stop()
					came := w.news()
					require.NotEmpty(t, came)
					all = append(all, came...)
				}
				assert.Zero(t, repeats(all), "everything was acknowledged and stored: nothing is repeated")
				w.requireCaughtUp(object, all)
			})
		})
	}
}

// stopAfter makes every request beyond n fail, so that a walk gets no further.
func stopAfter(w *world, n int64) func(*http.Request) {
	var seen atomic.Int64
	return func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/me") {
			return
		}
		if seen.Add(1) == n {
			w.sim.FailAlways(simulator.Status(503).On(r.URL.Path))
		}
	}
}

func TestWhatIsInFlightAtACrashComesAgainAndNothingElse(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 2000, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.config.PageSize = 100
		w.hold = true
		w.read("deals")
		w.pass(time.Second)
		inFlight := w.news()
		require.Len(t, inFlight, 400, "checkpoint_limit pages")
		w.stop()

		w.hold = false
		w.read("deals")
		w.pass(time.Second)
		came := w.news()
		assert.Equal(t, inFlight, came[:400])
		w.requireCaughtUp("deals", came)
	})
}

func TestARefusedCursorRestartsFromTheLastTime(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 2000, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.config.PageSize = 100
		w.sim.OnRequest(stopAfter(w, 6))
		w.read("deals")
		w.pass(time.Second)
		w.stop()
		all := w.news()
		require.Len(t, all, 500)

		w.sim.OnRequest(nil)
		w.sim.Heal()
		w.sim.FailNext(simulator.BadCursor())
		w.read("deals")
		w.pass(time.Minute)
		all = append(all, w.news()...)
		assert.Zero(t, repeats(all))
		w.requireCaughtUp("deals", all)
	})
}

// A cursor that was refused on the first walk may have hidden records without an update_time: the look that follows
// reads to the end.
func TestRecordsWithoutUpdateTimeAreFoundByALook(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 30, DailyBudget: plenty, Quirks: simulator.Quirks{NullUpdateTime: true}}, func(t *testing.T, w *world) {
		w.read("deals")
		w.pass(10 * time.Second)
		require.Len(t, w.news(), 30)
		made := w.sim.Add("deals", changed(1))
		w.pass(16 * time.Minute)
		came := w.news()
		require.Len(t, came, 1, "found by the look, once")
		assert.Equal(t, made, came[0].id)
		assert.Equal(t, poll.Created, came[0].action)
		assert.False(t, came[0].time.IsZero(), "add_time stands in")

		w.sim.Update("deals", made, changed(2))
		w.pass(20 * time.Minute)
		came = w.news()
		require.Len(t, came, 1)
		assert.Equal(t, poll.Updated, came[0].action)
	})
}

func TestActions(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 3, DailyBudget: plenty, Quirks: simulator.Quirks{AddTimeEarlier: true}}, func(t *testing.T, w *world) {
		w.sim.Delete("deals", w.sim.IDs("deals")[0])
		w.read("deals")
		w.pass(10 * time.Second)
		assert.ElementsMatch(t, []string{"snapshot deals 2", "snapshot deals 3", "deleted deals 1"}, w.lines(), "deleted wins over snapshot")

		made := w.sim.Add("deals", changed(1))
		w.pass(time.Minute)
		assert.Equal(t, []string{"created deals " + made}, w.lines())
		w.sim.Update("deals", made, changed(2))
		w.pass(time.Minute)
		assert.Equal(t, []string{"updated deals " + made}, w.lines(), "seen before, however fresh")
		w.sim.Delete("deals", made)
		w.pass(time.Minute)
		assert.Equal(t, []string{"deleted deals " + made}, w.lines())
	})
}

func TestStartFrom(t *testing.T) {
	for _, test := range []struct {
		name  string
		start func(w *world) string
		want  int
	}{
		{"now", func(*world) string { return poll.Now }, 0},
		{"a time", func(w *world) string { return w.sim.Now().Add(-90 * time.Second).UTC().Format(time.RFC3339) }, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, simulator.Options{Deals: 20, Pipelines: 2, DailyBudget: plenty}, func(t *testing.T, w *world) {
				w.pass(time.Hour)
				w.sim.Update("deals", "7", changed(1))
				w.pass(time.Minute)
				w.start = test.start(w)
				w.read("deals", "pipelines")
				w.pass(time.Minute)
				came := w.news()
				require.Len(t, came, test.want)
				for _, c := range came {
					assert.Equal(t, poll.Updated, c.action, "there are no snapshots without a walk from the beginning")
				}
				w.sim.Update("deals", "9", changed(2))
				w.pass(30 * time.Minute)
				assert.Equal(t, []string{"updated deals 9"}, w.lines())
			})
		})
	}
}

func TestWithoutADateHeaderTheLocalClockStandsIn(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 5, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.sim.HideHeaders("Date")
		w.read("deals")
		w.pass(5 * time.Minute)
		require.Len(t, w.news(), 5)
		w.sim.Update("deals", "2", changed(1))
		w.pass(10 * time.Minute)
		assert.Equal(t, []string{"updated deals 2"}, w.lines())
		require.Len(t, w.log.all(), 1, "one warning")
		assert.Contains(t, w.log.all()[0], "no Date header")
	})
}

// The doubled overlap makes up for a local clock that is ahead by more than one.
func TestWithoutADateHeaderAClockThatIsAheadHidesNoChange(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 5, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.sim.HideHeaders("Date")
		w.sim.Advance(-90 * time.Second)
		w.read("deals")
		w.pass(61 * time.Second)
		require.Len(t, w.news(), 5)
		w.sim.Update("deals", "2", changed(1))
		w.pass(10 * time.Minute)
		assert.Equal(t, []string{"updated deals 2"}, w.lines())
	})
}

func TestArchivedDealsAreRecordsOfTheSameKind(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 5, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.read("deals", "deals_archived")
		w.pass(5 * time.Second)
		require.Len(t, w.news(), 5)
		w.sim.Archive("deals", "3")
		w.pass(2 * time.Minute)
		assert.Equal(t, []string{"updated deals_archived 3"}, w.lines())
		w.sim.Delete("deals_archived", "3")
		w.pass(2 * time.Minute)
		assert.Equal(t, []string{"deleted deals_archived 3"}, w.lines())
	})
}

func TestAnOverlapMayHaveAFraction(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 5, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.config.Overlap = 1500 * time.Millisecond
		w.config.Interval = time.Second
		w.read("deals")
		w.pass(10 * time.Second)
		w.news()
		for i := range 10 {
			w.sim.Update("deals", "2", changed(i))
			w.pass(5 * time.Second)
		}
		assert.Zero(t, repeats(w.news()))
	})
}

// An answer tells of the moment of the question, and its Date of the moment when it was written: what changed in
// between lies before an overlap that is shorter than the answer is slow.
func TestASlowAnswerHidesNoChange(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 5, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.config.Overlap = 5 * time.Second
		w.sim.FailAlways(simulator.Slow(25 * time.Second).On("/api/v2/deals"))
		w.read("deals")
		w.pass(59 * time.Second)
		require.Len(t, w.news(), 5)
		w.pass(11 * time.Second) // the second walk has asked, and has no answer yet
		w.sim.Update("deals", "3", changed(1))
		w.pass(10 * time.Minute)
		assert.Equal(t, []string{"updated deals 3"}, w.lines())
	})
}

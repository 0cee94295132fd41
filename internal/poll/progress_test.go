package poll_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// listener keeps what the engine tells about first walks.
type listener struct {
	nobody
	mu   sync.Mutex
	told map[string][]poll.Progress
}

func (l *listener) FirstWalk(object string, p poll.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.told == nil {
		l.told = map[string][]poll.Progress{}
	}
	l.told[object] = append(l.told[object], p)
}

func (l *listener) heard(object string) []poll.Progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]poll.Progress(nil), l.told[object]...)
}

// slowly makes each list request take a while, so that a walk has a speed.
func slowly(w *world, each time.Duration) {
	w.sim.FailAlways(simulator.Slow(each).On("/api/v2"))
	w.sim.FailAlways(simulator.Slow(each).On("/v1/"))
}

func TestAFirstWalkTellsAfterEachPageHowFarItIs(t *testing.T) {
	for _, object := range []string{"deals", "leads", "notes", "files", "tasks"} {
		t.Run(object, func(t *testing.T) {
			inWorld(t, simulator.Options{Deals: 1200, Leads: 1200, Notes: 1200, Files: 1200, Tasks: 1200, DailyBudget: plenty}, func(t *testing.T, w *world) {
				w.config.PageSize = 100
				w.read(object)
				w.pass(30 * time.Second)
				told := w.listener.heard(object)
				require.Len(t, told, int(told[len(told)-1].Pages)+1+ends(object), "at the start, and after each page")
				assert.Equal(t, poll.Progress{}, told[0])
				for i, p := range told[1:] {
					assert.GreaterOrEqual(t, p.Records, told[i].Records)
					assert.Equal(t, i == len(told)-2, p.Done)
				}
				assert.Equal(t, poll.Progress{Records: 1200, Pages: told[len(told)-1].Pages, Done: true}, told[len(told)-1])

				w.sim.AddMany(object, 150)
				w.pass(30 * time.Minute)
				require.Len(t, w.news(), 1350)
				assert.Len(t, w.listener.heard(object), len(told), "afterwards nothing is told")
			})
		})
	}
}

// ends is how often the end of a first walk is told apart from its last page: a full read goes on behind it.
func ends(object string) int {
	if object == "tasks" {
		return 1
	}
	return 0
}

// The records of the account were changed one after the other, up to now. So the part of the time that was read is the
// part of the records, and the estimate of the end is right.
func TestTheEndIsEstimatedAlongUpdateTime(t *testing.T) {
	for _, object := range []string{"deals", "leads"} {
		t.Run(object, func(t *testing.T) {
			inWorld(t, simulator.Options{Deals: 2000, Leads: 2000, DailyBudget: plenty}, func(t *testing.T, w *world) {
				spread(w, object, 2000)
				slowly(w, 10*time.Second)
				w.config.PageSize = 101 // leads read the last record of a page again
				w.read(object)
				w.pass(65 * time.Second) // six pages of twenty
				told := w.listener.heard(object)
				last := told[len(told)-1]
				assert.EqualValues(t, 6, last.Pages)
				assert.InDelta(t, 0.3, last.Part, 0.02)
				assert.InDelta(t, 140, last.Left.Seconds(), 15)
				assert.False(t, last.Short)
			})
		})
	}
}

// spread changes the first n records of an object an hour apart, the last of them now.
func spread(w *world, object string, n int) {
	for i, id := range w.sim.IDs(object)[:n] {
		w.sim.Update(object, id, simulator.Fields{"update_time": w.sim.Now().Add(time.Duration(i-n+1) * time.Hour)})
	}
}

func TestAResumedFirstWalkGoesOnCounting(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 2000, DailyBudget: plenty}, func(t *testing.T, w *world) {
		spread(w, "deals", 2000)
		slowly(w, 10*time.Second)
		w.config.PageSize = 100
		w.read("deals")
		w.pass(65 * time.Second)
		w.stop()
		w.pass(10 * time.Hour) // which are no work, and move no end
		w.listener.told = nil
		w.read("deals")
		w.pass(45 * time.Second)
		told := w.listener.heard("deals")
		assert.EqualValues(t, 600, told[0].Records, "what was read before")
		assert.EqualValues(t, 6, told[0].Pages)
		last := told[len(told)-1]
		assert.EqualValues(t, 1000, last.Records)
		assert.EqualValues(t, 10, last.Pages)
		assert.InDelta(t, 0.5, last.Part, 0.02)
		assert.InDelta(t, 100, last.Left.Seconds(), 10)
	})
}

// A cursor that Pipedrive no longer takes sends the walk back to the last second that it read, not to the beginning.
func TestAFirstWalkThatLosesItsPlaceGoesOnCounting(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 2000, DailyBudget: plenty}, func(t *testing.T, w *world) {
		spread(w, "deals", 2000)
		w.config.PageSize = 100
		requests := 0
		w.sim.OnRequest(func(*http.Request) {
			if requests++; requests == 11 {
				w.sim.FailNext(simulator.BadCursor())
			}
		})
		w.read("deals")
		w.pass(time.Minute)
		told := w.listener.heard("deals")
		for i, p := range told[1 : len(told)-1] {
			assert.Greater(t, p.Records, told[i].Records)
			assert.Greater(t, p.Part, told[i].Part)
		}
		last := told[len(told)-1]
		assert.True(t, last.Done)
		assert.EqualValues(t, 2001, last.Records, "one was read twice")
		assert.Len(t, w.news(), 2000)
	})
}

func TestAPauseInAFirstWalkIsNoWork(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 2000, DailyBudget: plenty}, func(t *testing.T, w *world) {
		spread(w, "deals", 2000)
		slowly(w, 10*time.Second)
		w.config.PageSize = 100
		requests := 0
		w.sim.OnRequest(func(r *http.Request) {
			if requests++; requests == 5 {
				w.sim.FailNext(simulator.Status(http.StatusServiceUnavailable).On(r.URL.Path))
			}
		})
		w.read("deals")
		w.pass(80 * time.Second)
		told := w.listener.heard("deals")
		last := told[len(told)-1]
		require.Positive(t, last.Part)
		// A page takes ten seconds, whatever lay between them.
		assert.InDelta(t, 10*(20-float64(last.Pages)), last.Left.Seconds(), 25)
	})
}

func TestNothingIsEstimatedWithoutAnOrderOrAnEnd(t *testing.T) {
	for _, object := range []string{"tasks", "files"} { // read in full; from the newest, down to nobody knows where
		t.Run(object, func(t *testing.T) {
			inWorld(t, simulator.Options{Files: 1000, Tasks: 1000, DailyBudget: plenty}, func(t *testing.T, w *world) {
				w.config.PageSize = 100
				w.read(object)
				w.pass(time.Minute)
				told := w.listener.heard(object)
				require.Greater(t, len(told), 5)
				for _, p := range told {
					assert.Zero(t, p.Part)
					assert.Zero(t, p.Left)
				}
			})
		})
	}
}

func TestNothingIsEstimatedOnceAListProvesDisorderly(t *testing.T) {
	inWorld(t, simulator.Options{CallLogs: 300, DailyBudget: plenty, Quirks: simulator.Quirks{OldestCallsFirst: true}}, func(t *testing.T, w *world) {
		w.start = w.sim.Now().Add(-10 * 365 * 24 * time.Hour).Format(time.RFC3339)
		w.read("call_logs")
		w.pass(time.Minute)
		told := w.listener.heard("call_logs")
		require.Greater(t, len(told), 5)
		for _, p := range told {
			assert.Zero(t, p.Part)
			assert.Zero(t, p.Left)
		}
	})
}

func TestFromATimeOnTheEndOfANewestFirstWalkIsEstimated(t *testing.T) {
	inWorld(t, simulator.Options{Files: 1000, DailyBudget: plenty}, func(t *testing.T, w *world) {
		spread(w, "files", 1000)
		slowly(w, 10*time.Second)
		w.config.PageSize = 100
		w.start = w.sim.Now().Add(-800 * time.Hour).Format(time.RFC3339)
		w.read("files")
		w.pass(45 * time.Second)
		told := w.listener.heard("files")
		last := told[len(told)-1]
		assert.InDelta(t, 0.5, last.Part, 0.02)
		assert.InDelta(t, 40, last.Left.Seconds(), 5)
	})
}

func TestWhatTheTokensDoNotSufficeForEndsAfterTheirReset(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 2000, DailyBudget: 200}, func(t *testing.T, w *world) {
		spread(w, "deals", 2000)
		w.share = 0.5 // of which each page takes 10
		w.config.PageSize = 100
		w.read("deals")
		w.pass(30 * time.Second)
		told := w.listener.heard("deals")
		last := told[len(told)-1]
		assert.True(t, last.Short)
		assert.GreaterOrEqual(t, last.Left, 23*time.Hour, "the day began at midnight")

		w.pass(72 * time.Hour)
		told = w.listener.heard("deals")
		assert.Equal(t, poll.Progress{Records: 2000, Pages: 20, Done: true}, told[len(told)-1])
	})
}

package poll_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/stretchr/testify/assert"
)

func TestACursorRefusedAgainAndAgainIsNoHotLoop(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 30, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.config.PageSize = 10
		w.read("deals")
		w.pass(13*time.Minute + 50*time.Second)
		w.news()
		w.sim.AddMany("deals", 30)
		w.sim.OnRequest(func(r *http.Request) {
			if r.URL.Query().Get("sort_by") == "add_time" && r.URL.Query().Has("cursor") {
				w.sim.FailNext(simulator.BadCursor())
			}
		})
		w.pass(30 * time.Second)
		before := len(w.sim.Requests())
		w.pass(10 * time.Minute)
		assert.Less(t, len(w.sim.Requests())-before, 100, "requests in ten minutes")
	})
}

func TestAnEndlessBurstLimitIsSaid(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 5, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.sim.FailAlways(simulator.Burst429().On("/api/v2"))
		w.read("deals")
		w.pass(3 * time.Hour)
		assert.True(t, w.engine.Reason() != nil || len(w.log.all()) > 0, "3 hours without a record: no log line, not down")
	})
}

func TestFailuresBetweenAnswersAreNoOutage(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 400, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.config.PageSize = 2
		n := 0
		w.sim.OnRequest(func(r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/api/v2/deals") {
				if n++; n%50 == 0 {
					w.sim.FailNext(simulator.Status(502))
				}
			}
		})
		w.read("deals")
		w.pass(5 * time.Minute)
		assert.NoError(t, w.engine.Reason(), "every 50th request fails, 49 of 50 are answered")
	})
}

// A list of one record is answered, the page that the walk needs is not.
func TestAPageThatAlwaysFailsIsNoHotLoop(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 2000, DailyBudget: 150_000}, func(t *testing.T, w *world) {
		w.config.PageSize = 100
		w.share = 0.5
		n := 0
		w.sim.OnRequest(func(r *http.Request) {
			if r.URL.Query().Has("cursor") {
				if n++; n > 6 {
					w.sim.FailNext(simulator.Status(504))
				}
			}
		})
		w.read("deals")
		defer w.reviving()()
		before := len(w.sim.Requests())
		w.pass(time.Hour)
		assert.Less(t, len(w.sim.Requests())-before, 400)
	})
}

func TestAnObjectThatIsReadKeepsTheSourceUp(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 40000, Persons: 5, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.config.PageSize = 5
		w.sim.FailNext(simulator.Status(502).On("/api/v2/deals").Times(3))
		w.read("deals", "persons")
		w.pass(30 * time.Second)
		w.news()
		w.sim.DenyScope("persons")
		w.pass(45 * time.Second)
		w.news()
		w.pass(5 * time.Second)
		assert.NotEmpty(t, w.news(), "deals are being read this moment")
		assert.NoError(t, w.engine.Reason())
	})
}

func TestAnErrorThatAsksForADayIsNotSleptOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{
			answer: func(r *http.Request, start, limit int) string { return `{"success":false,"error":"maintenance"}` },
			status: func(*http.Request) (int, http.Header) { return 503, http.Header{"Retry-After": {"86400"}} },
		}
		o, _ := entity.Lookup("deals")
		log := &logLines{}
		_, e, done := runStub(t, s, o, 10, 23*time.Hour, log)
		defer done()
		assert.Error(t, e.Reason(), "nothing was read for 23 hours")
	})
}

func TestAskingWhatIsForbiddenSparesTheBudget(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 5, DailyBudget: 30_000}, func(t *testing.T, w *world) {
		w.share = 0.5
		w.sim.DenyScope("deals")
		w.read("deals")
		defer w.reviving()()
		before := w.sim.TokensSpent()
		w.pass(23 * time.Hour)
		assert.Less(t, w.sim.TokensSpent()-before, 5000)
		w.sim.GrantScope("deals")
		w.pass(16 * time.Minute)
		assert.Len(t, w.news(), 5)
	})
}

package poll_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

func TestAnIdleCycleCostsOneListRequest(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 1000, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.config.FullReadInterval = 100 * time.Hour // no look in between
		w.read("deals")
		w.pass(30 * time.Second)
		require.Len(t, w.news(), 1000)
		w.pass(2 * time.Minute)

		before := w.sim.TokensSpent()
		w.pass(10 * time.Minute)
		assert.Equal(t, 10*10, w.sim.TokensSpent()-before, "ten cycles of 10 tokens")

		// A bulk edit of 1,500 fills three pages. Its cycles cost three requests while it lies in the overlap.
		w.sim.AddMany("deals", 1500)
		w.pass(3 * time.Minute)
		require.Len(t, w.news(), 1500)
		before = w.sim.TokensSpent()
		w.pass(10 * time.Minute)
		assert.Equal(t, 10*10, w.sim.TokensSpent()-before, "idle again, one request a cycle")
	})
}

func TestABulkEditCostsThePagesItFills(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 10, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.config.FullReadInterval = 100 * time.Hour
		w.read("deals")
		w.pass(150 * time.Second)
		before := w.sim.TokensSpent()
		w.sim.AddMany("deals", 1499)
		w.pass(3 * time.Minute)
		// 1,499 changes fill three pages. Two cycles begin within overlap of them, then one is idle.
		assert.LessOrEqual(t, w.sim.TokensSpent()-before, int((2*3+1)*10))
		assert.Len(t, w.news(), 10+1499)
	})
}

// The smallest plan: 30,000 tokens a day, half of it ours. Three objects every minute would cost 43,200.
func TestTheShareLastsTheDay(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 50, Persons: 50, Organizations: 50, DailyBudget: 30_000}, func(t *testing.T, w *world) {
		w.share = 0.5
		w.read("deals", "persons", "organizations")
		began := w.sim.Now()
		spent := w.sim.TokensSpent()
		asked := map[int]int{}
		for hour := range 24 {
			before := len(w.sim.Requests())
			w.pass(time.Hour)
			asked[hour] = len(w.sim.Requests()) - before
		}
		require.Equal(t, 24*time.Hour, w.sim.Now().Sub(began))
		total := w.sim.TokensSpent() - spent
		assert.LessOrEqual(t, total, int(15_000+100), "half of the budget")
		assert.Greater(t, total, int(13_000), "and the share is used")
		for hour, n := range asked {
			assert.Greater(t, n, 20, "reading goes on in hour %d", hour)
		}
		require.NotEmpty(t, w.log.all())
		assert.Contains(t, w.log.all()[0], "daily_token_share")
		assert.Len(t, w.log.all(), 1, "told once")
	})
}

// A first walk that needs more than the share goes on the next day, and nobody else's tokens are touched.
func TestAFirstWalkLargerThanTheShareTakesDays(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 20_000, DailyBudget: 400}, func(t *testing.T, w *world) {
		w.share = 0.5
		w.read("deals")
		w.pass(time.Hour)
		came := w.news()
		assert.NotEmpty(t, came)
		assert.LessOrEqual(t, w.sim.TokensSpent(), int(200))
		require.NoError(t, w.engine.Reason(), "one's own limit is no outage")
		for range 4 {
			w.pass(24 * time.Hour)
			came = append(came, w.news()...)
		}
		w.requireCaughtUp("deals", came)
	})
}

func TestASpentCompanyBudgetIsWaitedFor(t *testing.T) {
	for _, test := range []struct {
		name   string
		quirks simulator.Quirks
		most   int // requests until the reset
	}{
		{"until Retry-After", simulator.Quirks{}, 4},
		{"probing when nobody says when", simulator.Quirks{NoRetryAfter: true}, 100},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, simulator.Options{Deals: 5, Quirks: test.quirks}, func(t *testing.T, w *world) {
				w.read("deals")
				defer w.reviving()()
				w.pass(10 * time.Minute)
				w.news()
				w.sim.Spend(150_000)
				before := len(w.sim.Requests())
				w.sim.Update("deals", "2", changed(1))
				w.pass(2 * time.Minute)
				require.Error(t, w.engine.Reason())
				midnight := w.sim.Now().Truncate(24 * time.Hour).Add(24 * time.Hour)
				w.pass(midnight.Sub(w.sim.Now()) - time.Minute)
				assert.LessOrEqual(t, len(w.sim.Requests())-before, test.most)
				w.pass(20 * time.Minute)
				assert.Equal(t, []string{"updated deals 2"}, w.lines())
				assert.NoError(t, w.engine.Reason())
			})
		})
	}
}

func TestALargeFirstWalkLeavesTokensToTheOthers(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 20000, Persons: 5, DailyBudget: 400}, func(t *testing.T, w *world) {
		w.config.PageSize = 100
		w.share = 0.5
		w.read("deals", "persons")
		w.pass(time.Hour)
		assert.Greater(t, len(w.news()), 600, "its own half is spent at once")
		made := w.sim.Add("persons", changed(1))
		w.pass(20 * time.Hour) // the budget day is not over
		assert.Contains(t, w.lines(), "created persons "+made)
	})
}

// What a day is said to cost is what it costs when nothing changes.
func TestAnIdleDayCostsWhatItIsSaidTo(t *testing.T) {
	for _, object := range []string{"deals", "leads", "files", "users", "pipelines"} {
		t.Run(object, func(t *testing.T) {
			inWorld(t, simulator.Options{Deals: 20, Leads: 20, Files: 20, DailyBudget: plenty}, func(t *testing.T, w *world) {
				w.config.Interval = 5 * time.Minute
				w.read(object)
				w.pass(time.Hour) // the first walk, and the first look
				before := w.sim.TokensSpent()
				w.pass(24 * time.Hour)
				row, _ := entity.Lookup(object)
				said := poll.IdleDay(&row, w.config.Interval, w.config.FullReadInterval)
				assert.InEpsilon(t, said, w.sim.TokensSpent()-before, 0.03)
			})
		})
	}
}

package poll_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// lively is an account in which the polled objects change all the time the test runs.
var lively = simulator.Options{Deals: 900, Persons: 300, DailyBudget: plenty}

// Each fault strikes again and again in the middle of walks; afterwards everything has come.
func TestNoFaultLosesARecord(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault simulator.Fault
	}{
		{"500", simulator.Status(500)},
		{"502", simulator.Status(502)},
		{"503", simulator.Status(503)},
		{"504", simulator.Status(504)},
		{"a burst 429", simulator.Burst429()},
		{"a daily 429", simulator.Daily429()},
		{"a Cloudflare page", simulator.Cloudflare403()},
		{"truncated JSON", simulator.Truncated()},
		{"an empty 200", simulator.Empty()},
		{"success false with 200", simulator.Unsuccessful()},
		{"a connection reset", simulator.Reset()},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, lively, func(t *testing.T, w *world) {
				w.config.PageSize = 100
				w.read("deals", "persons")
				stop := w.reviving()
				defer stop()
				var all []change
				for i := range 8 {
					w.sim.FailNext(test.fault)
					w.sim.FailNext(test.fault.On("/api/v2/persons"))
					w.sim.Update("deals", w.sim.IDs("deals")[i], changed(i))
					w.pass(time.Hour)
					all = append(all, w.news()...)
				}
				w.sim.Heal()
				w.pass(25 * time.Hour) // past the end of a budget day
				all = append(all, w.news()...)
				w.requireCaughtUp("deals", only("deals", all))
				w.requireCaughtUp("persons", only("persons", all))
				assert.Less(t, len(w.sim.Requests()), 35*60*2*2, "no hot loop")
			})
		})
	}
}

func only(object string, came []change) []change {
	var some []change
	for _, c := range came {
		if c.object == object {
			some = append(some, c)
		}
	}
	return some
}

// reviving plays the host: it connects again, with a back-off, whenever the source is down.
func (w *world) reviving() (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-w.engine.Down():
			}
			for w.engine.Revive(w.t.Context()) != nil {
				select {
				case <-time.After(30 * time.Second):
				case <-done:
					return
				}
			}
		}
	}()
	return func() { close(done); <-ended }
}

func TestARefusedCredentialStopsEverythingAtOnce(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 5, Persons: 5}, func(t *testing.T, w *world) {
		w.read("deals", "persons")
		w.pass(time.Minute)
		w.news()
		token := w.sim.Token()
		w.sim.RevokeToken()
		w.pass(2 * time.Minute)
		<-w.engine.Down()
		require.ErrorContains(t, w.engine.Reason(), "401")
		assert.NotContains(t, w.engine.Reason().Error(), token)
		before := len(w.sim.Requests())
		w.pass(24 * time.Hour)
		assert.Equal(t, before, len(w.sim.Requests()), "nothing is read while the source is down")
		require.Error(t, w.engine.Revive(t.Context()))

		w.sim.SetToken(token)
		w.sim.Update("deals", "3", changed(1))
		require.NoError(t, w.engine.Revive(t.Context()))
		w.pass(time.Minute)
		assert.Equal(t, []string{"updated deals 3"}, w.lines())
	})
}

func TestAnObjectThatMayNotBeReadIsOneWarningAndTheOthersFlow(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 5, Persons: 5, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.sim.DenyScope("persons")
		w.read("deals", "persons")
		w.pass(time.Hour)
		assert.Len(t, w.news(), 5)
		assert.NoError(t, w.engine.Reason())
		require.Len(t, w.log.all(), 1)
		assert.Contains(t, w.log.all()[0], "Not reading persons for now")
		assert.Contains(t, w.log.all()[0], "403")
		asked := 0
		for _, r := range w.sim.Requests() {
			if strings.HasSuffix(r.Path, "/persons") {
				asked++
			}
		}
		assert.Equal(t, 5, asked, "at the start, then every full_read_interval")
		w.sim.GrantScope("persons")
		w.pass(16 * time.Minute)
		assert.Len(t, w.news(), 5)
	})
}

// Whoever mends a credential may have mended more than that.
func TestWhatWasForbiddenIsAskedForAsSoonAsTheSourceIsBack(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 5, Persons: 5, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.sim.DenyScope("persons")
		w.read("deals", "persons")
		w.pass(30 * time.Second)
		require.Len(t, w.news(), 5)
		token := w.sim.Token()
		w.sim.RevokeToken()
		w.pass(time.Minute)
		<-w.engine.Down()
		w.sim.GrantScope("persons")
		w.sim.SetToken(token)
		require.NoError(t, w.engine.Revive(t.Context()))
		w.pass(time.Second)
		assert.Len(t, only("persons", w.news()), 5)
	})
}

func TestWhenNothingMayBeReadTheSourceIsDown(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 5, Persons: 5, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.sim.DenyScope("persons")
		w.sim.DenyScope("deals")
		w.read("deals", "persons")
		w.pass(time.Second)
		<-w.engine.Down()
		require.Error(t, w.engine.Revive(t.Context()), "who the credential is can be asked, but no list")
		w.sim.GrantScope("deals")
		w.sim.GrantScope("persons")
		w.pass(15 * time.Minute)
		require.NoError(t, w.engine.Revive(t.Context()))
		w.pass(time.Second)
		assert.Len(t, w.news(), 10)
	})
}

// An hour of failing takes some hundred requests, not thousands, and ends by itself.
func TestAnOutageIsNoHotLoop(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 5, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.sim.FailAlways(simulator.Status(503).On("/api/v2"))
		w.read("deals")
		defer w.reviving()()
		w.pass(time.Hour)
		asked := len(w.sim.Requests())
		assert.Less(t, asked, 300)
		assert.Greater(t, asked, 60, "and it keeps asking")
		w.sim.Heal()
		w.pass(time.Minute)
		assert.Len(t, w.news(), 5)
	})
}

func TestNoURLCarriesTheToken(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 700, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.read("deals", "leads", "users")
		w.pass(time.Hour)
		for _, r := range w.sim.Requests() {
			assert.False(t, strings.Contains(r.Path+r.Query.Encode(), w.sim.Token()))
		}
	})
}

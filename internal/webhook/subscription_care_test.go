package webhook

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

func TestARestartRegistersNothing(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{DailyBudget: 1_000_000}, func(t *testing.T, o *office) {
		for range 5 {
			o.start()
			o.pass(time.Minute)
			o.stop()
		}
		assert.Equal(t, []string{"1 *.*"}, o.hooks())
		assert.Equal(t, []string{"created missing *.*"}, o.done())
		o.told()

		before := o.sim.TokensSpent()
		o.start()
		o.pass(time.Hour - time.Second)
		assert.Equal(t, 12*pipedrive.WebhooksTokens, o.sim.TokensSpent()-before, "a look costs one list")
		assert.Empty(t, o.told(), "normal running is silent")
	})
}

// Whatever happens to a webhook of ours behind our back, it is made anew at the next look, once, and said so.
func TestWhatDriftsIsMadeAnew(t *testing.T) {
	t.Parallel()
	const first = 1_900_001
	for _, test := range []struct {
		name   string
		user   string
		spoil  func(*simulator.Simulator)
		repair string
		line   string
	}{
		{"vanished", "", func(s *simulator.Simulator) { s.Unsubscribe(first) }, "created vanished *.*", "had vanished and was made anew as 1900002"},
		{"banned", "", func(s *simulator.Simulator) { s.Ban(first) }, "recreated inactive *.*", "1900001 of Pipedrive for *.* was made anew as 1900002 because Pipedrive had banned it"},
		{"401", "", func(s *simulator.Simulator) {
			s.SetWebhook(first, func(w *simulator.Webhook) { w.LastDelivery, w.LastStatus = s.Now(), 401 })
		}, "recreated refused *.*", "answered 401"},
		{"another version", "", func(s *simulator.Simulator) {
			s.SetWebhook(first, func(w *simulator.Webhook) { w.Version = "1.0" })
		}, "recreated version *.*", "another version"},
		{"another user", "2", func(s *simulator.Simulator) {
			s.SetWebhook(first, func(w *simulator.Webhook) { w.UserID = 3 })
		}, "recreated user *.*", "another user"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
				o.cfg.UserID = test.user
				o.start()
				o.pass(time.Minute)
				o.told()
				o.done()
				test.spoil(o.sim)
				o.pass(5 * time.Minute)
				assert.Equal(t, []string{"2 *.*"}, o.hooks())
				assert.Equal(t, []string{test.repair}, o.done())
				lines := o.told()
				require.Len(t, lines, 1)
				assert.Contains(t, lines[0], "WARN ")
				assert.Contains(t, lines[0], test.line)
				o.pass(time.Hour)
				assert.Empty(t, o.done())
				assert.Equal(t, 1, o.ordered)
			})
		})
	}
}

func TestWhileTheAPIIsDownItIsAskedAgainEveryInterval(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		o.cfg.CheckInterval = 2 * time.Minute
		o.sim.FailAlways(simulator.Status(503))
		o.start()
		o.pass(21 * time.Minute)
		assert.Len(t, o.sim.Requests(), 11)
		assert.Equal(t, 11, o.failed)
		o.sim.Heal()
		o.sim.FailAlways(simulator.Reset())
		o.pass(20 * time.Minute)
		lines := o.told()
		require.Len(t, lines, 2, "one line a reason")
		assert.Contains(t, lines[0], "WARN Looking after webhooks at Pipedrive, next try in 2m0s: listing webhooks: GET /v1/webhooks: 503")
		assert.Contains(t, lines[0], "Pipedrive is at fault", "what to do about it")
		assert.Contains(t, lines[1], "reset")
		assert.Empty(t, o.hooks())
		o.sim.Heal()
		o.pass(2 * time.Minute)
		assert.Equal(t, []string{"1 *.*"}, o.hooks())
		lines = o.told()
		require.Len(t, lines, 2)
		assert.Equal(t, "INFO Webhooks at Pipedrive are looked after again", lines[1])
		o.sim.FailAlways(simulator.Status(503))
		o.pass(10 * time.Minute)
		assert.Len(t, o.told(), 1, "another outage is news")
	})
}

func TestTheLineOfALookThatFailedEndsWithWhatToDo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		spoil func(*office)
		line  string
	}{
		{"Pipedrive is down", func(o *office) { o.sim.FailAlways(simulator.Status(503)) }, " (server): Pipedrive is at fault: try again later"},
		{"a revoked token", func(o *office) { o.sim.FailAlways(simulator.Status(401)) }, ": the credential was refused: check api_token or oauth2, and that its user may use the API"},
		{"no scope", func(o *office) { o.sim.FailAlways(simulator.Scope403()) }, ": give the user of the credential, or the app, the right to this"},
		{"a URL that is not reached", func(o *office) { o.cfg.URL = "https://api.pipedrive.com/v1/deals" }, "invalid or non-reachable URL: check that Pipedrive reaches public_url from the internet by https, and that it knows each of events"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
				test.spoil(o)
				o.start()
				o.pass(time.Minute)
				lines := o.told()
				require.Len(t, lines, 1)
				assert.True(t, strings.HasPrefix(lines[0], "WARN Looking after webhooks at Pipedrive, next try in 5m0s: "), lines[0])
				assert.True(t, strings.HasSuffix(lines[0], test.line), lines[0])
				assert.Equal(t, 1, strings.Count(lines[0], test.line[strings.LastIndex(test.line, ": "):]), lines[0])
			})
		})
	}
}

func TestARevokedTokenIsNoHotLoop(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		token := o.sim.Token()
		o.sim.RevokeToken()
		o.start()
		o.pass(time.Hour + time.Second)
		assert.Len(t, o.sim.Requests(), 13)
		assert.Len(t, o.told(), 1)
		o.sim.SetToken(token)
		o.pass(5 * time.Minute)
		assert.Equal(t, []string{"1 *.*"}, o.hooks())
	})
}

func TestAShutdownThatRemovesIsBoundedInTime(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		o.cfg.RemoveOnShutdown = true
		o.start()
		o.pass(time.Minute)
		o.told()
		o.sim.FailAlways(simulator.Slow(time.Hour))
		began := time.Now()
		care := o.care[0]
		care.Stop(t.Context())
		assert.Equal(t, farewellLimit, time.Since(began))
		lines := o.told()
		require.Len(t, lines, 1)
		assert.Contains(t, lines[0], "WARN Webhooks stay registered at Pipedrive although remove_on_shutdown is set: ")
		care.Stop(t.Context())
		assert.Equal(t, farewellLimit, time.Since(began), "a second Stop has nothing to do")
		assert.Equal(t, []string{"1 *.*"}, o.hooks())
	})
}

func TestStopInterruptsALook(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		o.sim.FailAlways(simulator.Slow(time.Hour))
		o.start()
		o.pass(time.Second)
		began := time.Now()
		o.stop()
		assert.Zero(t, time.Since(began))
		assert.Empty(t, o.told(), "an orderly end is no error")
	})
}

func TestWhatANewWebhookDoesNotCureIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		o.start()
		o.pass(time.Second)
		for range 12 { // something in front of the door answers 401, whatever is sent
			all := o.sim.Webhooks()
			o.sim.SetWebhook(all[len(all)-1].ID, func(w *simulator.Webhook) { w.LastDelivery, w.LastStatus = o.sim.Now(), 401 })
			o.pass(5 * time.Minute)
		}
		assert.Equal(t, []string{"2 *.*"}, o.hooks())
		lines := o.told()
		require.Len(t, lines, 3)
		assert.Contains(t, lines[2], "WARN Webhook 1900002 of Pipedrive for *.* stays as it is")
		assert.Zero(t, o.ordered)

		for _, id := range []int64{1_900_002, 1_900_003, 1_900_004} {
			o.sim.Ban(id)
			o.pass(5 * time.Minute)
		}
		assert.Equal(t, []string{"5 *.*"}, o.hooks(), "but from a ban it is freed, as often as it takes")
	})
}

// A webhook that still carries a password that was taken away is made anew within seconds of its first refusal, before
// ten of them ban it.
func TestARefusedWebhookIsLookedAtSoon(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		o.cfg.CheckInterval = time.Hour
		o.start()
		o.pass(time.Minute)
		o.done()
		o.sim.SetWebhook(1_900_001, func(w *simulator.Webhook) { w.LastDelivery, w.LastStatus = o.sim.Now(), 401 })
		o.care[0].Refused()
		o.pass(nudgeDelay)
		assert.Equal(t, []string{"2 *.*"}, o.hooks())
		assert.Equal(t, []string{"recreated refused *.*"}, o.done())
	})
}

// Whoever calls himself Pipedrive costs one look more in an interval, not one a knock.
func TestKnocksDoNotSpendTheBudget(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{DailyBudget: 1_000_000}, func(t *testing.T, o *office) {
		o.start()
		o.pass(time.Minute)
		before := len(o.sim.Requests())
		for range 12 * 60 * 60 {
			o.care[0].Refused()
			o.pass(time.Second)
		}
		assert.LessOrEqual(t, len(o.sim.Requests())-before, 2*12*12)
	})
}

// When a password is rotated, a webhook that carries the older one is made anew with the first, once: of replicas that do
// not agree which is the first none may undo what the other did for ever.
func TestAWebhookWithOlderCredentialsIsMadeAnew(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		o.start()
		o.pass(time.Minute)
		o.done()
		o.told()
		care := o.care[0]
		care.Outdated("")
		care.Outdated("77") // somebody else's, who knows our URL and password
		care.Outdated("1900001")
		o.pass(nudgeDelay + 2*time.Second) // which equals are looked for in
		assert.Equal(t, []string{"2 *.*"}, o.hooks())
		assert.Equal(t, []string{"recreated outdated *.*"}, o.done())
		lines := o.told()
		require.Len(t, lines, 1)
		assert.Contains(t, lines[0], "1900001 of Pipedrive for *.* was made anew as 1900002 because it carried credentials that are no longer the first")
		assert.Empty(t, care.outdated, "who is gone is forgotten")

		for range 3 {
			care.Outdated("1900002")
			o.pass(10 * time.Minute)
		}
		assert.Equal(t, []string{"2 *.*"}, o.hooks())
		lines = o.told()
		require.Len(t, lines, 1)
		assert.Contains(t, lines[0], "Webhook 1900002 of Pipedrive for *.* stays as it is")

		o.sim.Unsubscribe(1_900_002)
		theirs := o.sim.Subscribe(simulator.Webhook{Name: ourName, URL: ourURL, Username: "hook", Password: "another"})
		care.Outdated(fmt.Sprint(theirs))
		o.pass(10 * time.Minute)
		assert.Equal(t, []string{"3 *.*"}, o.hooks(), "which the other replica made")
	})
}

func TestWhatWasNeverStartedRemovesNothing(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{}, func(t *testing.T, o *office) {
		o.start()
		o.pass(time.Minute)
		o.stop()
		o.cfg.RemoveOnShutdown = true
		NewSubscriptions(o.cfg).Stop(t.Context())
		assert.Equal(t, []string{"1 *.*"}, o.hooks())
	})
}

// The looks of a day never need more than the budget: they come less often instead.
func TestLooksArePacedByTheBudget(t *testing.T) {
	t.Parallel()
	inOffice(t, simulator.Options{DailyBudget: 500}, func(t *testing.T, o *office) {
		o.start()
		o.pass(3 * 24 * time.Hour)
		assert.Zero(t, o.failed)
		assert.Greater(t, len(o.sim.Requests()), 100)
		for _, r := range o.sim.Requests() {
			assert.Less(t, r.Status, 300)
		}
	})
}

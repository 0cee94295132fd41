package simulator_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

func TestTenFailedFirstTriesBanForHalfAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := everything(40)
		o.SendAtOnce = 1
		s, r := hooked(t, o, simulator.Webhook{})
		s.Subscribe(simulator.Webhook{URL: "https://hooks.example.com/x", Action: "delete"})
		r.answer(500)
		ids := s.IDs("deals")
		for _, id := range ids[:9] {
			s.Touch("deals", id)
		}
		drain(t, s)
		w := s.Webhooks()[0]
		assert.True(t, w.Active)
		assert.Equal(t, 9, w.Failures, "retries do not count")

		var banned time.Time
		s.Touch("deals", "10")
		synctest.Wait()
		banned = s.Now()
		w = s.Webhooks()[0]
		assert.False(t, w.Active)
		assert.Equal(t, banned.Add(30*time.Minute), w.BannedUntil)
		assert.True(t, s.Webhooks()[1].Active, "another webhook does not suffer")
		r.answer(200)
		s.Touch("deals", "11")
		assert.Equal(t, simulator.Lost, last(s).Outcome, "nothing is kept during the ban")
		drain(t, s)
		assert.Equal(t, map[simulator.Outcome]int{simulator.Dropped: 9, simulator.Delivered: 1, simulator.Lost: 1}, outcomes(s),
			"what was tried before the ban is tried again")

		s.Advance(banned.Add(30*time.Minute - time.Second).Sub(s.Now()))
		s.Touch("deals", "12")
		assert.Equal(t, simulator.Lost, last(s).Outcome)
		s.Advance(time.Second)
		w = s.Webhooks()[0]
		assert.True(t, w.Active)
		assert.Zero(t, w.Failures)
		s.Touch("deals", "13")
		drain(t, s)
		assert.Equal(t, simulator.Delivered, last(s).Outcome)
	})
}

func TestBanIsTurnedByQuirks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := everything(4)
		o.Quirks.SuccessResetsBan, o.Quirks.BanStopsRetries = true, true
		s, r := hooked(t, o, simulator.Webhook{})
		id := s.Webhooks()[0].ID
		s.SetWebhook(id, func(w *simulator.Webhook) { w.Failures = 9 })
		s.Touch("deals", "1")
		drain(t, s)
		assert.Zero(t, s.Webhooks()[0].Failures)
		r.answer(500)
		s.Touch("deals", "1")
		synctest.Wait()
		s.Ban(id)
		drain(t, s)
		assert.Equal(t, simulator.Lost, last(s).Outcome)
		assert.Len(t, last(s).Tries, 1)
	})
}

// Events that wait for their turn when the ban begins are lost too: a bulk edit is enough for a receiver that is down.
func TestBulkEditAtADeadReceiver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, r := hooked(t, everything(100), simulator.Webhook{})
		r.answer(503)
		s.BulkUpdate("deals", s.IDs("deals"), simulator.Fields{"value": 1})
		synctest.Wait()
		r.answer(200)
		drain(t, s)
		got := outcomes(s)
		assert.GreaterOrEqual(t, got[simulator.Delivered], 10)
		assert.LessOrEqual(t, got[simulator.Delivered], 18, "ten and those under way")
		assert.Equal(t, 100, got[simulator.Delivered]+got[simulator.Lost])
	})
}

func TestThreeDaysWithoutSuccessRemoveTheWebhook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, r := hooked(t, everything(2), simulator.Webhook{})
		s.Advance(100 * time.Hour) // a quiet webhook stays
		r.answer(500)
		var success time.Time
		for rounds := 0; s.Webhooks()[0].Removed.IsZero(); rounds++ {
			s.Touch("deals", "1")
			synctest.Wait()
			s.Advance(time.Hour)
			drain(t, s)
			require.Less(t, rounds, 200)
			if rounds == 50 { // a success starts the three days anew
				r.answer(200)
				s.Touch("deals", "1")
				drain(t, s)
				r.answer(500)
				success = s.Now()
			}
		}
		w := s.Webhooks()[0]
		assert.Equal(t, success, w.LastSuccess)
		assert.Equal(t, success, w.FailingSince, "the first failure came at once")
		assert.InDelta(t, 72.5, w.Removed.Sub(success).Hours(), 0.6)
		assert.NotEmpty(t, w.RemoveReason)
		assert.False(t, w.Active)
		count := len(s.Deliveries())
		s.Touch("deals", "1")
		assert.Len(t, s.Deliveries(), count, "nothing is meant for it any more")
	})
}

func last(s *simulator.Simulator) simulator.Delivery {
	all := s.Deliveries()
	return all[len(all)-1]
}

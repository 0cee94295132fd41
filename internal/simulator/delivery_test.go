package simulator_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

func TestDrainAndClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, r := hooked(t, everything(2), simulator.Webhook{})
		drain(t, s)
		hang := make(chan struct{})
		s.Deliver(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}))
		s.Touch("deals", "1")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("enough"))
		defer cancel()
		require.EqualError(t, s.Drain(ctx), "enough")
		drained := make(chan error)
		go func() { drained <- s.Drain(t.Context()) }()
		synctest.Wait()
		require.NoError(t, s.Close())
		require.ErrorContains(t, <-drained, "closed")
		require.ErrorContains(t, s.Drain(t.Context()), "closed")
		s.Touch("deals", "2")
		assert.Equal(t, map[simulator.Outcome]int{simulator.Pending: 2}, outcomes(s))
		assert.Empty(t, s.Deliveries()[0].Tries, "a try that Close cut off never was")
		assert.Empty(t, r.all())
		require.NoError(t, s.Close())
	})
}

func TestDeliveryLogIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := everything(3)
		o.DeliveryLog = 5
		s, _ := hooked(t, o, simulator.Webhook{})
		var told []simulator.Delivery
		s.OnDelivery(func(d simulator.Delivery) { told = append(told, d) })
		for range 9 {
			s.Touch("deals", "1")
			drain(t, s)
		}
		assert.Len(t, s.Deliveries(), 5)
		assert.Len(t, told, 9)
		assert.Equal(t, 200, told[8].Tries[0].Status)
		s.ForgetDeliveries()
		assert.Empty(t, s.Deliveries())

		s.SetQuirks(func(q *simulator.Quirks) { q.SendDelay = time.Hour })
		for range 9 {
			s.Touch("deals", "1")
		}
		s.ForgetDeliveries()
		assert.Len(t, s.Deliveries(), 9, "what is pending is never forgotten")
	})
}

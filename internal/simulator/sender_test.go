package simulator_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// afterEach is when the tries of a delivery began, counted from the first.
func afterEach(d simulator.Delivery) []time.Duration {
	var after []time.Duration
	for _, t := range d.Tries {
		after = append(after, t.Time.Sub(d.Tries[0].Time))
	}
	return after
}

func TestHeadersOfADelivery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, r := hooked(t, everything(2), simulator.Webhook{URL: "https://hooks.example.com/pd?k=1", Username: "hook", Password: "geheim"})
		s.Touch("deals", "1")
		drain(t, s)
		require.Len(t, r.got, 1)
		h := r.got[0].header
		assert.Equal(t, "hooks.example.com", r.got[0].host)
		assert.Equal(t, "/pd?k=1", r.got[0].path)
		assert.Equal(t, []string{"Accept", "Accept-Encoding", "Authorization", "Content-Type", "User-Agent"}, sortedNames(h))
		assert.Equal(t, "Pipedrive Webhooks", h.Get("User-Agent"))
		assert.Equal(t, "application/json", h.Get("Content-Type"))
		assert.Equal(t, "Basic aG9vazpnZWhlaW0=", h.Get("Authorization"))
	})
}

func TestRetriesAfter3And30And150Seconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, r := hooked(t, everything(2), simulator.Webhook{})
		s.Subscribe(simulator.Webhook{Version: "1.0", URL: "https://hooks.example.com/1"})
		for _, status := range []int{301, 404, 410, 429, 503} { // a redirect is a failure, and no status means more
			r.answer(status)
			s.ForgetDeliveries()
			begin := len(r.all())
			s.Touch("deals", "1")
			drain(t, s)
			for _, d := range s.Deliveries() {
				assert.Equal(t, simulator.Dropped, d.Outcome)
				assert.Equal(t, []time.Duration{0, 3 * time.Second, 33 * time.Second, 183 * time.Second}, afterEach(d))
				assert.Equal(t, status, d.Tries[3].Status)
			}
			tries := map[string][]string{}
			for _, b := range r.all()[begin:] {
				id := b.Get("meta.webhook_id").Str
				same := strings.NewReplacer(`"attempt":`+b.Get("meta.attempt").Raw, "", `"retry":`+b.Get("retry").Raw, "").Replace(b.Raw)
				assert.Equal(t, int64(len(tries[id])), b.Get("retry").Int()+max(b.Get("meta.attempt").Int()-1, 0))
				tries[id] = append(tries[id], same)
			}
			for _, bodies := range tries {
				require.Len(t, bodies, 4)
				for _, b := range bodies {
					assert.Equal(t, bodies[0], b, "tries differ in their count alone")
				}
			}
		}
	})
}

func TestAnySuccessEndsTheTrying(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, r := hooked(t, everything(2), simulator.Webhook{})
		r.answer(500)
		s.Touch("deals", "1")
		synctest.Wait()
		assert.Equal(t, map[simulator.Outcome]int{simulator.Pending: 1}, outcomes(s))
		assert.Equal(t, 500, s.Webhooks()[0].LastStatus)
		assert.False(t, s.Webhooks()[0].FailingSince.IsZero())
		r.answer(299)
		drain(t, s)
		d := s.Deliveries()[0]
		assert.Equal(t, simulator.Delivered, d.Outcome)
		assert.Len(t, d.Tries, 2)
		w := s.Webhooks()[0]
		assert.Equal(t, 299, w.LastStatus)
		assert.Equal(t, s.Now(), w.LastSuccess)
		assert.True(t, w.FailingSince.IsZero())
		assert.Equal(t, 1, w.Failures, "the ban counter is not reset")
	})
}

// A receiver that hangs is given ten seconds; the next try comes three seconds after that.
func TestAnswerLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := hooked(t, everything(2), simulator.Webhook{})
		var left atomic.Int64
		s.Deliver(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			left.Add(1)
		}))
		s.Touch("deals", "1")
		drain(t, s)
		d := s.Deliveries()[0]
		assert.Equal(t, []time.Duration{0, 13 * time.Second, 53 * time.Second, 213 * time.Second}, afterEach(d))
		require.EqualError(t, d.Tries[0].Err, "no answer within 10s")
		assert.Equal(t, 10*time.Second, d.Tries[0].Took)
		assert.Zero(t, s.Webhooks()[0].LastStatus)
		synctest.Wait()
		assert.EqualValues(t, 4, left.Load(), "the receiver learns that nobody waits")

		s.Deliver(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-time.After(9999 * time.Millisecond) }))
		s.Touch("deals", "1")
		drain(t, s)
		assert.Equal(t, simulator.Delivered, s.Deliveries()[1].Outcome)

		s.Deliver(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
		s.Touch("deals", "1")
		drain(t, s)
		assert.ErrorContains(t, s.Deliveries()[2].Tries[0].Err, "closed the connection")
	})
}

// Retries follow the simulator's clock: Advance makes them due.
func TestAdvanceSendsWhatBecameDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, r := hooked(t, everything(2), simulator.Webhook{})
		r.answer(500)
		s.Touch("deals", "1")
		synctest.Wait()
		begin := time.Now()
		for tries, d := range []time.Duration{2 * time.Second, time.Second, 30 * time.Second, 150 * time.Second} {
			s.Advance(d)
			synctest.Wait()
			assert.Len(t, r.all(), tries+1)
		}
		assert.Zero(t, time.Since(begin))
		assert.Equal(t, map[simulator.Outcome]int{simulator.Dropped: 1}, outcomes(s))
	})
}

func TestEventsOfARecordAreSentInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		run := func(o simulator.Options) (inOrder bool, most int64) {
			s, r := hooked(t, o, simulator.Webhook{})
			var under, peak atomic.Int64
			s.Deliver(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				peak.Store(max(peak.Load(), under.Add(1)))
				defer under.Add(-1)
				<-time.After(time.Duration(req.ContentLength%97) * time.Millisecond)
				r.ServeHTTP(w, req)
			}))
			for i := range 30 {
				for _, id := range s.IDs("deals") {
					s.Update("deals", id, simulator.Fields{"title": strings.Repeat("x", 7*(i+1)%13), "value": i})
				}
			}
			drain(t, s)
			inOrder = true
			next := map[string]int64{}
			for _, b := range r.all() {
				id := b.Get("meta.entity_id").Str
				inOrder = inOrder && b.Get("data.value").Int() == next[id]
				next[id]++
			}
			assert.Equal(t, map[simulator.Outcome]int{simulator.Delivered: 90}, outcomes(s))
			return inOrder, peak.Load()
		}
		inOrder, most := run(simulator.Options{Deals: 3, SendAtOnce: 8})
		assert.True(t, inOrder)
		assert.EqualValues(t, 3, most, "several records at once")
		inOrder, most = run(simulator.Options{Deals: 3, SendAtOnce: 8, Quirks: simulator.Quirks{SendOutOfOrder: true}})
		assert.False(t, inOrder)
		assert.EqualValues(t, 8, most)
	})
}

func TestDuplicatesAndDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := everything(2)
		o.Quirks.SendTwice, o.Quirks.SendDelay = true, time.Minute
		s, r := hooked(t, o, simulator.Webhook{})
		begin := s.Now()
		s.Touch("deals", "1")
		s.Touch("deals", "2")
		synctest.Wait()
		assert.Empty(t, r.all())
		drain(t, s)
		got := r.all()
		require.Len(t, got, 4)
		counts := map[string]int{}
		for _, b := range got {
			counts[b.Raw]++
			assert.Equal(t, begin.Format("2006-01-02T15:04:05.000Z"), b.Get("meta.timestamp").Str)
		}
		assert.Len(t, counts, 2, "the copies are equal")
		assert.Equal(t, time.Minute, s.Now().Sub(begin))
		all := s.Deliveries()
		assert.Equal(t, all[0].EventID, all[1].EventID)
		assert.True(t, all[1].Duplicate)
	})
}

func TestDriftIsPlayed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, r := hooked(t, everything(2), simulator.Webhook{Name: "ours"})
		id := s.Webhooks()[0].ID
		s.SetWebhook(id, func(w *simulator.Webhook) { w.Active = false })
		s.Touch("deals", "1")
		s.Advance(time.Hour)
		s.Touch("deals", "1")
		assert.Equal(t, map[simulator.Outcome]int{simulator.Lost: 2}, outcomes(s), "no ban that ends")
		s.SetWebhook(id, func(w *simulator.Webhook) { w.Active, w.Version = true, "1.0" })
		s.Touch("deals", "1")
		drain(t, s)
		assert.Equal(t, "updated.deal", r.all()[0].Get("event").Str)
		s.Unsubscribe(id)
		s.Touch("deals", "1")
		assert.Len(t, s.Deliveries(), 3)

		other := s.Subscribe(simulator.Webhook{URL: "https://hooks.example.com/x"})
		r.answer(500)
		s.Touch("leads", s.IDs("leads")[0])
		s.SetWebhook(other, func(w *simulator.Webhook) { w.Version = "1.0" })
		drain(t, s)
		assert.Len(t, last(s).Tries, 4, "version 1.0 knows no leads, but this one was begun in 2.0")
		assert.Panics(t, func() { s.Ban(7) })
	})
}

// What handlers do with an answer works in process as on a socket.
func TestHandlersInProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := hooked(t, everything(2), simulator.Webhook{URL: "https://hooks.example.com/a%20b?q=1"})
		s.Deliver(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := http.NewResponseController(w)
			assert.NoError(t, c.SetReadDeadline(time.Now().Add(time.Second)))
			assert.NoError(t, c.SetWriteDeadline(time.Now().Add(time.Second)))
			assert.Equal(t, "/a%20b?q=1", r.RequestURI)
			assert.Positive(t, r.ContentLength)
			w.Header().Set("Retry-After", "1")
			_, err := w.Write([]byte("fine")) // 200 by itself
			assert.NoError(t, err)
			w.WriteHeader(http.StatusTeapot)
		}))
		s.Touch("deals", "1")
		drain(t, s)
		assert.Equal(t, http.StatusOK, s.Deliveries()[0].Tries[0].Status)
	})
}

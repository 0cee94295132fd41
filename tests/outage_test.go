package tests

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// brokenPipeline has an output that nobody answers; a journal may be set.
const brokenPipeline = `
http: { enabled: false }
input:
  pipedrive_webhook:
    address: %s
    credentials: [ { username: hook, password: secret } ]
    journal: { path: %q }
pipeline:
  processors:
    - mapping: root = @pipedrive_object + "/" + @pipedrive_id
output:
  http_client: { url: "http://%s", verb: POST, retries: 1, retry_period: 50ms, max_retry_backoff: 100ms }
`

// runBroken returns the addresses of the door, open, and of its output, where nobody is yet.
func runBroken(t *testing.T, journal string) (door, sink string) {
	t.Helper()
	door, sink = freeAddress(t), freeAddress(t)
	run(t, t.TempDir(), fmt.Sprintf(brokenPipeline, door, journal, sink))
	eventually(t, "the door is open", func() bool {
		status, _ := get("http://" + door + "/healthz")
		return status == http.StatusOK
	})
	return door, sink
}

// An outage of the output costs no event while the journal has room, though it lasts for hours: every webhook is accepted
// at its first try, none of them counts towards a ban, and all are delivered when the output is back.
func TestAnOutageOfTheOutputCostsNoEvent(t *testing.T) {
	const hours, each = 6, 20
	sim := simulator.RunT(t, simulator.Options{Deals: hours * each})
	address, sink := runBroken(t, "state/webhooks.db")
	hook := sim.Subscribe(simulator.Webhook{URL: "http://" + address + "/events/pipedrive", Username: "hook", Password: "secret"})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ids := sim.IDs("deals")
	for hour := range hours {
		for _, id := range ids[hour*each:][:each] {
			sim.Update("deals", id, simulator.Fields{"title": "Changed"})
		}
		require.NoError(t, sim.Drain(ctx))
		sim.Advance(time.Hour)
	}
	require.Len(t, sim.Deliveries(), hours*each)
	for _, d := range sim.Deliveries() {
		assert.Equal(t, simulator.Delivered, d.Outcome)
		assert.Len(t, d.Tries, 1, "accepted at the first try")
	}
	for _, w := range sim.Webhooks() {
		assert.True(t, w.ID != hook || w.Active && w.Failures == 0, "%+v", w)
	}

	var mu sync.Mutex
	came := map[string]bool{}
	receiver := &http.Server{Addr: sink, ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		came[string(body)] = true
	})}
	var serving sync.WaitGroup
	serving.Go(func() { _ = receiver.ListenAndServe() })
	defer serving.Wait()
	defer receiver.Close()
	eventually(t, "all are delivered once the output is back", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(came) == hours*each
	})
}

// Without a journal the same outage bans the webhook after ten events, and what changes during the ban is lost: what the
// page of the input says a refusal costs.
func TestWithoutAJournalAnOutageBansTheWebhook(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 20})
	address, _ := runBroken(t, "")
	hook := sim.Subscribe(simulator.Webhook{URL: "http://" + address + "/events/pipedrive", Username: "hook", Password: "secret"})
	ids := sim.IDs("deals")
	banned := func() bool {
		for _, w := range sim.Webhooks() {
			if w.ID == hook {
				return !w.Active
			}
		}
		return false
	}
	for _, id := range ids[:10] {
		sim.Update("deals", id, simulator.Fields{"title": "Changed"})
	}
	eventually(t, "Pipedrive bans it", banned)
	for _, d := range sim.Deliveries() {
		assert.Equal(t, http.StatusServiceUnavailable, d.Tries[0].Status)
	}
	sim.Update("deals", ids[10], simulator.Fields{"title": "Changed"})
	eventually(t, "and drops what changes meanwhile", func() bool {
		all := sim.Deliveries()
		return all[len(all)-1].Outcome == simulator.Lost
	})
}

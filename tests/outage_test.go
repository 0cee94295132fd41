package tests

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// sinkPipeline sends what each webhook is about; a journal may be set.
const sinkPipeline = `
http: { enabled: false }
logger: { level: NONE }
input:
  pipedrive_webhook:
    address: %s
    credentials: [ { username: hook, password: secret } ]
    journal: { path: %q }
pipeline:
  processors:
    - mapping: root = @pipedrive_object + "/" + @pipedrive_id
output:
  http_client: { url: %q, verb: POST, retries: 1, retry_period: 50ms, max_retry_backoff: 100ms }
`

// sink is an application that is down until it is told.
type sink struct {
	mu   sync.Mutex
	up   bool
	came map[string]bool
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.up {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	s.came[string(body)] = true
}

func (s *sink) comeBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up = true
}

func (s *sink) has() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.came)
}

// runIntoASink returns the address of an open door whose output is down.
func runIntoASink(t *testing.T, journal string) (door string, s *sink) {
	t.Helper()
	s = &sink{came: map[string]bool{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	door = unrest.FreeAddress(t)
	run(t, t.TempDir(), fmt.Sprintf(sinkPipeline, door, journal, server.URL))
	eventually(t, "the door is open", func() bool {
		status, _ := get("http://" + door + "/healthz")
		return status == http.StatusOK
	})
	return door, s
}

// An outage of the output costs no event while the journal has room, though it lasts for hours: every webhook is accepted
// at its first try, none of them counts towards a ban, and all are delivered when the output is back.
func TestAnOutageOfTheOutputCostsNoEvent(t *testing.T) {
	const hours, each = 6, 20
	sim := simulator.RunT(t, simulator.Options{Deals: hours * each})
	address, output := runIntoASink(t, "state/webhooks.db")
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

	output.comeBack()
	// What was refused often is tried again after a minute at most.
	require.Eventually(t, func() bool { return output.has() == hours*each }, 90*time.Second, 10*time.Millisecond, "all are delivered once the output is back")
}

// Without a journal the same outage bans the webhook after ten events, and what changes during the ban is lost: what the
// page of the input says a refusal costs.
func TestWithoutAJournalAnOutageBansTheWebhook(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 20})
	address, _ := runIntoASink(t, "")
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

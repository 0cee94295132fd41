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

// An outage of the output costs no event while the journal has room: every webhook is accepted at its first try, and
// all are delivered when the output is back.
func TestAnOutageOfTheOutputCostsNoEvent(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 100})
	address, sink := freeAddress(t), freeAddress(t)
	run(t, t.TempDir(), fmt.Sprintf(`
http: { enabled: false }
input:
  pipedrive_webhook:
    address: %s
    credentials: [ { username: hook, password: secret } ]
    journal: { path: state/webhooks.db }
pipeline:
  processors:
    - mapping: root = @pipedrive_object + "/" + @pipedrive_id
output:
  http_client: { url: "http://%s", verb: POST, retries: 1, retry_period: 50ms, max_retry_backoff: 100ms }
`, address, sink))
	eventually(t, "the door is open", func() bool {
		status, _ := get("http://" + address + "/healthz")
		return status == http.StatusOK
	})
	sim.Subscribe(simulator.Webhook{URL: "http://" + address + "/events/pipedrive", Username: "hook", Password: "secret"})
	for _, id := range sim.IDs("deals") {
		sim.Update("deals", id, simulator.Fields{"title": "Changed"})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, sim.Drain(ctx))
	require.Len(t, sim.Deliveries(), 100)
	for _, d := range sim.Deliveries() {
		assert.Equal(t, simulator.Delivered, d.Outcome)
		assert.Len(t, d.Tries, 1, "accepted at the first try")
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
		return len(came) == 100
	})
}

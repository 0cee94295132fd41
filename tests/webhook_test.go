package tests

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// hookEvent is the n-th change of a deal.
func hookEvent(deal, n int) []byte {
	return fmt.Appendf(nil, `{"data":{"id":%d,"update_time":"2026-11-20T09:15:00Z"},"previous":{},"meta":{"action":"change","entity":"deal","entity_id":"%d","company_id":"12345","id":"%d-%d","timestamp":"2026-11-20T09:15:00.426Z","version":"2.0","attempt":1}}`,
		deal, deal, deal, n)
}

// hook posts one event; 0 is no answer.
func hook(ctx context.Context, address string, body []byte) int {
	return hookBy(ctx, http.DefaultClient, address, body)
}

func hookBy(ctx context.Context, client *http.Client, address string, body []byte) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/events/pipedrive", bytes.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth("hook", "hunter2")
	res, err := client.Do(req)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// assertAcceptedAtOnce waits until Pipedrive has sent its webhooks, and asserts that it had to send none of them twice.
func assertAcceptedAtOnce(t *testing.T, sim *simulator.Simulator) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, sim.Drain(ctx))
	for _, d := range sim.Deliveries() {
		assert.Equal(t, simulator.Delivered, d.Outcome)
		assert.Len(t, d.Tries, 1, "accepted at the first try")
	}
}

// /ready tells the truth about a door: 503 with the reason while it cannot open, 200 when it has. Metrics tell what comes
// to it and what waits behind it.
func TestADoorIsReadyWhenItIsOpen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	address, management, sink := taken.Addr().String(), unrest.FreeAddress(t), unrest.FreeAddress(t)
	p := run(t, t.TempDir(), fmt.Sprintf(`
http: { address: %s }
input:
  pipedrive_webhook:
    address: %s
    credentials: [ { username: hook, password: "${HOOK_PASSWORD}" } ]
    journal: { path: state/webhooks.db }
output:
  http_client: { url: "http://%s", verb: POST, retries: 1, retry_period: 50ms, max_retry_backoff: 100ms }
`, management, address, sink), "HOOK_PASSWORD=hunter2")
	said := ""
	eventually(t, "it is not ready, and says why", func() bool {
		var status int
		status, said = get("http://" + management + "/ready")
		return status == http.StatusServiceUnavailable && strings.Contains(said, "another process or program holds the address")
	})
	require.NoError(t, taken.Close())
	eventually(t, "it gets ready", func() bool {
		status, _ := get("http://" + management + "/ready")
		return status == http.StatusOK
	})

	for body, want := range map[string]int{string(hookEvent(1, 1)): http.StatusOK, "{}": http.StatusBadRequest} {
		require.Equal(t, want, hook(t.Context(), address, []byte(body)))
	}
	require.Equal(t, http.StatusOK, hook(t.Context(), address, hookEvent(1, 1)), "a duplicate")
	status, _ := get("http://" + address + "/events/pipedrive")
	require.Equal(t, http.StatusUnauthorized, status)
	labels := `{label="",path="root.input"} `
	for _, line := range []string{
		`pipedrive_webhook_requests_total{label="",path="root.input",result="accepted"} 1`,
		`pipedrive_webhook_requests_total{label="",path="root.input",result="duplicate"} 1`,
		`pipedrive_webhook_requests_total{label="",path="root.input",result="bad_frame"} 1`,
		`pipedrive_webhook_requests_total{label="",path="root.input",result="unauthorized"} 1`,
		"pipedrive_webhook_duplicates_total" + labels + "1",
		"pipedrive_webhook_accept_latency_ns_count" + labels + "1",
		"pipedrive_journal_pending" + labels + "1",
		"pipedrive_journal_stuck" + labels + "1",
		"pipedrive_journal_bytes" + labels,
	} {
		eventually(t, line, func() bool {
			_, metrics := get("http://" + management + "/metrics")
			return strings.Contains(metrics, line)
		})
	}
	assert.NotContains(t, p.stop(), "hunter2")
}

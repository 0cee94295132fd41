package tests

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/attack"
	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// Slow-loris, 200 MB bodies, gzip bombs, deep JSON, malformed bodies, wrong passwords by the thousand, all at once:
// memory stays flat, good clients are served, and a connection that has carried a webhook before is still there for the
// next one.
func TestWebhookUnderAttackServesGoodClients(t *testing.T) {
	const flat = 120 << 20
	address := unrest.FreeAddress(t)
	p := run(t, t.TempDir(), fmt.Sprintf(`
http: { enabled: false }
input:
  pipedrive_webhook:
    address: %s
    credentials: [ { username: hook, password: "${HOOK_PASSWORD}" } ]
output: { drop: {} }
`, address), "HOOK_PASSWORD=hunter2")
	eventually(t, "it serves", func() bool { status, _ := get("http://" + address + "/healthz"); return status == http.StatusOK })

	patient := &http.Client{Transport: &http.Transport{}}
	require.Equal(t, http.StatusOK, hookBy(t.Context(), patient, address, hookEvent(0, 2)))
	over := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	go func() {
		over <- attack.Target{Address: address, Path: "/events/pipedrive", Username: "hook", Password: "hunter2"}.All(ctx)
	}()
	var took []time.Duration
	good := &http.Client{Transport: &http.Transport{}} // one connection, not the attackers'
	for n := 0; len(over) == 0; n++ {
		began := time.Now()
		require.Equal(t, http.StatusOK, hookBy(t.Context(), good, address, hookEvent(n, 1)), "good request %d", n)
		took = append(took, time.Since(began))
	}
	require.NoError(t, <-over)
	kept := false
	again := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { kept = c.Reused }})
	assert.Equal(t, http.StatusOK, hookBy(again, patient, address, hookEvent(0, 3)))
	assert.True(t, kept, "the connection that was idle was closed")
	slowest, peak := slices.Max(took), peakMemory(t, p.cmd.Process.Pid)
	t.Logf("%d good requests, the slowest took %v; peak RSS %.1f MiB", len(took), slowest, float64(peak)/(1<<20))
	assert.Less(t, slowest, 8*time.Second)
	assert.Less(t, peak, int64(flat))
	assert.NotContains(t, p.stop(), "hunter2")
}

// peakMemory is the most that a process had resident, in bytes; 0 where the system does not tell.
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	require.True(t, found)
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	require.NoError(t, err)
	return kib << 10
}

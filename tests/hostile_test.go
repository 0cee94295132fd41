package tests

import (
	"context"
	"fmt"
	"net/http"
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
)

// Slow-loris, 200 MB bodies, gzip bombs, deep JSON, malformed bodies, wrong passwords by the thousand, all at once:
// memory stays flat and good clients are served.
func TestWebhookUnderAttackServesGoodClients(t *testing.T) {
	const flat = 120 << 20
	address := freeAddress(t)
	p := run(t, t.TempDir(), fmt.Sprintf(`
http: { enabled: false }
input:
  pipedrive_webhook:
    address: %s
    credentials: [ { username: hook, password: "${HOOK_PASSWORD}" } ]
output: { drop: {} }
`, address), "HOOK_PASSWORD=hunter2")
	eventually(t, "it serves", func() bool { status, _ := get("http://" + address + "/healthz"); return status == http.StatusOK })

	over := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	go func() {
		over <- attack.Target{Address: address, Path: "/events/pipedrive", Username: "hook", Password: "hunter2"}.All(ctx)
	}()
	var took []time.Duration
	cut := 0
	good := &http.Client{Transport: &http.Transport{}} // not the attackers' connections
	for n := 0; len(over) == 0; n++ {
		began := time.Now()
		status := hookBy(t.Context(), good, address, hookEvent(n, 1))
		if status == 0 {
			// When a thousand others come, a connection without a request under way may be closed; a request that crosses
			// that is sent again.
			cut++
			status = hookBy(t.Context(), good, address, hookEvent(n, 1))
		}
		require.Equal(t, http.StatusOK, status, "good request %d", n)
		took = append(took, time.Since(began))
	}
	require.NoError(t, <-over)
	slowest, peak := slices.Max(took), peakMemory(t, p.cmd.Process.Pid)
	t.Logf("%d good requests, %d of them cut once, the slowest took %v; peak RSS %.1f MiB", len(took), cut, slowest, float64(peak)/(1<<20))
	assert.Less(t, slowest, 8*time.Second)
	assert.LessOrEqual(t, cut, 3)
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

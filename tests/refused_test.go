package tests

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// refusedPipeline sends what each webhook is about to an application, and some of it to the dead letters instead.
const refusedPipeline = `
http: { enabled: false }
error_handling: { strict: %t }
shutdown_timeout: 1s
input:
  pipedrive_webhook:
    address: %s
    credentials: [ { username: hook, password: hunter2 } ]
    journal: { path: state/webhooks.db, max_attempts: %d }
pipeline:
  processors:
    - try_catch:
        processors:
          - mapping: root = @pipedrive_object + "/" + @pipedrive_id
output:
  switch:
    cases:
      - check: %q
        output: { file: { path: dead.txt, codec: lines } }
      - output:
          http_client: { url: %q, verb: POST, retries: 0, retry_period: 50ms, max_retry_backoff: 100ms }
`

// One webhook that the output refuses for ever holds back no other. It ends among the dead letters by how often it was
// refused, whether error handling is strict or not. That it goes on flagged as failed leads there only when it is not
// strict: else the host gives it to no processor and no output, and it stays in the journal.
func TestWhatTheOutputRefusesForEverEndsAmongTheDeadLetters(t *testing.T) {
	const byRefusals, byFlag = `@pipedrive_refusals.or("0").number() >= 2`, `errored() || @error != null`
	for name, c := range map[string]struct {
		strict      bool
		maxAttempts int
		check       string
		stays       bool
	}{
		"by the flag":                   {maxAttempts: 2, check: byFlag},
		"by the flag, strict":           {strict: true, maxAttempts: 2, check: byFlag, stays: true},
		"by how often":                  {check: byRefusals},
		"by how often, strict":          {strict: true, check: byRefusals},
		"by both, flagged, not strict":  {maxAttempts: 2, check: byRefusals},
		"by both, flagged later than 2": {strict: true, maxAttempts: 3, check: byRefusals},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var others atomic.Int64
			app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if body, _ := io.ReadAll(r.Body); string(body) == "deal/13" {
					w.WriteHeader(http.StatusBadRequest)
				} else if string(body) == "deal/14" {
					others.Add(1)
				}
			}))
			defer app.Close()
			folder, door := t.TempDir(), unrest.FreeAddress(t)
			dead := filepath.Join(folder, "dead.txt")
			p := run(t, folder, fmt.Sprintf(refusedPipeline, c.strict, door, c.maxAttempts, c.check, app.URL))
			eventually(t, "the door is open", func() bool { status, _ := get("http://" + door + "/healthz"); return status == http.StatusOK })
			require.Equal(t, http.StatusOK, hook(t.Context(), door, hookEvent(13, 1)))
			require.Equal(t, http.StatusOK, hook(t.Context(), door, hookEvent(14, 1)))
			if c.stays {
				eventually(t, "no output takes it", func() bool { return strings.Contains(p.log.String(), "the output has refused it 3 times") })
				assert.NoFileExists(t, dead)
			} else {
				eventually(t, "it is a dead letter", func() bool { return len(read(t, dead)) == 1 })
				assert.Contains(t, read(t, dead)[0], "13")
			}
			eventually(t, "the other one arrives", func() bool { return others.Load() == 1 })
		})
	}
}

// With strict error handling the host has a whole batch skip its processors when the first message is flagged as failed: what
// waits in the journal behind such a one is processed all the same.
func TestWhatWaitsBehindAFlaggedWebhookIsProcessed(t *testing.T) {
	var up atomic.Bool
	var refused, late atomic.Int64
	var mu sync.Mutex
	var came []string
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if up.Load() {
			mu.Lock()
			defer mu.Unlock()
			came = append(came, string(body))
			return
		}
		if string(body) == "deal/13" {
			refused.Add(1)
		} else {
			late.Add(1)
		}
		w.WriteHeader(http.StatusBadRequest)
	}))
	defer app.Close()
	folder, door := t.TempDir(), unrest.FreeAddress(t)
	open := func() *process {
		p := run(t, folder, fmt.Sprintf(refusedPipeline, true, door, 2, "false", app.URL))
		eventually(t, "the door is open", func() bool { status, _ := get("http://" + door + "/healthz"); return status == http.StatusOK })
		return p
	}
	p := open()
	require.Equal(t, http.StatusOK, hook(t.Context(), door, hookEvent(13, 1)))
	eventually(t, "it is refused twice", func() bool { return refused.Load() == 2 })
	require.Equal(t, http.StatusOK, hook(t.Context(), door, hookEvent(14, 1)))
	eventually(t, "another one is under way", func() bool { return late.Load() == 1 })
	p.kill()
	up.Store(true)
	p = open()
	eventually(t, "no output takes it", func() bool { return strings.Contains(p.log.String(), "the output has refused it 2 times") })
	eventually(t, "the other one arrives", func() bool { mu.Lock(); defer mu.Unlock(); return len(came) == 1 })
	assert.Equal(t, []string{"deal/14"}, came)
}

//go:build unix

package tests

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// A full disk costs what an outage of the output brings meanwhile, and nothing else: that is refused, all that was accepted
// before is delivered once the output is back, and the door goes on in the room that it leaves. What the output takes
// at once needs no room. (The disk is a limit of 256 blocks for the files of the process.)
func TestAFullDiskRefusesOnlyWhatTheOutputDoesNotTake(t *testing.T) {
	app := &slowly{takes: never, came: map[int][]int{}}
	app.down.Store(true)
	server := httptest.NewServer(app)
	defer server.Close()
	folder, door := t.TempDir(), unrest.FreeAddress(t)
	config := filepath.Join(folder, "pipeline.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, killedWebhook, door, server.URL), 0o600))
	binary, err := buildOnce()
	require.NoError(t, err)
	launch(t, folder, []string{"HOOK_PASSWORD=hunter2"}, exec.Command("sh", "-c", `ulimit -f 256; exec "$0" run "$1"`, binary, config))
	health := func() int { status, _ := get("http://" + door + "/healthz"); return status }
	eventually(t, "it serves", func() bool { return health() == http.StatusOK })

	const most = 10_000
	accepted, status := 0, 0
	for ; accepted < most; accepted++ {
		if status = hook(t.Context(), door, hookEvent(accepted, 1)); status != http.StatusOK {
			break
		}
	}
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Positive(t, accepted)
	refused := hookEvent(accepted, 1)
	assert.Equal(t, http.StatusServiceUnavailable, health())

	app.down.Store(false)
	eventually(t, "what was accepted is delivered", func() bool {
		for deal := range accepted {
			if len(app.changes(deal)) == 0 {
				return false
			}
		}
		return true
	})
	eventually(t, "what was refused is welcome", func() bool { return hook(t.Context(), door, refused) == http.StatusOK })
	assert.Equal(t, http.StatusOK, health())

	large := func(n int) []byte { // that no file has room for
		return bytes.Replace(hookEvent(most, n), []byte(`"previous":{}`), fmt.Appendf(nil, `"previous":{"title":"%0300000d"}`, 0), 1)
	}
	for n := 2; n < 10; n++ {
		eventually(t, "what is delivered needs no room", func() bool { return hook(t.Context(), door, large(n)) == http.StatusOK })
	}
	app.down.Store(true)
	assert.Equal(t, http.StatusServiceUnavailable, hook(t.Context(), door, large(10)))
}

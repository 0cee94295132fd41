package tests

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// The recipe as it is, but for the hours between its tries: while the application is down every webhook has its 200 at
// once, and none is lost by a kill in the middle of its tries. What is refused for good is sent again when it is mended.
func TestCallbacksOfWebhooksWaitInTheJournal(t *testing.T) {
	const deals, key = 40, "whsec_YSBrZXkgb2YgdHdlbnR5LWZvdXIgYnl0ZXMh"
	const retry = "output.fallback.0.switch.cases.1.output.pipedrive_callback.retry."
	sim := simulator.RunT(t, simulator.Options{Deals: deals})
	app := newApplication(t, key)
	app.becomes(true, "")
	folder, door := t.TempDir(), unrest.FreeAddress(t)
	dead := filepath.Join(folder, "state", "dead_letters.jsonl")
	recipe := func(name string, set ...string) *process {
		path, err := filepath.Abs(filepath.Join("../config", name))
		require.NoError(t, err)
		arguments := []string{"run", "--set", "http.enabled=false"}
		for _, field := range set {
			arguments = append(arguments, "--set", field)
		}
		return start(t, folder, []string{
			"PIPEDRIVE_BASE_URL=" + sim.URL(), "PIPEDRIVE_API_TOKEN=" + sim.Token(), "HOOK_ADDRESS=" + door, "HOOK_PASSWORD=hunter2",
			"PUBLIC_URL=http://" + door, "CALLBACK_URL=" + app.URL + "/events?token=s3cret", "SIGNING_KEY=" + key,
		}, append(arguments, path)...)
	}
	pushed := func() *process {
		return recipe("callback_webhook.yaml", retry+"initial_interval=20ms", retry+"max_interval=50ms")
	}

	p := pushed()
	eventually(t, "the door is open", func() bool { status, _ := get("http://" + door + "/healthz"); return status == http.StatusOK })
	eventually(t, "the webhook is registered", func() bool { return len(sim.Webhooks()) == 1 })
	for _, id := range sim.IDs("deals") {
		sim.Update("deals", id, simulator.Fields{"title": "Blue Harbor renewal"})
	}
	assertAcceptedAtOnce(t, sim)
	eventually(t, "the application is asked and asked", func() bool { _, n := app.counts(); return n > 30 })
	p.kill()
	_, before := app.counts()
	p = pushed()
	eventually(t, "it is asked again", func() bool { _, n := app.counts(); return n > before+30 })
	taken, _ := app.counts()
	require.Zero(t, taken)

	app.becomes(false, "7")
	eventually(t, "all others are taken", func() bool { n, _ := app.counts(); return n == deals-1 })
	eventually(t, "the refused one is a dead letter", func() bool { return len(read(t, dead)) == 1 })
	log := p.stop()
	for _, secret := range []string{"s3cret", key, "hunter2", sim.Token()} {
		assert.NotContains(t, log, secret)
	}
	assert.Contains(t, gjson.Get(read(t, dead)[0], "error").Str, "422 Unprocessable Entity: no such deal, ***")

	require.NoError(t, os.Rename(dead, filepath.Join(folder, "redrive.jsonl")))
	app.becomes(false, "")
	p = recipe("callback_redrive.yaml")
	p.ended()
	taken, _ = app.counts()
	assert.Equal(t, deals, taken)
	assert.NoFileExists(t, dead)
}

package tests

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// application receives callbacks as somebody's would: it verifies them and knows those that come again.
type application struct {
	*httptest.Server
	mu       sync.Mutex
	down     bool              // it answers 503
	refuses  string            // the object_id of events that it never takes
	taken    map[string]string // body by webhook-id
	requests int
}

func newApplication(t *testing.T, key string) *application {
	t.Helper()
	known, err := standardwebhooks.NewWebhook(key)
	require.NoError(t, err)
	a := &application{taken: map[string]string{}}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.RawQuery != "token=s3cret" || !assert.NoError(t, known.Verify(body, r.Header)) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.requests++
		id := r.Header.Get("webhook-id")
		assert.Equal(t, gjson.GetBytes(body, "id").Str, id)
		switch before, again := a.taken[id]; {
		case a.down:
			w.WriteHeader(http.StatusServiceUnavailable)
		case gjson.GetBytes(body, "object_id").Str == a.refuses:
			http.Error(w, "no such deal, token=s3cret", http.StatusUnprocessableEntity)
		case again:
			assert.Equal(t, before, change(body), "what comes again is the same")
		default:
			a.taken[id] = change(body)
		}
	}))
	t.Cleanup(a.Close)
	return a
}

// becomes sets whether it is down, and which object's events it never takes.
func (a *application) becomes(down bool, refuses string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.down, a.refuses = down, refuses
}

func (a *application) counts() (taken, requests int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.taken), a.requests
}

// The recipes as they are, with the real binary: every event is posted, signed, under an id that a kill does not change;
// what is refused is a dead letter, and can be sent again under the id that it had.
func TestCallbackRecipesAcrossAKillAndARedrive(t *testing.T) {
	const deals, key = 300, "whsec_YSBrZXkgb2YgdHdlbnR5LWZvdXIgYnl0ZXMh"
	sim := simulator.RunT(t, simulator.Options{Deals: deals, DailyBudget: 100_000_000, Burst: 100_000_000})
	app := newApplication(t, key)
	app.becomes(false, "7")
	recipe := func(name string) string {
		t.Helper()
		yaml, err := os.ReadFile(filepath.Join("../config", name))
		require.NoError(t, err)
		return "http: { enabled: false }\n" + string(yaml)
	}
	folder := t.TempDir()
	dead := filepath.Join(folder, "state", "dead_letters.jsonl")
	env := []string{
		"PIPEDRIVE_BASE_URL=" + sim.URL(), "PIPEDRIVE_API_TOKEN=" + sim.Token(),
		"CALLBACK_URL=" + app.URL + "/events?token=s3cret", "SIGNING_KEY=" + key, "STATE_DIR=" + filepath.Join(folder, "state"),
		"DEAD_LETTERS=" + filepath.Join(folder, "redrive.jsonl"),
	}

	p := run(t, folder, recipe("callback.yaml"), env...)
	eventually(t, "a part is posted", func() bool { _, n := app.counts(); return n > 50 })
	p.kill()
	p = run(t, folder, recipe("callback.yaml"), env...)
	eventually(t, "all others are taken", func() bool { n, _ := app.counts(); return n == deals-1 })
	eventually(t, "the refused one is a dead letter", func() bool { return len(read(t, dead)) > 0 })
	log := p.stop()
	assert.NotContains(t, log, "s3cret")
	assert.NotContains(t, log, key)
	letters := read(t, dead)
	for _, l := range letters {
		assert.Equal(t, "7", gjson.Get(l, "metadata.pipedrive_id").Str, "of a page only what was refused")
	}
	letter := gjson.Parse(letters[len(letters)-1])
	assert.Contains(t, letter.Get("error").Str, "422 Unprocessable Entity: no such deal, ***")

	require.NoError(t, os.Rename(dead, filepath.Join(folder, "redrive.jsonl")))
	app.becomes(false, "")
	p = run(t, folder, recipe("callback_redrive.yaml"), env...)
	p.ended()
	taken, _ := app.counts()
	assert.Equal(t, deals, taken)
	assert.Equal(t, change([]byte(letter.Get("body").Str)), app.taken[letter.Get("metadata.pipedrive_event_key").Str])
	assert.NoFileExists(t, dead)
}

// change is an event without the moment of its reading, which is another when it is read again.
func change(body []byte) string {
	received := gjson.GetBytes(body, "source.received_at").Raw
	return strings.Replace(string(body), received, "", 1)
}

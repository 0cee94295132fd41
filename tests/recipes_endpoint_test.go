package tests

import (
	"cmp"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/tidwall/gjson"
)

// endpoint is somebody's app: it is down for the first three requests, takes events for one by their Idempotency-Key or
// else their id, and may find fault with those that contain a text.
type endpoint struct {
	t *testing.T

	mu      sync.Mutex // guards what follows
	down    int        // requests that get 503
	faulty  string     // what it refuses for good; empty: nothing
	events  []string   // the bodies that it took, each once
	keys    map[string]bool
	refused map[string]bool // the keys of what it refused for good
	types   map[string]bool // the media types that came
}

func newEndpoint(t *testing.T, k *kitchen) *endpoint {
	e := &endpoint{t: t, down: 3, keys: map[string]bool{}, refused: map[string]bool{}, types: map[string]bool{}}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	k.env = append(k.env, "ENDPOINT_URL="+server.URL+"/events", "ENDPOINT_TOKEN=sesame", "RETRY_PERIOD=20ms")
	return e
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	assert.NoError(e.t, err)
	assert.Equal(e.t, "Bearer sesame", r.Header.Get("Authorization"))
	e.mu.Lock()
	defer e.mu.Unlock()
	key := cmp.Or(r.Header.Get("Idempotency-Key"), gjson.GetBytes(body, "id").Str)
	e.types[r.Header.Get("Content-Type")] = true
	switch {
	case e.down > 0:
		e.down--
		w.WriteHeader(http.StatusServiceUnavailable)
	case e.faulty != "" && strings.Contains(string(body), e.faulty):
		e.refused[key] = true
		w.WriteHeader(http.StatusUnprocessableEntity)
	case !e.keys[key]:
		e.keys[key] = true
		e.events = append(e.events, string(body))
	}
}

// findsFaultWith makes it refuse what contains a text; empty: nothing.
func (e *endpoint) findsFaultWith(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faulty = text
}

// goesDown makes it answer so many requests with 503.
func (e *endpoint) goesDown(requests int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.down = requests
}

func (e *endpoint) took() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.events)
}

// refusals are the keys of what it refused for good so far.
func (e *endpoint) refusals() map[string]bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.refused)
}

// mediaTypes are those that came.
func (e *endpoint) mediaTypes() map[string]bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.types)
}

package simulator_test

import (
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// receiver is a webhook's other end: it keeps what comes and answers with one status.
type receiver struct {
	mu     sync.Mutex
	status int
	got    []arrived
}

type arrived struct {
	header http.Header
	host   string
	path   string
	body   gjson.Result
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		body = []byte(err.Error())
	}
	r.got = append(r.got, arrived{req.Header, req.Host, req.URL.String(), gjson.ParseBytes(body)})
	w.WriteHeader(r.status)
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// all are the bodies so far.
func (r *receiver) all() []gjson.Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	var bodies []gjson.Result
	for _, a := range r.got {
		bodies = append(bodies, a.body)
	}
	return bodies
}

// hooked is an account with one webhook, in process.
func hooked(t *testing.T, o simulator.Options, w simulator.Webhook) (*simulator.Simulator, *receiver) {
	t.Helper()
	s := simulator.New(o)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	r := &receiver{status: http.StatusOK}
	s.Deliver(r)
	if w.URL == "" {
		w.URL = "https://hooks.example.com/pd"
	}
	s.Subscribe(w)
	return s, r
}

func drain(t *testing.T, s *simulator.Simulator) {
	t.Helper()
	require.NoError(t, s.Drain(t.Context()))
}

// outcomes counts the deliveries.
func outcomes(s *simulator.Simulator) map[simulator.Outcome]int {
	counts := map[simulator.Outcome]int{}
	for _, d := range s.Deliveries() {
		counts[d.Outcome]++
	}
	return counts
}

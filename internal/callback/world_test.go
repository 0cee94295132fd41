package callback

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// handClock stands still until it is waited for; then it is that much later.
type handClock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func newHandClock() *handClock {
	return &handClock{now: time.Date(2026, 11, 20, 9, 15, 0, 0, time.UTC)}
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) Wait(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = append(c.waits, d)
	c.now = c.now.Add(d)
	return ctx.Err()
}

// diary writes down what the client tells.
type diary struct {
	mu      sync.Mutex
	results []Result
	waiting []string
}

func (d *diary) Attempted(result Result, _ time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.results = append(d.results, result)
}

func (d *diary) Waiting(_ int, _ time.Duration, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting = append(d.waiting, err.Error())
}

// request is what a receiver got.
type request struct {
	http.Header
	method, path string
	body         []byte
}

// receiver is a real server that keeps what it got.
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	got []request
}

func (r *receiver) requests() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

// newReceiver answers with answer; nil: 200.
func newReceiver(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		assert.NoError(t, err)
		r.mu.Lock()
		r.got = append(r.got, request{req.Header, req.Method, req.URL.RequestURI(), body})
		r.mu.Unlock()
		if answer != nil {
			answer(w, req)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// status answers with the statuses one after another, and then with the last for ever.
func status(codes ...int) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.WriteHeader(codes[0])
		if len(codes) > 1 {
			codes = codes[1:]
		}
	}
}

var asDesigned = Retry{MaxAttempts: 10, InitialInterval: 4 * time.Second, Multiplier: 4, MaxInterval: time.Hour}

// newClient makes a client whose waits take no time.
func newClient(t *testing.T, url string, change ...func(*Config)) (*Client, *handClock, *diary) {
	t.Helper()
	clock, told := newHandClock(), &diary{}
	signer, err := NewSigner(Unsigned, nil)
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	config := Config{
		URL: url, Signer: signer, Timeout: 10 * time.Second, Retry: asDesigned,
		UserAgent: "benthos-pipedrive/test", Transport: transport, Clock: clock, Observer: told,
	}
	for _, c := range change {
		c(&config)
	}
	client, err := New(config)
	require.NoError(t, err)
	return client, clock, told
}

var deal = Message{ID: "pd1_9f86d081884c7d659a2feaa0c55ad015", Body: []byte(`{"object":"deal","object_id":"101"}`)}

package output_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"

	_ "github.com/benthos-pipedrive/benthos-pipedrive/output"
	_ "github.com/benthos-pipedrive/benthos-pipedrive/processor"
)

// receiver is the application that callbacks go to, over a socket.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	got  []string // bodies, in the order in which they came
	ids  []string // their Elements-Webhook-Id
	most int      // requests that were there at once
	now  int
}

// newReceiver answers with answer, which gets the body; nil: 200.
func newReceiver(t *testing.T, answer func(w http.ResponseWriter, body string)) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		assert.NoError(t, err)
		r.mu.Lock()
		r.got = append(r.got, string(body))
		r.ids = append(r.ids, req.Header.Get("Elements-Webhook-Id"))
		r.now++
		r.most = max(r.most, r.now)
		r.mu.Unlock()
		defer func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.now--
		}()
		if answer != nil {
			answer(w, string(body))
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) bodies() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.got...)
}

// pipeline is a stream of the host that a test feeds.
type pipeline struct {
	t      *testing.T
	stream *service.Stream
	send   service.MessageBatchHandlerFunc // returns what the output makes of the batch
	log    *syncBuffer
	mux    *http.ServeMux
	ended  chan error
}

// newPipeline starts one with an output, and processors before it; %URL is the receiver's.
func newPipeline(t *testing.T, far *receiver, yaml string, processors ...string) *pipeline {
	t.Helper()
	p := &pipeline{t: t, log: &syncBuffer{}, mux: http.NewServeMux(), ended: make(chan error, 1)}
	b := service.NewStreamBuilder()
	const trace = slog.LevelDebug - 4
	b.SetLogger(slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: trace})))
	b.SetHTTPMux(p.mux)
	require.NoError(t, b.SetMetricsYAML("json_api: {}"))
	send, err := b.AddBatchProducerFunc()
	require.NoError(t, err)
	for _, processor := range processors {
		require.NoError(t, b.AddProcessorYAML(processor))
	}
	require.NoError(t, b.AddOutputYAML(strings.ReplaceAll(yaml, "%URL", far.URL)))
	p.stream, err = b.Build()
	require.NoError(t, err)
	over, end := context.WithCancel(t.Context())
	go func() {
		defer end()
		p.ended <- p.stream.Run(context.Background())
	}()
	p.send = func(ctx context.Context, batch service.MessageBatch) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(over, cancel)()
		return send(ctx, batch)
	}
	t.Cleanup(func() { _ = p.stream.StopWithin(time.Second) })
	return p
}

func (p *pipeline) stop() {
	p.t.Helper()
	require.NoError(p.t, p.stream.StopWithin(20*time.Second))
	require.NoError(p.t, <-p.ended)
}

func (p *pipeline) metrics() string {
	w := httptest.NewRecorder()
	p.mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

// batchOf makes one of bodies.
func batchOf(bodies ...string) service.MessageBatch {
	batch := make(service.MessageBatch, len(bodies))
	for i, body := range bodies {
		batch[i] = service.NewMessage([]byte(body))
	}
	return batch
}

// deadLetters are the lines of a file; there may be none.
func deadLetters(t *testing.T, path string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Clean(path))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(content)), "\n")
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

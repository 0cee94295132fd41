package main

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// span is what a collector learns of one.
type span struct {
	name, trace, id, parent string
	began, ended            time.Time
	attributes              map[string]string
	failed                  bool
}

// collector is an OpenTelemetry collector that keeps what it is sent.
type collector struct {
	url string

	mu      sync.Mutex
	spans   []span
	process map[string]string // attributes of the process
	keys    map[string]bool   // values of the header Api-Key
}

func startCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{process: map[string]string{}, keys: map[string]bool{}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL + "/v1/traces"
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		body = unpacked
	}
	raw, err := io.ReadAll(io.LimitReader(body, 16<<20))
	var sent collectorpb.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(raw, &sent) != nil || r.URL.Path != "/v1/traces" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys[r.Header.Get("Api-Key")] = true
	for _, of := range sent.ResourceSpans {
		for _, a := range of.Resource.Attributes {
			c.process[a.Key] = a.Value.GetStringValue()
		}
		for _, scope := range of.ScopeSpans {
			for _, s := range scope.Spans {
				got := span{
					name: s.Name, trace: hex.EncodeToString(s.TraceId), id: hex.EncodeToString(s.SpanId), parent: hex.EncodeToString(s.ParentSpanId),
					began: time.Unix(0, int64(s.StartTimeUnixNano)), ended: time.Unix(0, int64(s.EndTimeUnixNano)),
					attributes: map[string]string{}, failed: s.Status.GetCode() == 2,
				}
				for _, a := range s.Attributes {
					got.attributes[a.Key] = a.Value.GetStringValue()
				}
				c.spans = append(c.spans, got)
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// named returns the spans of a name, oldest first.
func (c *collector) named(name string) (found []span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.name == name {
			found = append(found, s)
		}
	}
	return found
}

// tracedPipeline runs both doors with a tracer, and returns its log and how to end it.
func tracedPipeline(t *testing.T, tracer, pollURL, token, hooks string) (log *bytes.Buffer, end func()) {
	t.Helper()
	run := program(t, "run", "pipeline.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(run.Dir, "pipeline.yaml"), fmt.Appendf(nil, `
http: { enabled: false }
input:
  broker:
    inputs:
      - pipedrive_poll: { base_url: %s, api_token: %s, objects: [ deals ], interval: 200ms, daily_token_share: 1 }
      - pipedrive_webhook:
          address: %s
          credentials: [ { username: hook, password: hunter2 } ]
          journal: { path: hooks.db }
pipeline:
  processors:
    - pipedrive_normalize: {}
output:
  drop: {}
tracer:
  opentelemetry: %s
`, pollURL, token, hooks, tracer), 0o600))
	log = &bytes.Buffer{}
	run.Stdout, run.Stderr = log, log
	require.NoError(t, run.Start())
	t.Cleanup(func() { _ = run.Process.Kill() })
	return log, func() {
		require.NoError(t, run.Process.Signal(syscall.SIGTERM))
		assert.NoError(t, run.Wait(), log)
	}
}

// Each event has a span from its receipt to its acknowledgement that names it, and below it one for each step, whichever
// door it came through; the copies of one change carry the same key.
func TestEachEventHasATrace(t *testing.T) {
	t.Parallel()
	c := startCollector(t)
	sim := simulator.RunT(t, simulator.Options{Deals: 3, DailyBudget: 100_000_000, Burst: 100_000_000})
	hooks := freeAddress(t)
	log, end := tracedPipeline(t, `{ url: "`+c.url+`", headers: { Api-Key: geheim }, flush_interval: 100ms, attributes: { deployment.environment.name: test } }`,
		sim.URL(), sim.Token(), hooks)
	require.Eventually(t, func() bool { return len(c.named("input_pipedrive_poll")) == 3 }, 10*time.Second, 10*time.Millisecond, log)
	sim.Subscribe(simulator.Webhook{URL: "http://" + hooks + "/events/pipedrive", Username: "hook", Password: "hunter2"})
	id := sim.IDs("deals")[0]
	sim.Update("deals", id, simulator.Fields{"title": "Changed"})
	require.Eventually(t, func() bool {
		return len(c.named("input_pipedrive_webhook")) == 1 && len(c.named("input_pipedrive_poll")) == 4
	}, 10*time.Second, 10*time.Millisecond, log)
	end()

	event := c.named("input_pipedrive_webhook")[0]
	assert.Equal(t, "", event.parent)
	assert.Equal(t, "webhook", event.attributes["pipedrive.via"])
	assert.Equal(t, "deal", event.attributes["pipedrive.object"])
	assert.Equal(t, id, event.attributes["pipedrive.id"])
	assert.Equal(t, "updated", event.attributes["pipedrive.action"])
	assert.Equal(t, "1", event.attributes["pipedrive.attempt"])
	assert.Equal(t, sim.Deliveries()[0].EventID, event.attributes["pipedrive.event_id"])
	assert.NotEmpty(t, event.attributes["pipedrive.correlation_id"])

	var normalized span
	for _, s := range c.named("pipedrive_normalize") {
		if s.trace == event.trace {
			normalized = s
		}
	}
	assert.Equal(t, event.id, normalized.parent, "a step of the event's own trace")
	assert.Equal(t, event.attributes["pipedrive.correlation_id"], normalized.attributes["pipedrive.correlation_id"])
	assert.Regexp(t, `^pd1_[0-9a-f]{32}$`, normalized.attributes["pipedrive.event_key"])
	same := 0
	for _, s := range c.named("pipedrive_normalize") {
		if s.attributes["pipedrive.event_key"] == normalized.attributes["pipedrive.event_key"] {
			same++
		}
	}
	assert.Equal(t, 2, same, "the polled copy of the change has the same key")

	written := c.named("output_drop")
	require.NotEmpty(t, written)
	for _, s := range written {
		assert.NotEmpty(t, s.parent)
	}
	assert.Equal(t, map[string]string{"service.name": "benthos-pipedrive", "service.version": "v1.2.3-test", "deployment.environment.name": "test"}, c.process)
	assert.Equal(t, map[string]bool{"geheim": true}, c.keys)
	for _, s := range c.spans {
		for key, value := range s.attributes {
			assert.NotContains(t, value, "hunter2", key)
			assert.NotContains(t, value, sim.Token(), key)
		}
	}
	assert.NotContains(t, log.String(), "geheim")
}

// A message that is nobody's record fails, and so does the span of the step that says why.
func TestTheSpanOfAMessageThatIsNoEventSaysWhy(t *testing.T) {
	t.Parallel()
	c := startCollector(t)
	run := program(t, "run", "pipeline.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(run.Dir, "pipeline.yaml"), []byte(`
http: { enabled: false }
input: { generate: { count: 1, interval: "", mapping: root = "nonsense" } }
pipeline: { processors: [ { pipedrive_normalize: {} } ] }
output: { drop: {} }
tracer: { opentelemetry: { url: "`+c.url+`", compression: none } }
`), 0o600))
	said, err := run.CombinedOutput()
	require.NoError(t, err, string(said))
	steps := c.named("pipedrive_normalize") // sent before the end, though none was flushed before
	require.Len(t, steps, 1)
	assert.True(t, steps[0].failed)
}

// A collector that is away holds up neither events nor the end, and is one line.
func TestACollectorThatIsAwayHoldsUpNothing(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Deals: 3, DailyBudget: 100_000_000, Burst: 100_000_000})
	log, end := tracedPipeline(t, `{ url: "http://`+freeAddress(t)+`/v1/traces", headers: { Api-Key: geheim }, flush_interval: 50ms, timeout: 1s }`,
		sim.URL(), sim.Token(), freeAddress(t))
	id := sim.IDs("deals")[0]
	require.Eventually(t, func() bool {
		sim.Update("deals", id, simulator.Fields{"title": "Changed"}) // and so there are spans to lose, again and again
		return sim.Count("/api/v2/deals") > 20
	}, 20*time.Second, 10*time.Millisecond, log)
	began := time.Now()
	end()
	assert.Less(t, time.Since(began), 5*time.Second)
	assert.Equal(t, 1, strings.Count(log.String(), "Spans are lost"), log.String())
	assert.NotContains(t, log.String(), "geheim")
}

func TestTracerMistakesAreNamed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, fields, says string }{
		{"credentials in the URL", `{ url: "http://a:geheim@localhost/v1/traces" }`, "url: holds credentials"},
		{"a query in the URL", `{ url: "http://localhost/v1/traces?key=geheim" }`, "url: holds credentials or a query, which belong into headers"},
		{"no URL", `{ url: "localhost:4318" }`, "url: want an absolute http or https URL"},
		{"too many samples", `{ sample_ratio: 2 }`, "sample_ratio: 2 is not from 0 to 1"},
		{"an odd compression", `{ compression: lzma }`, `compression: "lzma" is not one of gzip, none`},
		{"no time", `{ timeout: 0s }`, "timeout: 0s is not above zero"},
		{"no room", `{ queue_size: 0 }`, "queue_size: 0 is not at least 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			run := program(t, "run", "--chilled", "pipeline.yaml")
			require.NoError(t, os.WriteFile(filepath.Join(run.Dir, "pipeline.yaml"),
				[]byte("http: { enabled: false }\ninput: { generate: { count: 1, mapping: 'root = {}' } }\noutput: { drop: {} }\ntracer: { opentelemetry: "+test.fields+" }\n"), 0o600))
			said, err := run.CombinedOutput()
			assert.ErrorContains(t, err, "exit status 1")
			assert.Contains(t, string(said), test.says)
			assert.NotContains(t, string(said), "geheim")
		})
	}
}

// The configuration in docs/operations.md has every field, and each is one.
func TestTheDocumentedTracerIsWhole(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/operations.md")
	require.NoError(t, err)
	_, config, found := strings.Cut(string(page), "```yaml\ntracer:\n")
	require.True(t, found)
	config, _, _ = strings.Cut(config, "```")
	lint := program(t, "lint", "tracer.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(lint.Dir, "tracer.yaml"), []byte("tracer:\n"+config), 0o600))
	said, err := lint.CombinedOutput()
	assert.NoError(t, err, string(said))
	for _, field := range []string{
		otFieldURL, otFieldHeaders, otFieldSampleRatio, otFieldServiceName, otFieldAttributes, otFieldCompression, otFieldTimeout,
		otFieldFlushInterval, otFieldQueueSize, otFieldTLS,
	} {
		assert.Contains(t, config, "    "+field+": ")
	}
}

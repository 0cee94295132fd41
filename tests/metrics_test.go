package tests

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// watched has both doors with all that they count, and an output that fails now and then.
const watched = `
http: { address: %[1]s }
input:
  broker:
    inputs:
      - label: polled
        pipedrive_poll:
          base_url: %[2]s
          api_token: %[3]s
          objects: [ deals, persons, organizations, stages ]
          interval: 1s
          full_read_interval: 1s
          daily_token_share: 1
          checkpoint_cache: state
      - label: pushed
        pipedrive_webhook:
          address: %[4]s
          credentials: [ { username: hook, password: hunter2 } ]
          max_body_size: 64KiB
          journal: { path: state/webhooks.db }
          registration:
            enabled: true
            public_url: http://%[4]s
            base_url: %[2]s
            api_token: %[3]s
            daily_token_share: 1
            check_interval: 1h
pipeline:
  processors:
    - label: events
      pipedrive_normalize:
        resolve: { enabled: true, base_url: %[2]s, api_token: %[3]s, daily_token_share: 1 }
output:
  label: app
  pipedrive_callback:
    url: %[5]s
    signature: { scheme: none }
    headers:
      Via: ${! @pipedrive_via }
      Object: ${! @pipedrive_object }
      Action: ${! @pipedrive_action }
    retry: { max_attempts: 20, initial_interval: 10ms, max_interval: 100ms }
cache_resources:
  - label: state
    bolt: { path: state/state.db }
`

// receiver counts what it takes by way, object and action, and is too busy at every seventh request.
type receiver struct {
	mu    sync.Mutex
	asked int
	taken map[string]int
}

func (r *receiver) answers() (taken, busy int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked - r.asked/7, r.asked / 7
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	_, _ = io.Copy(io.Discard, req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asked++; r.asked%7 == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.taken[strings.Join([]string{req.Header.Get("Via"), req.Header.Get("Object"), req.Header.Get("Action")}, " ")]++
}

func (r *receiver) count(via, object, action string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken[via+" "+object+" "+action]
}

func (r *receiver) all(via string) (sum int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for what, n := range r.taken {
		if strings.HasPrefix(what, via+" ") {
			sum += n
		}
	}
	return sum
}

// knock sends what is no good webhook, and says what each request must be counted as.
func knock(t *testing.T, address string) (counted map[string]int) {
	t.Helper()
	counted = map[string]int{}
	send := func(result, method, path, kind, password string, body []byte) {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, bytes.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", kind)
		req.SetBasicAuth("hook", password)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		counted[result]++
	}
	const path, json = "/events/pipedrive", "application/json"
	for range 2 {
		send("unauthorized", http.MethodPost, path, json, "wrong", hookEvent(1, 1))
		send("bad_method", http.MethodPut, path, json, "hunter2", hookEvent(1, 1))
		send("bad_media_type", http.MethodPost, path, "text/plain", "hunter2", hookEvent(1, 1))
		send("bad_frame", http.MethodPost, path, json, "hunter2", []byte(`{"meta":{}}`))
		send("too_large", http.MethodPost, path, json, "hunter2", make([]byte, 65<<10))
	}
	send("accepted", http.MethodPost, path, json, "hunter2", hookEvent(1, 1))
	for range 3 {
		send("duplicate", http.MethodPost, path, json, "hunter2", hookEvent(1, 1))
	}
	return counted
}

// /metrics of the real binary, under load and faults, counts what the simulator answered and sent and what the
// receiver took; every metric of docs/architecture.md is there with the labels that it names, and no other.
func TestMetricsCountWhatHappened(t *testing.T) {
	sim, sink, address, hooks := watchedFeed(t)
	for _, id := range sim.IDs("deals")[:150] {
		sim.Update("deals", id, simulator.Fields{"title": "Changed"})
	}
	for _, id := range sim.IDs("organizations")[:10] {
		sim.Delete("organizations", id)
	}
	sim.AddMany("persons", 5)
	strange := knock(t, hooks)

	var e exposition
	var requests []simulator.Request
	var spent, left int
	var missing []string
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); ; <-tick.C {
		// Requests go on meanwhile, and afterwards: only a moment without one can be compared, and what was asked by then.
		requests = sim.Requests()
		before := len(requests)
		spent, left = int(sim.TokensSpent()), int(sim.TokensLeft())
		e = scrape(t, address)
		missing = e.unsettled(sim, sink, sum(strange))
		if counted := e.sum("pipedrive_requests_total"); sim.Count("") != before || counted != before {
			missing = append(missing, fmt.Sprintf("a moment without a request: %d, %d, and counted %d", before, sim.Count(""), counted))
		}
		if len(missing) == 0 {
			break
		}
		require.Less(t, time.Since(began), time.Minute, "not all that happened has been counted and delivered: %s", missing)
	}

	t.Run("requests", func(t *testing.T) {
		codes := map[string]int{}
		paths := map[string]int{}
		for _, r := range requests {
			paths[r.Path]++
			code := "none"
			if r.Status != 0 {
				code = strconv.Itoa(r.Status)
			}
			codes[code]++
		}
		require.Subset(t, codes, map[string]int{"429": 2, "500": 2, "none": 1, "201": 1})
		for code, n := range codes {
			assert.Equal(t, n, e.sum("pipedrive_requests_total", "code", code), code)
		}
		for object, path := range map[string]string{
			"deals": "/api/v2/deals", "persons": "/api/v2/persons", "organizations": "/api/v2/organizations",
			"stages": "/api/v2/stages", "me": "/v1/users/me", "webhooks": "/v1/webhooks",
		} {
			assert.Equal(t, paths[path], e.sum("pipedrive_requests_total", "object", object), object)
			assert.Equal(t, paths[path], e.sum("pipedrive_request_latency_ns_count", "object", object), object)
		}
	})
	t.Run("limits", func(t *testing.T) {
		assert.Equal(t, 2, e.sum("pipedrive_rate_limited_total"))
		assert.Equal(t, 2, e.sum("pipedrive_rate_limited_total", "kind", "burst"))
		// What a request without an answer cost is not known here, and counts as if it had one.
		assert.InDelta(t, spent, e.sum("pipedrive_tokens_spent_total"), 20)
		for _, label := range []string{"polled", "pushed"} { // each as of its own last answer
			assert.Equal(t, plenty, e.sum("pipedrive_tokens_share", "label", label))
			assert.InDelta(t, left, e.sum("pipedrive_tokens_remaining", "label", label), float64(spent))
			assert.Positive(t, e.sum("pipedrive_tokens_reset_timestamp_seconds", "label", label))
		}
		assert.InDelta(t, left, e.sum("pipedrive_tokens_remaining", "label", "polled"), 20)
	})
	t.Run("records", func(t *testing.T) {
		for object, kind := range map[string]string{"deals": "deal", "persons": "person", "organizations": "organization", "stages": "stage"} {
			for _, action := range []string{"snapshot", "created", "updated", "deleted"} {
				assert.Equal(t, sink.count("poll", kind, action), e.sum("pipedrive_records_total", "object", object, "action", action), object+" "+action)
			}
			assert.Less(t, e.sum("pipedrive_poll_lag_seconds", "object", object), 15)
		}
		assert.Equal(t, 300, e.sum("pipedrive_records_total", "object", "deals", "action", "snapshot"))
		assert.Equal(t, 150, e.sum("pipedrive_records_total", "object", "deals", "action", "updated"))
		assert.Equal(t, 5, e.sum("pipedrive_records_total", "object", "persons", "action", "created"))
		assert.Equal(t, 1, e.sum("pipedrive_poll_interval_seconds", "object", "stages"))
		assert.Zero(t, e.sum("pipedrive_records_dropped_total"))
		assert.Zero(t, e.sum("pipedrive_unresolved_total"))
		assert.Zero(t, e.sum("pipedrive_checkpoint_errors_total"))
	})
	t.Run("webhooks", func(t *testing.T) {
		strange["accepted"] += 165
		for result, n := range strange {
			assert.Equal(t, n, e.sum("pipedrive_webhook_requests_total", "result", result), result)
		}
		assert.Equal(t, sum(strange), e.sum("pipedrive_webhook_requests_total"))
		assert.Equal(t, strange["duplicate"], e.sum("pipedrive_webhook_duplicates_total"))
		assert.Equal(t, strange["accepted"], e.sum("pipedrive_webhook_accept_latency_ns_count"))
		assert.Equal(t, 1, e.sum("pipedrive_webhook_repairs_total", "repair", "created", "reason", "missing"))
		assert.Zero(t, e.sum("pipedrive_webhook_registration_errors_total"))
		assert.Zero(t, e.sum("pipedrive_journal_stuck"))
		assert.Zero(t, e.sum("pipedrive_journal_bytes"))
		assert.Equal(t, 1<<30, e.sum("pipedrive_journal_max_bytes"))
	})
	t.Run("callbacks", func(t *testing.T) {
		taken, busy := sink.answers()
		require.Positive(t, busy)
		assert.Equal(t, taken, e.sum("pipedrive_callback_attempts_total", "result", "done"))
		assert.Equal(t, busy, e.sum("pipedrive_callback_attempts_total", "result", "unavailable"))
		assert.Equal(t, taken+busy, e.sum("pipedrive_callback_attempts_total"))
		assert.Equal(t, taken+busy, e.sum("pipedrive_callback_latency_ns_count"))
	})
	t.Run("the table", func(t *testing.T) { assertTable(t, e) })
	t.Run("the host's", func(t *testing.T) {
		there := e.labelNames("")
		for name, labels := range hostMetrics {
			assert.Equal(t, labels, there[name], name)
		}
	})
	t.Run("labels", func(t *testing.T) { assertBounded(t, e) })
}

// unsettled tells what is missing until all changes of the test have come through both doors, and so many requests of
// strangers, and everything that came has been taken and counted.
func (e exposition) unsettled(sim *simulator.Simulator, sink *receiver, strangers int) (missing []string) {
	expect := func(what string, want, got int) {
		if want != got {
			missing = append(missing, fmt.Sprintf("%s: want %d, have %d", what, want, got))
		}
	}
	delivered := 0
	for _, d := range sim.Deliveries() {
		if d.Outcome == simulator.Delivered {
			delivered++
		}
	}
	taken, busy := sink.answers()
	expect("webhooks sent", 165, len(sim.Deliveries()))
	expect("webhooks delivered", 165, delivered)
	expect("webhooks taken", 166, sink.all("webhook"))
	expect("accept latencies", 166, e.sum("pipedrive_webhook_accept_latency_ns_count"))
	expect("webhook requests", 165+strangers, e.sum("pipedrive_webhook_requests_total"))
	expect("pending", 0, e.sum("pipedrive_journal_pending"))
	expect("updates", 150, e.sum("pipedrive_records_total", "action", "updated"))
	expect("creations", 5, e.sum("pipedrive_records_total", "action", "created"))
	expect("records taken", e.sum("pipedrive_records_total"), sink.all("poll"))
	expect("callbacks", taken+busy, e.sum("pipedrive_callback_attempts_total"))
	expect("lags", 4, e.series("pipedrive_poll_lag_seconds")) // which is set every five seconds
	return missing
}

// watchedFeed runs the binary until it has subscribed and walked everything once, not without faults. The addresses are
// that of its /metrics and of its door.
func watchedFeed(t *testing.T) (sim *simulator.Simulator, sink *receiver, address, hooks string) {
	t.Helper()
	sim = simulator.RunT(t, simulator.Options{Deals: 300, Persons: 120, Organizations: 40, DailyBudget: plenty, Burst: plenty, CloseConnections: true})
	sink = &receiver{taken: map[string]int{}}
	server := httptest.NewServer(sink)
	t.Cleanup(server.Close)
	address, hooks = unrest.FreeAddress(t), unrest.FreeAddress(t)
	sim.FailNext(simulator.Burst429().On("/api/v2/deals").Times(2))
	sim.FailNext(simulator.Status(http.StatusInternalServerError).On("/api/v2/persons").Times(2))
	sim.FailNext(simulator.Reset().On("/api/v2/organizations"))
	run(t, t.TempDir(), fmt.Sprintf(watched, address, sim.URL(), sim.Token(), hooks, server.URL))
	eventually(t, "it has subscribed, and walked everything once", func() bool {
		e := scrape(t, address)
		return e.sum("pipedrive_webhook_subscriptions") == 1 &&
			e.sum("pipedrive_records_total", "action", "snapshot") == 300+120+40+len(sim.IDs("stages"))
	})
	return sim, sink, address, hooks
}

func sum(counts map[string]int) (all int) {
	for _, n := range counts {
		all += n
	}
	return all
}

// slowWalk are there only while a first walk takes longer than the lines of its progress are apart.
var slowWalk = []string{"pipedrive_first_walk_records_per_second", "pipedrive_first_walk_seconds_left"}

// assertTable holds what is there to what is documented, both ways, and so are the labels.
func assertTable(t *testing.T, e exposition) {
	t.Helper()
	rows := metricTable(t)
	there := e.labelNames("pipedrive_", "label", "path", "quantile")
	for name, labels := range there {
		if row, documented := rows[name]; assert.True(t, documented, "%s is not in the table of docs/architecture.md", name) {
			assert.Equal(t, row.labels, labels, "the labels of %s", name)
		}
	}
	for name := range rows {
		if !slices.Contains(slowWalk, name) {
			assert.Contains(t, there, name, "a metric of docs/architecture.md is not in /metrics")
		}
	}
}

// A first walk that takes long says how fast it is, and how long it will take.
func TestMetricsOfALongFirstWalk(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 4000, DailyBudget: plenty, Burst: plenty})
	sim.FailAlways(simulator.Slow(time.Second).On("/api/v2/deals"))
	address := unrest.FreeAddress(t)
	run(t, t.TempDir(), fmt.Sprintf(`
http: { address: %s }
input:
  pipedrive_poll: { base_url: %s, api_token: %s, objects: [ deals ], page_size: 100, daily_token_share: 1 }
output: { drop: {} }
`, address, sim.URL(), sim.Token()))
	var e exposition
	require.Eventually(t, func() bool {
		e = scrape(t, address)
		return e.sum(slowWalk[0]) > 0 && e.sum(slowWalk[1]) > 0
	}, time.Minute, 50*time.Millisecond, "it says so")
	assert.InDelta(t, 100, e.sum("pipedrive_first_walk_records_per_second", "object", "deals"), 30)
	assert.Zero(t, e.sum("pipedrive_first_walk_done", "object", "deals"))
	assert.Positive(t, e.sum("pipedrive_first_walk_pages", "object", "deals"))
}

// The lag is that of what was delivered, not of what was read: it grows while the output takes nothing.
func TestTheLagGrowsWhileTheOutputTakesNothing(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Deals: 20, DailyBudget: plenty, Burst: plenty})
	var down atomic.Bool
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(sink.Close)
	address := unrest.FreeAddress(t)
	run(t, t.TempDir(), fmt.Sprintf(`
http: { address: %s }
input:
  pipedrive_poll: { base_url: %s, api_token: %s, objects: [ deals ], interval: 100ms, daily_token_share: 1 }
output:
  retry: { backoff: { initial_interval: 10ms, max_interval: 50ms }, output: { http_client: { url: %s, retries: 0 } } }
`, address, sim.URL(), sim.Token(), sink.URL))
	lag := func() int { return scrape(t, address).sum("pipedrive_poll_lag_seconds", "object", "deals") }
	eventually(t, "the first walk is delivered, and shown", func() bool { return scrape(t, address).series("pipedrive_poll_lag_seconds") == 1 })
	assert.LessOrEqual(t, lag(), 3)
	down.Store(true)
	sim.Update("deals", sim.IDs("deals")[0], simulator.Fields{"title": "Changed"})
	walks := sim.Count("/api/v2/deals")
	eventually(t, "it grows", func() bool { return lag() > 3 })
	assert.Greater(t, sim.Count("/api/v2/deals"), walks+1, "though reading goes on")
}

// bounded are the values that labels of ours may have here: words of the program and of the configuration, and
// statuses. No id, no URL.
var bounded = map[string][]string{
	"object": {"deals", "persons", "organizations", "stages", "me", "webhooks", "fields"},
	"code":   {"200", "201", "429", "500", "none"},
	"kind":   {"burst", "daily", "blocked"},
	"action": {"snapshot", "created", "updated", "deleted"},
	"result": {
		"not_found", "forbidden", "unauthorized", "bad_method", "bad_media_type", "too_large", "bad_frame", "accepted",
		"duplicate", "refused", "done", "limited", "unavailable", "unreachable",
	},
	"repair":   {"created"},
	"reason":   {"missing"},
	"quantile": {"0.5", "0.9", "0.99"},
	"label":    {"polled", "pushed", "events", "app"},
	"path":     {"root.input.broker.inputs.0", "root.input.broker.inputs.1", "root.pipeline.processors.0", "root.output"},
}

func assertBounded(t *testing.T, e exposition) {
	t.Helper()
	for _, s := range e {
		if !strings.HasPrefix(s.family, "pipedrive_") {
			continue
		}
		for name, value := range s.labels {
			assert.Contains(t, bounded[name], value, "%s has %s=%q", s.name, name, value)
		}
	}
}

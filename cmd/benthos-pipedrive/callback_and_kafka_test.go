//go:build !no_kafka

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// fanOut runs the recipe that posts events to an application and writes them to a topic.
type fanOut struct {
	t      *testing.T
	sim    *simulator.Simulator
	folder string
	env    []string

	appIsDown, topicIsDown atomic.Bool
	refusals               atomic.Int64 // while it was down
	mu                     sync.Mutex
	posted                 map[string]int // how often an event was taken by the application, by its id
	topic                  *kgo.Client
	written                map[string]int // the same of the topic
}

func newFanOut(t *testing.T, deals int) *fanOut {
	t.Helper()
	const plenty = 100_000_000
	f := &fanOut{
		t: t, sim: simulator.RunT(t, simulator.Options{Deals: deals, DailyBudget: plenty, Burst: plenty}),
		folder: t.TempDir(), posted: map[string]int{}, written: map[string]int{},
	}
	app := httptest.NewServer(http.HandlerFunc(f.take))
	t.Cleanup(app.Close)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "pipedrive"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return nil, errors.New("the connection is closed"), f.topicIsDown.Load()
	})
	f.topic, err = kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("pipedrive"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	t.Cleanup(f.topic.Close)
	f.env = []string{
		"PIPEDRIVE_BASE_URL=" + f.sim.URL(), "PIPEDRIVE_API_TOKEN=" + f.sim.Token(), "POLL_INTERVAL=100ms",
		"CALLBACK_URL=" + app.URL, "SIGNING_KEY=key", "KAFKA_BROKERS=" + strings.Join(cluster.ListenAddrs(), ","),
	}
	return f
}

// take is the application: of deal 7 it never wants to hear.
func (f *fanOut) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
	case f.appIsDown.Load():
		f.refusals.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	case readEvent(body).ObjectID == "7":
		http.Error(w, "no such deal", http.StatusUnprocessableEntity)
	default:
		f.mu.Lock()
		defer f.mu.Unlock()
		f.posted[r.Header.Get("webhook-id")]++
	}
}

// start runs the recipe as it is, but for the time between the tries of a callback.
func (f *fanOut) start() (*exec.Cmd, *bytes.Buffer) {
	f.t.Helper()
	recipe, err := filepath.Abs("../../config/callback_and_kafka.yaml")
	require.NoError(f.t, err)
	const callback = "output.switch.cases.1.output.broker.outputs.0.fallback.0.pipedrive_callback."
	run := program(f.t, "run", "--set", "http.enabled=false",
		"--set", callback+"retry.initial_interval=20ms", "--set", callback+"retry.max_interval=50ms", "--set", callback+"retry.max_attempts=1000", recipe)
	run.Dir = f.folder
	run.Env = append(run.Env, f.env...)
	log := &bytes.Buffer{}
	run.Stdout, run.Stderr = log, log
	require.NoError(f.t, run.Start())
	f.t.Cleanup(func() {
		_ = run.Process.Kill()
		_ = run.Wait()
		if f.t.Failed() {
			f.t.Logf("the program said:\n%s", log)
		}
	})
	return run, log
}

// counts are how many events the application and the topic have.
func (f *fanOut) counts() (posted, written int) {
	ctx, cancel := context.WithTimeout(f.t.Context(), 50*time.Millisecond)
	defer cancel()
	f.topic.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
		e := readEvent(r.Value)
		assert.Equal(f.t, "deal/"+e.ObjectID, string(r.Key))
		f.written[e.ID]++
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.posted), len(f.written)
}

func (f *fanOut) eventually(why string, done func(posted, written int) bool) {
	f.t.Helper()
	require.Eventually(f.t, func() bool { return done(f.counts()) }, 20*time.Second, 10*time.Millisecond, why)
}

// feedEvent is what is looked at of an event, or of the dead letter of one.
type feedEvent struct {
	ID       string `json:"id"`
	ObjectID string `json:"object_id"`
	Error    string `json:"error"`
}

// readEvent is empty for what is no event.
func readEvent(text []byte) (e feedEvent) {
	_ = json.Unmarshal(text, &e)
	return e
}

// letters are the errors of a file of dead letters, in the order of its lines.
func (f *fanOut) letters(name string) (errors []string) {
	content, err := os.ReadFile(filepath.Join(f.folder, "state", name))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(content)) {
		errors = append(errors, readEvent([]byte(line)).Error)
	}
	return errors
}

// Each branch keeps what it is refused for good to itself: the other one has the event, and neither has one twice.
func TestTheApplicationAndKafkaHaveDeadLettersOfTheirOwn(t *testing.T) {
	t.Parallel()
	const deals = 30
	f := newFanOut(t, deals)
	f.start()
	f.eventually("all but one are posted, and all are written", func(posted, written int) bool { return posted == deals-1 && written == deals })
	f.sim.Add("deals", simulator.Fields{"title": strings.Repeat("too long ", 200_000)})
	f.sim.Add("deals", simulator.Fields{"title": "Blue Harbor"})
	f.eventually("the long one is posted but not written", func(posted, written int) bool { return posted == deals+1 && written == deals+1 })
	f.eventually("the refused are dead letters", func(int, int) bool {
		return len(f.letters("dead_letters_of_app.jsonl")) == 1 && len(f.letters("dead_letters_of_topic.jsonl")) == 1
	})
	assert.Contains(t, f.letters("dead_letters_of_app.jsonl")[0], "422 Unprocessable Entity: no such deal")
	assert.Contains(t, f.letters("dead_letters_of_topic.jsonl")[0], "MESSAGE_TOO_LARGE")
	for _, counts := range []map[string]int{f.posted, f.written} {
		for id, n := range counts {
			assert.Equal(t, 1, n, id)
		}
	}
}

// The slower branch sets the pace, an outage makes no dead letter, and what only one of them had at a crash comes to both.
func TestTheApplicationAndKafkaWaitForEachOther(t *testing.T) {
	t.Parallel()
	const deals = 200
	f := newFanOut(t, deals)
	f.appIsDown.Store(true)
	p, _ := f.start()
	f.eventually("the application is asked and asked", func(int, int) bool { return f.refusals.Load() > 100 })
	_, ahead := f.counts()
	t.Logf("Kafka is %d events ahead", ahead)
	assert.GreaterOrEqual(t, ahead, 8)
	assert.LessOrEqual(t, ahead, 12)
	require.NoError(t, p.Process.Kill())
	_ = p.Wait()

	f.topicIsDown.Store(true)
	f.appIsDown.Store(false)
	f.start()
	f.eventually("the application is posted to", func(posted, _ int) bool { return posted > 0 })
	f.topicIsDown.Store(false)
	f.eventually("both have all", func(posted, written int) bool { return posted == deals-1 && written == deals })
	assert.Len(t, f.letters("dead_letters_of_app.jsonl"), 1)
	assert.Empty(t, f.letters("dead_letters_of_topic.jsonl"))
	assert.Empty(t, f.letters("dead_letters.jsonl"))
}

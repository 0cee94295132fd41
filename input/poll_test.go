package input_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"

	_ "github.com/benthos-pipedrive/benthos-pipedrive/input"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// plenty is a budget that no test spends.
const plenty = 100_000_000

// pipeline is a stream of the host that reads a simulated Pipedrive over a socket.
type pipeline struct {
	t      *testing.T
	stream *service.Stream
	log    *syncBuffer

	mu      sync.Mutex
	got     []got
	batches int
	came    chan struct{} // receives after each batch
	ended   chan error

	// refuse decides what becomes of a batch; nil accepts.
	refuse func(service.MessageBatch) error
}

type got struct {
	body string
	meta map[string]string
	at   int // number of its batch
}

// newPipeline builds one; %URL and %TOKEN in the YAML are the simulator's. A folder gets the cache `state`.
func newPipeline(t *testing.T, sim *simulator.Simulator, yaml string, refuse func(service.MessageBatch) error, folder ...string) *pipeline {
	t.Helper()
	p := &pipeline{t: t, log: &syncBuffer{}, came: make(chan struct{}, 1000), ended: make(chan error, 1), refuse: refuse}
	b := service.NewStreamBuilder()
	b.SetLogger(slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	yaml = strings.NewReplacer("%URL", sim.URL(), "%TOKEN", sim.Token()).Replace(yaml)
	require.NoError(t, b.AddInputYAML(yaml))
	for _, f := range folder {
		require.NoError(t, b.AddCacheYAML("label: state\nbolt: { path: "+f+"/state.db }"))
	}
	require.NoError(t, b.AddBatchConsumerFunc(func(_ context.Context, batch service.MessageBatch) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		defer func() { p.came <- struct{}{} }()
		if p.refuse != nil {
			if err := p.refuse(batch); err != nil {
				return err
			}
		}
		p.keep(batch)
		return nil
	}))
	stream, err := b.Build()
	require.NoError(t, err)
	p.stream = stream
	return p
}

// keep takes messages in. The lock is held.
func (p *pipeline) keep(batch service.MessageBatch) {
	for _, m := range batch {
		body, err := m.AsBytes()
		assert.NoError(p.t, err)
		g := got{body: string(body), meta: map[string]string{}, at: p.batches}
		assert.NoError(p.t, m.MetaWalk(func(k, v string) error { g.meta[k] = v; return nil }))
		p.got = append(p.got, g)
	}
	p.batches++
}

func (p *pipeline) start() {
	go func() { p.ended <- p.stream.Run(context.Background()) }()
}

func (p *pipeline) stop() {
	p.t.Helper()
	require.NoError(p.t, p.stream.StopWithin(20*time.Second))
	require.NoError(p.t, <-p.ended)
}

// await waits until n messages have come.
func (p *pipeline) await(n int) []got {
	p.t.Helper()
	late := time.After(30 * time.Second)
	for {
		p.mu.Lock()
		all := append([]got(nil), p.got...)
		p.mu.Unlock()
		if len(all) >= n {
			return all
		}
		select {
		case <-p.came:
		case <-late:
			require.FailNow(p.t, "too few messages", "%d of %d came; log:\n%s", len(all), n, p.log)
		}
	}
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

const simplePoll = `
pipedrive_poll:
  base_url: %URL
  api_token: %TOKEN
  objects: [ deals ]
  interval: 50ms
  overlap: 2s
  page_size: 100
  daily_token_share: 1
`

func TestRecordsComeAsPipedriveSentThemWithTheirMetadata(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 250, DailyBudget: plenty, Burst: plenty})
	p := newPipeline(t, sim, simplePoll+"  instance_id: \"20931\"\n", nil)
	p.start()
	first := p.await(250)
	sim.Update("deals", "7", simulator.Fields{"title": "Changed", "value": 2500.10})
	all := p.await(251)
	p.stop()

	state := sim.State("deals")
	for _, g := range all[1:] {
		if g.meta["pipedrive_id"] != "7" {
			assert.Equal(t, string(state[g.meta["pipedrive_id"]]), g.body, "byte for byte")
		}
	}
	perBatch := map[int]int{}
	for _, g := range first {
		perBatch[g.at]++
	}
	assert.Equal(t, map[int]int{0: 100, 1: 100, 2: 50}, perBatch, "a page is a batch")

	assert.NotContains(t, all[0].meta, "pipedrive_received_at", "it changed long ago")
	last := all[250]
	assert.Equal(t, string(state["7"]), last.body)
	assert.NotEmpty(t, last.meta["pipedrive_time"])
	delete(last.meta, "pipedrive_time")
	received, err := time.Parse(time.RFC3339, last.meta["pipedrive_received_at"])
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), received, time.Minute)
	delete(last.meta, "pipedrive_received_at")
	assert.Equal(t, map[string]string{
		"pipedrive_via":         "poll",
		"pipedrive_schema":      "rest_v2",
		"pipedrive_object":      "deal",
		"pipedrive_id":          "7",
		"pipedrive_action":      "updated",
		"pipedrive_company_id":  "10400001",
		"pipedrive_host":        "acme-sandbox.pipedrive.com",
		"pipedrive_instance_id": "20931",
	}, last.meta)
}

// A page is refused in whole, then in part: what was refused comes again, and nothing else.
func TestARefusedPageIsReplayed(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 250, DailyBudget: plenty, Burst: plenty})
	refused := 0
	var p *pipeline
	p = newPipeline(t, sim, simplePoll, func(b service.MessageBatch) error {
		switch refused++; refused {
		case 1:
			return errors.New("all are bad")
		case 2:
			p.keep(slices.Concat(b[:3], b[4:]))
			return service.NewBatchError(b, errors.New("one is bad")).Failed(3, errors.New("bad"))
		}
		return nil
	})
	p.start()
	all := p.await(250)
	p.stop()
	ids := map[string]int{}
	for _, g := range all {
		ids[g.meta["pipedrive_id"]]++
	}
	assert.Len(t, ids, 250)
	assert.Len(t, all, 250)
}

func TestWithoutReplayRefusedRecordsAreDroppedAndTheCursorPasses(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 250, DailyBudget: plenty, Burst: plenty})
	refused := 0
	const yaml = simplePoll + "  auto_replay_nacks: false\n  checkpoint_cache: state\n"
	folder := t.TempDir()
	p := newPipeline(t, sim, yaml, func(service.MessageBatch) error {
		if refused++; refused == 2 {
			return errors.New("no room")
		}
		return nil
	}, folder)
	p.start()
	all := p.await(150)
	sim.Update("deals", "7", simulator.Fields{"title": "Changed"})
	all = p.await(len(all) + 1)
	p.stop()
	assert.Len(t, all, 151)
	assert.Contains(t, p.log.String(), "Dropping 100 of 100 records")

	p = newPipeline(t, sim, yaml, nil, folder)
	p.start()
	sim.Update("deals", "9", simulator.Fields{"title": "Changed"})
	all = p.await(1)
	p.stop()
	assert.Len(t, all, 1, "what was dropped stays so")
}

// A cache may lose positions: reading from start_from again is said, also when all are gone.
func TestAPositionThatIsGoneIsSaid(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 5, Persons: 5, DailyBudget: plenty, Burst: plenty})
	yaml, folder := simplePoll+"  checkpoint_cache: state\n", t.TempDir()
	const said = "There is no checkpoint of"
	for i, test := range []struct{ objects, want string }{
		{"[ deals ]", ""},
		{"[ persons ]", said + " persons yet: reading begins at start_from (beginning)"},
		{"[ deals, persons ]", ""},
	} {
		p := newPipeline(t, sim, strings.Replace(yaml, "[ deals ]", test.objects, 1), nil, folder)
		p.start()
		sim.Update("deals", "1", simulator.Fields{"title": test.objects})
		p.await(1)
		p.stop()
		assert.Equal(t, i > 0 && test.objects != "[ persons ]", strings.Contains(p.log.String(), "Reading goes on where the checkpoint ends: deals from 20"), test.objects)
		if test.want == "" {
			assert.NotContains(t, p.log.String(), said)
		} else {
			assert.Contains(t, p.log.String(), test.want)
		}
	}
}

func TestAnOrderlyRestartRepeatsNothing(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 1000, Persons: 300, Pipelines: 5, DailyBudget: plenty, Burst: plenty})
	const yaml = `
pipedrive_poll:
  base_url: %URL
  api_token: %TOKEN
  objects: [ deals, persons, pipelines ]
  interval: 50ms
  overlap: 1h
  page_size: 100
  checkpoint_cache: state
`
	folder := t.TempDir()
	total := 0
	seen := map[string]int{}
	for round := 1; total < 1305; round++ {
		p := newPipeline(t, sim, yaml, nil, folder)
		p.start()
		p.await(min(200, 1305-total))
		p.stop()
		for _, g := range p.got {
			seen[g.meta["pipedrive_object"]+g.meta["pipedrive_id"]]++
		}
		total += len(p.got)
		require.Less(t, round, 20)
	}
	assert.Len(t, seen, 1305)
	for key, n := range seen {
		assert.Equal(t, 1, n, key)
	}
}

func TestShutdownIsPromptWhileTheOutputRefusesEverything(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 1000, DailyBudget: plenty, Burst: plenty})
	before := runtime.NumGoroutine()
	p := newPipeline(t, sim, simplePoll, func(service.MessageBatch) error { return errors.New("down") })
	p.start()
	<-p.came
	began := time.Now()
	_ = p.stream.StopWithin(2 * time.Second) // the host gives up on the acks it will never get
	<-p.ended
	assert.Less(t, time.Since(began), 10*time.Second)
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, 10*time.Second, 20*time.Millisecond, "goroutines are back to the start")
}

func TestNoSecretIsLogged(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 250, DailyBudget: plenty, Burst: plenty})
	p := newPipeline(t, sim, simplePoll, nil)
	sim.FailNext(simulator.Status(500))
	sim.FailNext(simulator.Reset().On("/api/v2/deals"))
	sim.FailNext(simulator.Truncated().On("/api/v2/deals"))
	p.start()
	p.await(250)
	token := sim.Token()
	sim.RevokeToken()
	waitFor(t, func() bool { return strings.Contains(p.log.String(), "401") })
	p.stop()
	assert.NotContains(t, p.log.String(), token)
	for _, r := range sim.Requests() {
		assert.NotContains(t, r.Path+r.Query.Encode(), token)
	}
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	require.Eventually(t, done, 30*time.Second, 10*time.Millisecond)
}

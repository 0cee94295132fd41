package poll_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// world is an engine that polls a simulated Pipedrive in virtual time. What a door does is played by a ledger whose
// pages are acknowledged as they come, and a checkpoint that is stored at once.
type world struct {
	t      *testing.T
	sim    *simulator.Simulator
	config poll.Config
	start  string // start_from
	share  float64
	limit  int // pages in flight

	engine   *poll.Engine
	ledger   *cursor.Ledger
	client   *pipedrive.Client
	log      *logLines
	listener listener

	mu     sync.Mutex
	got    []change
	stored map[string][]byte
	hold   bool // pages stay in flight
	held   []func()
	ended  chan struct{}
}

// plenty is a budget that no test spends.
const plenty = 100_000_000

// change is one record as it was handed on.
type change struct {
	object string // of the list
	id     string
	action poll.Action
	json   string
	time   time.Time

	settled bool
}

func (c change) String() string { return fmt.Sprintf("%s %s %s", c.action, c.object, c.id) }

// inWorld runs a test in virtual time.
func inWorld(t *testing.T, o simulator.Options, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			t:     t,
			sim:   simulator.New(o),
			start: poll.Beginning,
			share: 1,
			limit: 4,
			config: poll.Config{
				Interval:         time.Minute,
				FullReadInterval: 15 * time.Minute,
				Overlap:          time.Minute,
				CreatedTolerance: 5 * time.Second,
				PageSize:         500,
				Owner:            "test",
			},
			log:    &logLines{},
			stored: map[string][]byte{},
		}
		defer func() {
			if w.engine != nil {
				w.stop()
			}
		}()
		test(t, w)
	})
}

// read starts to poll objects from where the stored positions are.
func (w *world) read(objects ...string) {
	w.t.Helper()
	client, err := pipedrive.New(pipedrive.Config{
		BaseURL:       "http://pipedrive.test",
		APIToken:      w.sim.Token(),
		Timeout:       30 * time.Second,
		Transport:     w.sim.Transport(),
		UserAgent:     "test",
		DailyShare:    w.share,
		ProbeInterval: 15 * time.Minute,
		Log:           w.log,
	})
	require.NoError(w.t, err)
	me, err := client.Me(w.t.Context())
	require.NoError(w.t, err)
	account := cursor.Account{Company: me.CompanyID, Host: me.Host}

	config := w.config
	positions := map[string]*cursor.Position{}
	for _, word := range objects {
		object, known := entity.Lookup(word)
		require.True(w.t, known, word)
		p := poll.NewPosition(account, object, w.start, me.ServerTime)
		if stored := w.stored[object.Name]; stored != nil {
			p, err = cursor.Decode(stored)
			require.NoError(w.t, err)
		}
		config.Sources = append(config.Sources, poll.Source{Object: object, Position: p})
		positions[object.Name] = p
	}
	w.client, w.ledger = client, cursor.NewLedger(w.limit, positions)
	config.Client, config.HandOn, config.Log, config.Observer = client, w.take, w.log, &w.listener
	w.ended = make(chan struct{})
	go w.store(w.ledger, w.ended)
	w.engine = poll.Start(config)
}

// take is the door.
func (w *world) take(ctx context.Context, page poll.Page) error {
	if len(page.Records) == 0 {
		w.ledger.Pass(page.Object.Name, page.Step)
		return nil
	}
	keys := make([]cursor.RecordKey, len(page.Records))
	for i, r := range page.Records {
		keys[i] = cursor.RecordKey{Kind: page.Object.Kind, ID: r.ID}
	}
	resolve, err := w.ledger.Track(ctx, page.Object.Name, keys, page.Step)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range page.Records {
		w.got = append(w.got, change{page.Object.Name, r.ID, r.Action, string(r.JSON), r.Time, r.Settled})
	}
	if w.hold {
		w.held = append(w.held, resolve)
	} else {
		resolve()
	}
	return nil
}

// store is the checkpoint.
func (w *world) store(ledger *cursor.Ledger, ended chan struct{}) {
	for {
		select {
		case <-ledger.Moved():
		case <-ended:
			return
		}
		moved, err := ledger.TakeUnstored()
		if err != nil {
			panic(err)
		}
		w.mu.Lock()
		for _, m := range moved {
			w.stored[m.Object] = m.Stored
			m.Settle()
		}
		w.mu.Unlock()
	}
}

// stop ends the engine as a crash would: what is not stored is forgotten.
func (w *world) stop() {
	w.engine.Stop()
	close(w.ended)
	w.client.Close()
	w.engine = nil
	w.held = nil
}

// pass lets virtual time go by.
func (w *world) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// news returns what came since the last call.
func (w *world) news() []change {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	got := w.got
	w.got = nil
	return got
}

func idsOf(came []change) map[string]bool {
	ids := map[string]bool{}
	for _, c := range came {
		ids[c.id] = true
	}
	return ids
}

// lines are the news as words, for short comparisons.
func (w *world) lines() []string {
	var lines []string
	for _, c := range w.news() {
		lines = append(lines, c.String())
	}
	return lines
}

// requireCaughtUp compares the last copy of each record that came with what Pipedrive holds.
func (w *world) requireCaughtUp(list string, came []change) {
	w.t.Helper()
	last := map[string]string{}
	for _, c := range came {
		last[c.id] = c.json
		if c.action == poll.Deleted {
			delete(last, c.id)
		}
	}
	state := w.sim.State(list)
	wrong := 0
	for id, record := range state {
		if last[id] != string(record) {
			wrong++
		}
		delete(last, id)
	}
	require.Zero(w.t, wrong, "of %d %s did not come as they are now", len(state), list)
	require.Empty(w.t, last, "came, but do not exist")
}

// repeats counts the copies that came twice, byte for byte.
func repeats(came []change) int {
	n, seen := 0, map[string]bool{}
	for _, c := range came {
		key := c.object + c.id + c.json
		if seen[key] {
			n++
		}
		seen[key] = true
	}
	return n
}

type nobody struct{}

func (nobody) Interval(string, time.Duration)  {}
func (nobody) FirstWalk(string, poll.Progress) {}

// logLines keeps what was logged for a person.
type logLines struct {
	mu       sync.Mutex
	warnings []string
}

func (l *logLines) Warnf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.warnings = append(l.warnings, fmt.Sprintf(format, args...))
}

func (l *logLines) Infof(string, ...any)  {}
func (l *logLines) Debugf(string, ...any) {}

func (l *logLines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.warnings...)
}

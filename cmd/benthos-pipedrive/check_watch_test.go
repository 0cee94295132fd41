package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/checkup"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

const firstWalk = `
pipedrive_first_walk_done{label="crm",object="deals",path="root.input"} 0
pipedrive_first_walk_done{label="crm",object="persons",path="root.input"} 1
pipedrive_first_walk_records{label="crm",object="deals",path="root.input"} 12500
pipedrive_first_walk_pages{label="crm",object="deals",path="root.input"} 25
pipedrive_first_walk_records_per_second{label="crm",object="deals",path="root.input"} 1250
pipedrive_first_walk_seconds_left{label="crm",object="deals",path="root.input"} 90
pipedrive_records_total{action="snapshot",label="crm",object="persons",path="root.input"} 1200
pipedrive_poll_lag_seconds{label="crm",object="persons",path="root.input"} 12
pipedrive_poll_interval_seconds{label="crm",object="persons",path="root.input"} 60
pipedrive_tokens_remaining{label="crm",path="root.input"} 14788
pipedrive_journal_pending{label="door",path="root.input"} 3
`

// shown is what a watcher writes at noon, and two seconds later.
func shown(t *testing.T, terminal bool, then, now checkup.Running, failed error) string {
	t.Helper()
	var out strings.Builder
	w := watcher{to: &out, terminal: terminal, url: "http://127.0.0.1:4195/metrics", veil: &veil{secrets: []string{hookSecret}}}
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	require.NoError(t, w.show(noon, then, nil))
	out.Reset()
	require.NoError(t, w.show(noon.Add(2*time.Second), now, failed))
	return out.String()
}

func metricsOf(t *testing.T, text string) checkup.Metrics {
	t.Helper()
	m, err := readMetrics(text)
	require.NoError(t, err)
	return m
}

func TestWatchIsATableThatStaysInItsPlace(t *testing.T) {
	t.Parallel()
	then := checkup.Running{Ready: true, Metrics: metricsOf(t, firstWalk)}
	now := checkup.Running{Ready: true, Metrics: metricsOf(t, strings.Replace(firstWalk, "} 1200\n", "} 1203\n", 1))}
	text := shown(t, true, then, now, nil)
	assert.True(t, strings.HasPrefix(text, home), "it begins at the upper left")
	assert.True(t, strings.HasSuffix(text, toLineEnd+"\n"+toScreenEnd), "and leaves nothing of the table before")
	assert.Equal(t, `12:00:02  ready  http://127.0.0.1:4195/metrics
14,788 tokens left of the share, 3 webhooks wait in the journal

INPUT  OBJECT   STATE       RECORDS  PAGES  A SECOND  LEFT   LAG  EVERY
crm    deals    first walk  12,500   25     1,250     1m30s  -    -
crm    persons  following   1,203    -      1.5       -      12s  1m0s
`, strings.NewReplacer(home, "", toLineEnd, "", toScreenEnd, "").Replace(text))
}

func TestWatchIsALineEachTimeWhereThereIsNoTerminal(t *testing.T) {
	t.Parallel()
	running := checkup.Running{Ready: true, Metrics: metricsOf(t, firstWalk)}
	assert.Equal(t, "12:00:02  ready; deals first walk, 12,500 records in 25 pages, 1,250/s, 1m30s left; persons following, 1,200 records, lag 12s; 14,788 tokens left of the share; 3 webhooks wait in the journal\n",
		shown(t, false, running, running, nil))

	running.Ready, running.Reasons = false, []string{"crm: 401\x1b[2J " + hookSecret}
	running.Metrics = append(running.Metrics, metricsOf(t, strings.ReplaceAll(firstWalk, `"crm"`, `"two"`))...)
	assert.Regexp(t, `^12:00:02  not ready: crm: 401\?\[2J \*\*\*; crm deals first walk, .*; two persons following, `, shown(t, false, running, running, nil))

	assert.Equal(t, "12:00:02  nothing answers\n", shown(t, false, running, checkup.Running{}, checkup.ErrNobody), "and it goes on")
	assert.Equal(t, home+"12:00:02  nothing answers"+toLineEnd+"\n"+toScreenEnd, shown(t, true, running, checkup.Running{}, checkup.ErrNobody))
}

// A look at the start and at each tick, until the context ends.
func TestWatchLooksAtEachTickAndEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	ticks := make(chan time.Time)
	looks := 0
	w := watcher{to: io.Discard, ticks: ticks, veil: &veil{}, ask: func(context.Context) (checkup.Running, error) {
		looks++
		return checkup.Running{}, errors.New("not yet")
	}}
	ended := make(chan error)
	go func() { ended <- w.run(ctx) }()
	for range 3 {
		ticks <- time.Now()
	}
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	assert.GreaterOrEqual(t, looks, 3)
	assert.LessOrEqual(t, looks, 4)
}

// firstLine receives the first line that is written.
type firstLine struct {
	once sync.Once
	line chan string
}

func (f *firstLine) Write(p []byte) (int, error) {
	f.once.Do(func() { f.line <- string(p) })
	return len(p), nil
}

func TestCheckWatchShowsTheProcessAndAsksPipedriveNothing(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{})
	path := pipelineOf(t, sim, checkedPoll)
	running := playProcess(t, firstWalk, 200, "")
	out := &firstLine{line: make(chan string, 1)}
	app := appOf(checkCommand(), out, io.Discard)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- app.RunContext(ctx, []string{name, "check", "--watch", "--metrics-url", running, path})
	}()
	assert.Contains(t, <-out.line, "deals first walk, 12,500 records in 25 pages")
	cancel()
	require.NoError(t, <-ended, "Ctrl-C is the way to end it, and no mistake")
	assert.Empty(t, sim.Requests())
}

func TestCheckIsOneOfTheProgramsCommandsWithItsExitCodes(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Deals: 5, Persons: 5})
	path := pipelineOf(t, sim, checkedPoll)
	p := program(t, "check", path)
	out, err := p.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "everything is in order; this check spent 22 tokens of the daily budget")

	sim.DenyScope("deals")
	p = program(t, "check", path)
	out, err = p.CombinedOutput()
	require.Error(t, err)
	assert.Equal(t, 1, p.ProcessState.ExitCode(), string(out))

	require.NoError(t, os.WriteFile(path, []byte("input: { pipedrive_poll: { intervall: 1m } }"), 0o600))
	p = program(t, "check", path)
	out, err = p.CombinedOutput()
	require.Error(t, err)
	assert.Equal(t, 2, p.ProcessState.ExitCode(), string(out))
	assert.Contains(t, string(out), "pipeline.yaml(1,1) field intervall not recognised")
}

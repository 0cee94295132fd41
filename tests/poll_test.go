package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// plenty is a budget that no test spends.
const plenty = 100_000_000

// killedPoll writes every record to a file, and keeps its checkpoint in another.
const killedPoll = `
http: { enabled: false }
input:
  pipedrive_poll:
    base_url: %s
    api_token: %s
    objects: [ deals, persons, organizations ]
    interval: 200ms
    overlap: 1h
    page_size: %d
    checkpoint_limit: %d
    checkpoint_cache: state
    daily_token_share: 1
pipeline:
  processors:
    - mapping: |
        root.object = @pipedrive_object
        root.record = content().string()
output:
  file: { path: out.jsonl, codec: lines }
cache_resources:
  - label: state
    bolt: { path: state/state.db }
`

// kill -9 at any time loses nothing and repeats at most the pages in flight.
func TestPollKilledAgainAndAgainLosesNothing(t *testing.T) {
	const rounds, pageSize, limit, objects = 6, 100, 2, 3
	sim := simulator.RunT(t, simulator.Options{Deals: 4000, Persons: 2000, Organizations: 1000, DailyBudget: plenty, Burst: plenty})
	folder := t.TempDir()
	out := filepath.Join(folder, "out.jsonl")
	yaml := fmt.Sprintf(killedPoll, sim.URL(), sim.Token(), pageSize, limit)
	sim.FailAlways(simulator.Slow(20 * time.Millisecond).On("/api/v2")) // so that every kill falls into the first walks
	changing, enough := context.WithCancel(t.Context())
	var people sync.WaitGroup
	people.Go(func() { sim.KeepChanging(changing, 200, nil) })

	for round := range rounds {
		before := lines(t, out)
		p := run(t, folder, yaml)
		eventually(t, "records come", func() bool { return lines(t, out) > before+300+150*round })
		p.kill()
		mend(t, out)
	}
	enough()
	people.Wait()
	p := run(t, folder, yaml)
	eventually(t, "it catches up", func() bool { return missing(sim, read(t, out)) == 0 })
	p.stop()

	all := read(t, out)
	repeated, seen := 0, map[string]bool{}
	for _, line := range all {
		if seen[line] {
			repeated++
		}
		seen[line] = true
	}
	t.Logf("%d records, %d of them repeated, in %d rounds", len(all), repeated, rounds)
	assert.LessOrEqual(t, repeated, rounds*objects*limit*pageSize)
}

// missing counts records whose present state has not come. Deleted persons and organizations are not in the state.
func missing(sim *simulator.Simulator, came []string) int {
	last := map[string]string{}
	for _, line := range came {
		var l struct{ Object, Record string }
		if json.Unmarshal([]byte(line), &l) != nil {
			continue
		}
		var r struct{ ID json.Number }
		if json.Unmarshal([]byte(l.Record), &r) != nil {
			continue
		}
		last[l.Object+r.ID.String()] = l.Record
	}
	n := 0
	for list, kind := range map[string]string{"deals": "deal", "persons": "person", "organizations": "organization"} {
		for id, record := range sim.State(list) {
			if last[kind+id] != string(record) {
				n++
			}
		}
	}
	return n
}

func lines(t *testing.T, path string) int {
	t.Helper()
	return len(read(t, path))
}

// read returns the whole lines of a file: what follows the last line feed is still being written.
func read(t *testing.T, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	all := strings.Split(string(b), "\n")
	return all[:len(all)-1]
}

// mend ends a line that the kill cut in two: the sink is a plain file, and the record comes again.
func mend(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	if len(b) > 0 && b[len(b)-1] != '\n' {
		require.NoError(t, os.WriteFile(path, append(b, '\n'), 0o600))
	}
}

// /ready turns 503 while the source cannot be read, and 200 when it can again. Metrics say the same.
func TestReadyTellsTheTruth(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 10, DailyBudget: plenty, Burst: plenty})
	address := unrest.FreeAddress(t)
	p := run(t, t.TempDir(), fmt.Sprintf(`
http: { address: %s }
input:
  pipedrive_poll:
    base_url: %s
    api_token: %s
    objects: [ deals ]
    interval: 100ms
output: { drop: {} }
`, address, sim.URL(), sim.Token()))
	ready := func() int { status, _ := get("http://" + address + "/ready"); return status }
	eventually(t, "it gets ready", func() bool { return ready() == http.StatusOK })
	token := sim.Token()
	sim.RevokeToken()
	eventually(t, "it is not ready", func() bool { return ready() == http.StatusServiceUnavailable })
	said := ""
	eventually(t, "it says why", func() bool { _, said = get("http://" + address + "/ready"); return strings.Contains(said, "401") })
	assert.NotContains(t, said, token)
	sim.SetToken(token)
	eventually(t, "it gets ready again", func() bool { return ready() == http.StatusOK })

	const all = `pipedrive_records_total{action="snapshot",label="",object="deals",path="root.input"} 10`
	metrics := ""
	eventually(t, "it has read all", func() bool { _, metrics = get("http://" + address + "/metrics"); return strings.Contains(metrics, all) })
	for _, name := range []string{
		`pipedrive_requests_total{code="200",label="",object="deals",path="root.input"}`,
		"pipedrive_request_latency_ns", "pipedrive_tokens_spent_total", "pipedrive_tokens_remaining",
		`pipedrive_poll_interval_seconds{`,
		`pipedrive_first_walk_records{label="",object="deals",path="root.input"} 10`,
		`pipedrive_first_walk_pages{label="",object="deals",path="root.input"} 1`,
		`pipedrive_first_walk_done{label="",object="deals",path="root.input"} 1`,
	} {
		assert.Contains(t, metrics, name)
	}
	assert.NotContains(t, p.stop(), token)
}

// When the company's daily budget is spent, nothing is asked and the input is not ready, until there is a new one.
func TestASpentBudgetIsNotReady(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 10, DailyBudget: plenty, Burst: plenty})
	address := unrest.FreeAddress(t)
	p := run(t, t.TempDir(), fmt.Sprintf(`
http: { address: %s }
input:
  pipedrive_poll:
    base_url: %s
    api_token: %s
    objects: [ deals ]
    interval: 100ms
    daily_token_share: 1
    budget_probe_interval: 1s
output: { drop: {} }
`, address, sim.URL(), sim.Token()))
	ready := func() int { status, _ := get("http://" + address + "/ready"); return status }
	eventually(t, "it gets ready", func() bool { return ready() == http.StatusOK })
	sim.SetQuirks(func(q *simulator.Quirks) { q.NoRetryAfter = true })
	sim.Spend(plenty)
	eventually(t, "it is not ready", func() bool { return ready() == http.StatusServiceUnavailable })
	said := ""
	eventually(t, "it says why", func() bool { _, said = get("http://" + address + "/ready"); return strings.Contains(said, "budget") })
	sim.SetBudget(2 * plenty)
	eventually(t, "it gets ready again", func() bool { return ready() == http.StatusOK })
	assert.Contains(t, p.stop(), "daily")
}

// An output that holds records back for its batch does not stop the reading.
func TestAnOutputThatBatches(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 25, DailyBudget: plenty, Burst: plenty})
	folder := t.TempDir()
	out := filepath.Join(folder, "out.jsonl")
	run(t, folder, fmt.Sprintf(`
http: { enabled: false }
input:
  pipedrive_poll:
    base_url: %s
    api_token: %s
    objects: [ deals ]
    interval: 50ms
    daily_token_share: 1
output:
  broker:
    outputs: [ { file: { path: out.jsonl, codec: lines } } ]
    batching: { count: 10 }
`, sim.URL(), sim.Token()))
	eventually(t, "the first page comes", func() bool { return lines(t, out) == 25 })
	sim.AddMany("deals", 3)
	before := sim.Count("/api/v2/deals")
	eventually(t, "reading goes on with three records held back", func() bool { return sim.Count("/api/v2/deals") > before+20 })
	assert.Equal(t, 25, lines(t, out))
	sim.AddMany("deals", 7)
	eventually(t, "seven more fill the batch", func() bool { return lines(t, out) == 35 })
}

func get(url string) (int, string) {
	res, err := http.Get(url)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

// Mistakes that the configuration alone shows end the program with status 1 and one line that names the field.
func TestBadConfigurationEndsTheProgram(t *testing.T) {
	for _, test := range []struct{ name, field, says string }{
		{"an unknown object", "objects: [ dogs ]", "dogs"},
		{"an odd start", "start_from: yesterday", "start_from"},
		{"both credentials", "oauth2: { client_id: a, client_secret: b, refresh_token: c }", "oauth2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := run(t, t.TempDir(), "http: { enabled: false }\ninput:\n  pipedrive_poll:\n    api_token: abc\n    "+test.field+"\noutput: { drop: {} }\n")
			_ = p.cmd.Wait()
			assert.Equal(t, 1, p.cmd.ProcessState.ExitCode())
			assert.Contains(t, p.log.String(), test.says)
		})
	}
}

// An unwritable state path is no crash: the program says so, is not ready, and goes on when it is mended.
func TestAnUnwritableStatePathIsWaitedFor(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 10, DailyBudget: plenty, Burst: plenty})
	folder, address := t.TempDir(), unrest.FreeAddress(t)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "state"), nil, 0o600), "a file where a folder has to be")
	run(t, folder, strings.Replace(fmt.Sprintf(killedPoll, sim.URL(), sim.Token(), 100, 2), "{ enabled: false }", "{ address: "+address+" }", 1))
	said := ""
	eventually(t, "it says why it is not ready", func() bool {
		status, body := get("http://" + address + "/ready")
		said = body
		return status == http.StatusServiceUnavailable && strings.Contains(body, "not a directory")
	})
	assert.Contains(t, said, "path")
	require.NoError(t, os.Remove(filepath.Join(folder, "state")))
	eventually(t, "records come", func() bool { return lines(t, filepath.Join(folder, "out.jsonl")) == 10 })
	eventually(t, "it is ready", func() bool { status, _ := get("http://" + address + "/ready"); return status == http.StatusOK })
}

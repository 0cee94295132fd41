package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// simulated is a running simulate.
type simulated struct {
	url, token string
	pipeline   string // all that it printed
	end        func() (exit error)
}

// simulate starts the command on a free port and waits until it has printed its pipeline.
func simulate(t *testing.T, args ...string) *simulated {
	t.Helper()
	c := program(t, append([]string{"simulate", "--address", "127.0.0.1:0"}, args...)...)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	c.Stderr = os.Stderr
	require.NoError(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill() })

	s := &simulated{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		s.pipeline += lines.Text() + "\n"
		if export, ok := strings.CutPrefix(lines.Text(), "# export "); ok {
			for _, variable := range strings.Fields(export) {
				name, value, _ := strings.Cut(variable, "=")
				switch name {
				case "PIPEDRIVE_BASE_URL":
					s.url = value
				case "PIPEDRIVE_API_TOKEN":
					s.token = value
				}
			}
		}
		if strings.HasPrefix(lines.Text(), "  stdout:") {
			break
		}
	}
	require.NotEmpty(t, s.url, s.pipeline)
	s.end = func() error {
		require.NoError(t, c.Process.Signal(syscall.SIGTERM))
		return c.Wait()
	}
	return s
}

// deals asks for the first page and returns the status and the number of deals in it.
func (s *simulated) deals(t *testing.T, token string) (status, count int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/api/v2/deals?limit=500", nil)
	require.NoError(t, err)
	r.Header.Set("X-Api-Token", token)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	require.NoError(t, err)
	var page struct {
		Data []json.RawMessage `json:"data"`
	}
	_ = json.Unmarshal(body, &page)
	return answer.StatusCode, len(page.Data)
}

func TestSimulateServesTheAccountUntilItIsTold(t *testing.T) {
	t.Parallel()
	s := simulate(t, "--deals", "7", "--token", "abc", "--changes-per-second", "0")

	status, count := s.deals(t, "abc")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, 7, count)
	status, _ = s.deals(t, "xyz")
	assert.Equal(t, http.StatusUnauthorized, status)
	assert.NoError(t, s.end())
}

func TestSimulatedAccountChanges(t *testing.T) {
	t.Parallel()
	s := simulate(t, "--deals", "7", "--changes-per-second", "1000", "--verbose")
	// Deals are created more often than they are deleted, so that they become more.
	require.Eventually(t, func() bool {
		_, count := s.deals(t, s.token)
		return count > 7
	}, 10*time.Second, 10*time.Millisecond)
	assert.NoError(t, s.end())
}

func TestSimulateEndsByItself(t *testing.T) {
	t.Parallel()
	c := program(t, "simulate", "--address", "127.0.0.1:0", "--duration", "100ms")
	assert.NoError(t, c.Run())
}

func TestSimulateFailsAsOftenAsAsked(t *testing.T) {
	t.Parallel()
	s := simulate(t, "--fail-every", "3", "--rate-limit-every", "4", "--changes-per-second", "0")
	var got []int
	for range 8 {
		status, _ := s.deals(t, s.token)
		got = append(got, status)
	}
	assert.Equal(t, []int{200, 200, 503, 429, 200, 503, 200, 429}, got)
}

func TestPrintedPipelineReadsTheAccount(t *testing.T) {
	t.Parallel()
	s := simulate(t, "--deals", "5", "--persons", "4", "--organizations", "3", "--changes-per-second", "0")
	run := program(t, "run", "--set", "http.enabled=false", "pipeline.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(run.Dir, "pipeline.yaml"), []byte(s.pipeline), 0o600))
	out, err := run.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, run.Start())
	t.Cleanup(func() { _ = run.Process.Kill() })

	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for range 5 + 4 + 3 {
		require.True(t, lines.Scan(), "the pipeline ended")
		assert.True(t, json.Valid(lines.Bytes()), lines.Text())
	}
	require.NoError(t, run.Process.Signal(syscall.SIGTERM))
	assert.NoError(t, run.Wait())
}

// Every change is posted to --webhook with the credentials, and a line on standard error says what became of it.
func TestSimulateSendsWebhooks(t *testing.T) {
	t.Parallel()
	type hook struct {
		user, password string
		body           struct {
			V     int    `json:"v"`
			Event string `json:"event"`
		}
	}
	hooks := make(chan hook)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var h hook
		h.user, h.password, _ = r.BasicAuth()
		_ = json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&h.body)
		w.WriteHeader(http.StatusAccepted)
		select {
		case hooks <- h:
		case <-r.Context().Done():
		}
	}))
	defer receiver.Close()
	c := program(t, "simulate", "--address", "127.0.0.1:0", "--changes-per-second", "100", "--webhook", receiver.URL+"/events",
		"--webhook-version", "1.0", "--webhook-user", "hook", "--webhook-password", "geheim")
	told, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill() })

	h := <-hooks
	assert.Equal(t, "hook", h.user)
	assert.Equal(t, "geheim", h.password)
	assert.Equal(t, 1, h.body.V)
	assert.NotEmpty(t, h.body.Event)
	lines := bufio.NewScanner(told)
	require.True(t, lines.Scan())
	assert.Regexp(t, `^webhook (added|updated|deleted) (deal|person|organization) \d+: 202 in `, lines.Text())
	assert.NotContains(t, lines.Text(), "geheim")
	go func() {
		for lines.Scan() { // so that it does not block on a full pipe
		}
	}()
	require.NoError(t, c.Process.Signal(syscall.SIGTERM))
	assert.NoError(t, c.Wait(), "it ends although deliveries are under way")
}

func TestLinesAboutDeliveries(t *testing.T) {
	t.Parallel()
	tries := []simulator.Try{{Status: 503, Took: 4 * time.Millisecond}}
	d := simulator.Delivery{Action: "change", Entity: "deal", EntityID: "101", Tries: tries, Outcome: simulator.Pending}
	assert.Equal(t, "webhook change deal 101: 503 in 4ms, try 1, will be tried again", tellDelivery(d))
	d.Outcome, d.Tries = simulator.Dropped, append(tries, simulator.Try{Err: errors.New("refused"), Took: time.Second})
	assert.Equal(t, "webhook change deal 101: refused in 1s, try 2, given up", tellDelivery(d))
	d.Outcome = simulator.Lost
	assert.Equal(t, "webhook change deal 101: lost, the webhook is banned or removed", tellDelivery(d))
}

func TestSimulateNamesEveryBadFlag(t *testing.T) {
	t.Parallel()
	c := program(t, "simulate", "--deals", "-1", "--burst", "0", "--changes-per-second", "NaN", "--token", "a b",
		"--duration", "-1s", "--fail-every", "-2", "--webhook", "user:geheim@nowhere", "--webhook-version", "3", "extra")
	said, err := c.CombinedOutput()
	assert.ErrorContains(t, err, "exit status 1")
	for _, text := range []string{
		"--deals is -1 and must be 0 or more",
		"--burst is 0 and must be 1 or more",
		"--changes-per-second is NaN and must be from 0 to 1000",
		`--token is "a b" and must be letters`,
		"--duration is -1s and must be 0s or more",
		"--fail-every is -2 and must be 0 or more",
		"--webhook must be an absolute http or https URL",
		`--webhook-version is "3" and must be 2.0 or 1.0`,
		`not "extra"`,
	} {
		assert.Contains(t, string(said), text)
	}
	assert.NotContains(t, string(said), "geheim")
}

func TestSimulateSaysThatTheAddressIsTaken(t *testing.T) {
	t.Parallel()
	s := simulate(t)
	c := program(t, "simulate", "--address", strings.TrimPrefix(s.url, "http://"))
	said, err := c.CombinedOutput()
	assert.ErrorContains(t, err, "exit status 1")
	assert.Contains(t, string(said), "--address")
	assert.Contains(t, string(said), "address already in use")
}

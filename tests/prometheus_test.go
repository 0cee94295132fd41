//go:build prometheus

package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// prometheusTool is where .ci/prometheus has put it.
func prometheusTool(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../bin/prometheus", name))
	require.NoError(t, err)
	require.FileExists(t, path, "run this by make alerts")
	return path
}

func TestPrometheusTakesTheRules(t *testing.T) {
	promtool := prometheusTool(t, "promtool")
	for _, args := range [][]string{
		{"check", "rules", alertsFile},
		{"test", "rules", filepath.Join(filepath.Dir(alertsFile), "alerts_test.yaml")},
	} {
		said, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput()
		assert.NoError(t, err, "promtool %s: %s", strings.Join(args, " "), said)
	}
}

// prometheusServer is a running Prometheus.
type prometheusServer struct{ url string }

// watch runs a Prometheus with the alert rules that scrapes an address every second.
func watch(t *testing.T, address string) prometheusServer {
	t.Helper()
	rules, err := filepath.Abs(alertsFile)
	require.NoError(t, err)
	folder, listen := t.TempDir(), unrest.FreeAddress(t)
	config := filepath.Join(folder, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
rule_files: [ %s ]
scrape_configs:
  - job_name: benthos-pipedrive
    static_configs: [ { targets: [ %s ] } ]
`, rules, address), 0o600))
	cmd := exec.Command(prometheusTool(t, "prometheus"), "--config.file="+config, "--web.listen-address="+listen,
		"--storage.tsdb.path="+filepath.Join(folder, "data"))
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("log of prometheus:\n%s", &log)
		}
	})
	return prometheusServer{url: "http://" + listen}
}

// ask returns how many series a query has, or why it cannot be asked.
func (p prometheusServer) ask(text string) (int, error) {
	var answer struct {
		Error string
		Data  struct{ Result []json.RawMessage }
	}
	if err := p.get("/api/v1/query?query="+url.QueryEscape(text), &answer); err != nil {
		return 0, err
	}
	if answer.Error != "" {
		return 0, fmt.Errorf("%s: %s", answer.Error, text)
	}
	return len(answer.Data.Result), nil
}

func (p prometheusServer) get(path string, into any) error {
	res, err := http.Get(p.url + path)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return json.NewDecoder(res.Body).Decode(into)
}

// health is what Prometheus says about each rule.
func (p prometheusServer) health(t *testing.T) (states map[string]string) {
	t.Helper()
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError, State string }
			}
		}
	}
	require.NoError(t, p.get("/api/v1/rules", &answer))
	states = map[string]string{}
	for _, g := range answer.Data.Groups {
		for _, r := range g.Rules {
			assert.Equal(t, "ok", r.Health, "%s: %s", r.Name, r.LastError)
			states[r.Name] = r.State
		}
	}
	return states
}

// Every query of the dashboard has an answer in a real Prometheus that scrapes the real binary under load; no alert goes
// off meanwhile, and the right one does when the token is regenerated.
func TestPrometheusAnswersEveryQuery(t *testing.T) {
	sim, _, address, hooks := watchedFeed(t)
	knock(t, hooks) // before it is watched: what alerts see is quiet
	server := watch(t, address)
	n := 0
	require.Eventually(t, func() bool {
		// Rates need changes while it watches.
		n++
		sim.Update("deals", sim.IDs("deals")[n%300], simulator.Fields{"title": fmt.Sprint("Changed ", n)})
		samples, err := server.ask(`count_over_time(up[1m]) > 15`)
		return err == nil && samples == 1
	}, time.Minute, 200*time.Millisecond, "it has scraped for a quarter of a minute")

	values := strings.NewReplacer("$__rate_interval", "10s", "$job", ".*", "$instance", ".*", "$label", ".*", "$object", ".*")
	for _, q := range dashboardQueries(t) {
		series, err := server.ask(values.Replace(q.text))
		if assert.NoError(t, err, q.where) && !containsAny(q.text, slowWalk) {
			assert.Positive(t, series, "%s has no answer: %s", q.where, q.text)
		}
	}
	states := server.health(t)
	require.Len(t, states, len(alerts(t)))
	for name, state := range states {
		assert.Equal(t, "inactive", state, name)
	}

	sim.RevokeToken()
	require.Eventually(t, func() bool {
		states := server.health(t)
		return states["PipedriveNotConnected"] == "pending" && states["PipedriveCredentialRefused"] == "firing"
	}, time.Minute, 200*time.Millisecond, "the alerts of a refused credential go off")
}

func containsAny(text string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

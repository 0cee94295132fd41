package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/checkup"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/journal"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

var update = flag.Bool("update", false, "write the golden files anew")

// checked runs the command as the host would, and returns what it prints and its exit code.
func checked(t *testing.T, args ...string) (said, wrong string, code int) {
	t.Helper()
	var out, log bytes.Buffer
	err := appOf(checkCommand(), &out, &log).RunContext(t.Context(), append([]string{name, "check"}, args...))
	var exit cli.ExitCoder
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		require.NoError(t, err, "every end has an exit code of its own")
	}
	if err != nil {
		log.WriteString(err.Error())
	}
	return out.String(), log.String(), code
}

// pipelineOf writes a configuration to a file of its own. %URL, %TOKEN, %FOLDER and the words of the app are filled in.
func pipelineOf(t *testing.T, sim *simulator.Simulator, yaml string) string {
	t.Helper()
	folder := t.TempDir()
	app := sim.OAuth()
	yaml = strings.NewReplacer(
		"%URL", sim.URL(), "%TOKEN", sim.Token(), "%FOLDER", folder,
		"%ID", app.ClientID, "%SECRET", app.ClientSecret, "%REFRESH", app.RefreshToken,
	).Replace(yaml)
	path := filepath.Join(folder, "pipeline.yaml")
	require.NoError(t, os.WriteFile(path, []byte(yaml), 0o600))
	return path
}

// report checks a pipeline and returns the JSON, which holds no secret, as the table does not.
func report(t *testing.T, sim *simulator.Simulator, yaml string, args ...string) (reportShown, int) {
	t.Helper()
	secrets := []string{sim.Token(), sim.OAuth().ClientSecret, sim.OAuth().RefreshToken, hookSecret}
	path := pipelineOf(t, sim, yaml)
	said, log, code := checked(t, append(append([]string{"--json"}, args...), path)...)
	var r reportShown
	require.NoError(t, json.Unmarshal([]byte(said), &r), "%s%s", said, log)
	for _, secret := range secrets {
		if secret != "" {
			assert.NotContains(t, said+log, secret)
		}
	}
	return r, code
}

// about are the lines about one thing, as "state subject found".
func (r reportShown) about(what string) (lines []string) {
	for _, l := range r.Checks {
		if l.About == what {
			lines = append(lines, fmt.Sprintf("%s %s %s", l.State, l.Subject, l.Found))
		}
	}
	return lines
}

const checkedPoll = `
http: { enabled: false }
input:
  label: crm
  pipedrive_poll:
    base_url: %URL
    api_token: %TOKEN
    objects: [ deals, persons ]
    checkpoint_cache: state
output: { drop: {} }
cache_resources:
  - label: state
    bolt: { path: "%FOLDER/state/b.db" }
`

const checkedDoor = `
http: { enabled: false }
input:
  label: door
  pipedrive_webhook:
    address: 127.0.0.1:0
    credentials: [ { username: hook, password: ` + hookSecret + ` } ]
    journal: { path: "%FOLDER/state/hooks.db" }
    registration:
      enabled: true
      public_url: https://hooks.example.com
      events: [ change.deal ]
      base_url: %URL
      api_token: %TOKEN
output: { drop: {} }
`

const checkedApp = `
http: { enabled: false }
input:
  label: crm
  pipedrive_poll:
    base_url: %URL
    oauth2: { client_id: %ID, client_secret: %SECRET, refresh_token: "%REFRESH", token_url: "%URL/oauth/token", token_cache: state }
    objects: [ deals, leads ]
    checkpoint_cache: state
output: { drop: {} }
cache_resources:
  - label: state
    bolt: { path: "%FOLDER/state/b.db", timeout: 10ms }
`

// registered is the subscription that checkedDoor wants.
func registered(sim *simulator.Simulator) int64 {
	return sim.Subscribe(simulator.Webhook{URL: doorURL, Name: name, Action: "change", Object: "deal", Username: "hook", Password: hookSecret})
}

func TestCheckFindsEverythingInOrder(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Deals: 20, Persons: 20})
	r, code := report(t, sim, checkedPoll)
	assert.Zero(t, code)
	assert.Equal(t, []int{0, 0}, []int{r.Problems, r.Warnings})
	assert.EqualValues(t, sim.TokensSpent(), r.Tokens, "what the check itself has spent")
	assert.EqualValues(t, 2+10+10, r.Tokens)
	assert.Equal(t, 3, len(sim.Requests()), "one cheap request each")
	assert.Equal(t, []string{
		"ok deals readable, every 1m, 15,360 tokens a day",
		"ok persons readable, every 1m, 15,360 tokens a day",
	}, r.about("object"))
	for _, l := range r.Checks {
		assert.Empty(t, l.Remedy, "there is nothing to do about %+v", l)
	}

	registered(sim)
	r, code = report(t, sim, checkedDoor)
	assert.Zero(t, code)
	assert.Equal(t, []string{"ok change.deal webhook 1900001 is active, nothing was sent yet", "ok  1 webhook of at most 40 a user"}, r.about("webhook"))
	assert.EqualValues(t, 12, r.Tokens)
	assert.Len(t, sim.Webhooks(), 1, "nothing is changed")
}

// Each thing that can be wrong, how it shows, and that something can be done about it.
func TestCheckSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	t.Parallel()
	const problem, warning = "problem", "warning"
	moved := httptest.NewServer(http.RedirectHandler("https://app.example.com/events?token="+hookSecret, http.StatusPermanentRedirect))
	t.Cleanup(moved.Close)
	guarded := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	t.Cleanup(guarded.Close)
	for _, test := range []struct {
		name    string
		options simulator.Options
		arrange func(t *testing.T, sim *simulator.Simulator)
		yaml    string
		state   string
		about   string
		subject string
		found   string
		remedy  string
	}{
		{
			name: "a bad token", yaml: strings.Replace(checkedPoll, "%TOKEN", "0000000000000000000000000000000000000000", 1),
			state: problem, about: "credential", found: "GET /v1/users/me: 401 Unauthorized: unauthorized access", remedy: "check api_token or oauth2",
		},
		{
			name: "a refresh token that was revoked", yaml: checkedApp,
			arrange: func(_ *testing.T, sim *simulator.Simulator) { sim.Uninstall() },
			state:   problem, about: "credential", found: "POST /oauth/token: 400 Bad Request: invalid_grant", remedy: "re-install the app",
		},
		{
			name: "an object that the app may not read", yaml: checkedApp,
			arrange: func(_ *testing.T, sim *simulator.Simulator) { sim.DenyScope("leads") },
			state:   problem, about: "object", subject: "leads", found: "GET /v1/leads: 403 Forbidden: Scope and URL mismatch", remedy: "give the app the scope leads:read and install it again, or take leads out of objects",
		},
		{
			name: "an object that the user may not read", yaml: checkedPoll,
			arrange: func(_ *testing.T, sim *simulator.Simulator) { sim.DenyScope("persons") },
			state:   problem, about: "object", subject: "persons", found: "403 Forbidden", remedy: "the credential may not read it",
		},
		{
			name: "an object that the account has not paid for", yaml: checkedPoll,
			arrange: func(_ *testing.T, sim *simulator.Simulator) {
				sim.FailAlways(simulator.Status(http.StatusPaymentRequired).On("/api/v2/deals"))
			},
			state: problem, about: "object", subject: "deals", found: "402 Payment Required", remedy: "take deals out of objects",
		},
		{
			name:  "a list that Pipedrive does not have",
			yaml:  strings.Replace(checkedPoll, "objects: [ deals, persons ]", "custom_objects: [ { name: dogs, path: /v1/dogs } ]", 1),
			state: problem, about: "object", subject: "dogs", found: "404 Not Found", remedy: "correct the path of a custom object",
		},
		{
			name: "a spent budget", yaml: checkedPoll,
			arrange: func(_ *testing.T, sim *simulator.Simulator) { sim.Spend(200_000) },
			state:   problem, about: "budget", found: "429 Too Many Requests: daily request budget exceeded", remedy: "find the integration that spends it",
		},
		{
			name: "a budget that is nearly spent", yaml: checkedPoll,
			arrange: func(_ *testing.T, sim *simulator.Simulator) { sim.Spend(149_000) },
			state:   warning, about: "budget", found: "the company has 998 left today", remedy: "everything stops until midnight",
		},
		{
			name: "a share that does not suffice", yaml: checkedPoll, options: simulator.Options{DailyBudget: 30_000},
			state: warning, about: "plan", found: "30,720 tokens a day when nothing changes, 205% of what this process may spend: the intervals become 2.0 times as long", remedy: "poll fewer objects",
		},
		{
			name: "a server that is down", yaml: checkedPoll,
			arrange: func(_ *testing.T, sim *simulator.Simulator) {
				sim.FailAlways(simulator.Status(http.StatusServiceUnavailable))
			},
			state: problem, about: "credential", found: "503 Service Unavailable", remedy: "Pipedrive is at fault",
		},
		{
			name: "nothing at base_url", yaml: strings.Replace(checkedPoll, "%URL", "http://127.0.0.1:1", 1),
			state: problem, about: "credential", found: "connection refused", remedy: "check base_url",
		},
		{
			name: "a block of the edge", yaml: checkedPoll,
			arrange: func(_ *testing.T, sim *simulator.Simulator) { sim.FailNext(simulator.Cloudflare403()) },
			state:   problem, about: "credential", found: "blocked", remedy: "try again after that time",
		},
		{
			name: "a clock that is an hour wrong", yaml: checkedPoll,
			arrange: func(_ *testing.T, sim *simulator.Simulator) { sim.Advance(time.Hour) },
			state:   problem, about: "clock", found: "behind Pipedrive", remedy: "set the clock",
		},
		{
			name: "a clock that is a little wrong", yaml: checkedPoll,
			arrange: func(_ *testing.T, sim *simulator.Simulator) { sim.Advance(20 * time.Second) },
			state:   warning, about: "clock", found: "behind Pipedrive", remedy: "set the clock",
		},
		{
			name: "a proxy that takes the time away", yaml: checkedPoll,
			arrange: func(_ *testing.T, sim *simulator.Simulator) { sim.HideHeaders("Date") },
			state:   warning, about: "clock", found: "no Date header", remedy: "let the proxy",
		},
		{
			name: "a banned webhook", yaml: checkedDoor,
			arrange: func(_ *testing.T, sim *simulator.Simulator) { sim.Ban(registered(sim)) },
			state:   problem, about: "webhook", subject: "change.deal", found: "webhook 1900001 is banned: what happens now is lost", remedy: "the door refused or did not answer ten deliveries",
		},
		{
			name: "a webhook with other credentials", yaml: checkedDoor,
			arrange: func(_ *testing.T, sim *simulator.Simulator) {
				sim.SetWebhook(registered(sim), func(w *simulator.Webhook) { w.LastStatus, w.LastDelivery = 401, w.Added })
			},
			state: problem, about: "webhook", subject: "change.deal", found: "webhook 1900001 was answered 401", remedy: "the credentials were changed",
		},
		{
			name: "a webhook whose door fails", yaml: checkedDoor,
			arrange: func(_ *testing.T, sim *simulator.Simulator) {
				sim.SetWebhook(registered(sim), func(w *simulator.Webhook) { w.LastStatus, w.LastDelivery = 503, w.Added })
			},
			state: warning, about: "webhook", subject: "change.deal", found: "answered 503", remedy: doorURL,
		},
		{
			name: "a webhook that was not answered", yaml: checkedDoor,
			arrange: func(_ *testing.T, sim *simulator.Simulator) {
				sim.SetWebhook(registered(sim), func(w *simulator.Webhook) { w.LastDelivery = w.Added })
			},
			state: warning, about: "webhook", subject: "change.deal", found: "not answered", remedy: doorURL,
		},
		{
			name: "a webhook that is missing", yaml: checkedDoor,
			state: warning, about: "webhook", subject: "change.deal", found: "is not registered", remedy: "the input repairs it when it runs, at its start and every 5m",
		},
		{
			name: "a webhook that is there twice", yaml: checkedDoor,
			arrange: func(_ *testing.T, sim *simulator.Simulator) { registered(sim); registered(sim) },
			state:   warning, about: "webhook", subject: "change.deal", found: "webhook 1900002 is there twice", remedy: "repairs it",
		},
		{
			name: "no room for a webhook", yaml: checkedDoor,
			arrange: func(_ *testing.T, sim *simulator.Simulator) {
				for range 40 {
					sim.Subscribe(simulator.Webhook{URL: "https://other.example.com", Name: "other"})
				}
			},
			state: problem, about: "webhook", found: "40 webhooks of at most 40 a user", remedy: "webhooks list",
		},
		{
			name: "webhooks that only an admin sees", yaml: checkedDoor,
			arrange: func(_ *testing.T, sim *simulator.Simulator) {
				sim.FailAlways(simulator.Status(http.StatusForbidden).On("/v1/webhooks"))
			},
			state: problem, about: "webhook", found: "403 Forbidden", remedy: "the token of an admin, or an app with the scope admin",
		},
		{
			name: "a state that cannot be written", yaml: strings.Replace(checkedPoll, "%FOLDER/state", "%FOLDER/pipeline.yaml", 1),
			state: problem, about: "cache", subject: "state", found: "not a directory", remedy: "the user that the pipeline runs as can write and read it: until then nothing is read",
		},
		{
			name: "a state that is damaged", yaml: strings.Replace(checkedPoll, "%FOLDER/state/b.db", "%FOLDER/pipeline.yaml", 1),
			state: problem, about: "cache", subject: "state", found: "the file is not a bolt database, or damaged (restore it or move it away)", remedy: "repair that",
		},
		{
			name: "a cache that is not there", yaml: strings.Replace(checkedPoll, "checkpoint_cache: state", "checkpoint_cache: other", 1),
			state: problem, about: "cache", subject: "other", found: `there is no cache resource with the label "other"`, remedy: "add it under cache_resources, or correct the label: until then nothing is read",
		},
		{
			name: "a cache that cannot be made", yaml: strings.Replace(checkedPoll, "bolt: {", "redis: { url: 'nonsense://' } # {", 1),
			state: problem, about: "cache", subject: "state", found: "failed to init cache 'state'", remedy: "until then nothing is read",
		},
		{
			name: "no checkpoint", yaml: strings.Replace(checkedPoll, "checkpoint_cache: state", "", 1),
			state: warning, about: "checkpoint", found: "every start begins at start_from (beginning) again", remedy: "name a cache resource that survives a restart",
		},
		{
			name: "no journal", yaml: strings.Replace(checkedDoor, `path: "%FOLDER/state/hooks.db"`, `path: ""`, 1),
			state: warning, about: "journal", found: "an outage of it costs events", remedy: "give the journal a path",
		},
		{
			name: "a journal that cannot be made", yaml: strings.Replace(checkedDoor, "%FOLDER/state", "%FOLDER/pipeline.yaml", 1),
			state: problem, about: "journal", found: "not a directory", remedy: "",
		},
		{
			name: "an app without a place for its refresh token", yaml: strings.Replace(checkedApp, ", token_cache: state", "", 1),
			state: warning, about: "credential", found: "oauth2.token_cache is empty", remedy: "name a cache resource",
		},
		{
			name: "an app whose place for its refresh token cannot be written", yaml: strings.Replace(checkedApp, "%FOLDER/state", "%FOLDER/pipeline.yaml", 1),
			state: problem, about: "credential", found: "not tried: a refresh may bring another refresh token", remedy: "see the line about that cache",
		},
		{
			name: "an application that is down", yaml: strings.Replace(checkedPoll, "drop: {}", "fallback: [ { pipedrive_callback: { url: 'http://127.0.0.1:1/?token="+hookSecret+"', signature: { scheme: none } } }, { drop: {} } ]", 1),
			state: problem, about: "callback", found: "asking 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused", remedy: "check url, tls and proxy_url, and whether the application runs",
		},
		{
			name: "an application that has moved", yaml: strings.Replace(checkedPoll, "drop: {}", "fallback: [ { pipedrive_callback: { url: '"+moved.URL+"/?token="+hookSecret+"', signature: { scheme: none } } }, { drop: {} } ]", 1),
			state: warning, about: "callback", found: "answers, a HEAD with 308 Permanent Redirect: redirects are not followed; this one points to https://app.example.com", remedy: "set url to the final address",
		},
		{
			name: "an application that lets us not in", yaml: strings.Replace(checkedPoll, "drop: {}", "fallback: [ { pipedrive_callback: { url: '"+guarded.URL+"', signature: { scheme: none }, headers: { X-Key: old, X-Object: '${! @pipedrive_object }' } } }, { drop: {} } ]", 1),
			state: warning, about: "callback", found: "answers, a HEAD with 401 Unauthorized; nothing was posted, and of the headers not X-Object, which only an event has", remedy: "check basic_auth, the credentials of url, and headers",
		},
		{
			name: "a callback that is replayed for ever", yaml: strings.Replace(checkedPoll, "drop: {}", "retry: { output: { pipedrive_callback: { url: '"+moved.URL+"', signature: { scheme: none } } } }", 1),
			state: warning, about: "callback", found: "is not inside a fallback: an event that is refused for good is replayed for ever", remedy: "put it first in a fallback with a dead-letter output behind it",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			options := test.options
			options.Deals, options.Persons, options.Leads = 5, 5, 5
			sim := simulator.RunT(t, options)
			if test.arrange != nil {
				test.arrange(t, sim)
			}
			r, code := report(t, sim, test.yaml)
			found := false
			for _, l := range r.Checks {
				if string(l.State) != test.state || l.About != test.about || l.Subject != test.subject && test.about != "journal" || !strings.Contains(l.Found, test.found) {
					continue
				}
				found = true
				assert.NotEmpty(t, l.Remedy)
				assert.Contains(t, l.Remedy, test.remedy)
			}
			assert.True(t, found, "%+v", r.Checks)
			if test.state == problem {
				assert.Equal(t, 1, code)
				assert.Positive(t, r.Problems)
			} else {
				assert.Equal(t, 0, code, "a warning is no problem: %+v", r.Checks)
				assert.Positive(t, r.Warnings)
			}
		})
	}
}

func TestCheckSaysWhatIsAssumedWhenPipedriveTellsNothing(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Deals: 5, Persons: 5})
	sim.HideHeaders("X-Daily-Ratelimit-Token-Limit", "X-Daily-Ratelimit-Token-Remaining", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset")
	r, code := report(t, sim, checkedPoll)
	assert.Zero(t, code)
	assert.Equal(t, []string{"ok  Pipedrive does not say; 30,000 tokens a day are assumed until it does, of which this process may spend 15,000"}, r.about("budget"))
	assert.Equal(t, []string{"ok  Pipedrive does not say; 20 requests in two seconds are assumed until it does"}, r.about("burst"))
	require.Len(t, r.Accounts, 1)
	assert.Nil(t, r.Accounts[0].Left)
	assert.False(t, r.Accounts[0].DailyTold)
	assert.False(t, r.Accounts[0].BurstTold)
}

// The process that runs may fill the burst window of the same credential: the check waits for its turn.
func TestCheckWaitsForTheBurstWindow(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Deals: 5, Persons: 5})
	sim.FailNext(simulator.Burst429().Times(2))
	r, code := report(t, sim, checkedPoll)
	assert.Zero(t, code, "%+v", r.Checks)
}

// A refresh token that comes back is kept where the process would keep it.
func TestCheckKeepsTheRefreshTokenThatItGets(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Deals: 5, Leads: 5, OAuth: simulator.OAuth{Rotate: true}})
	path := pipelineOf(t, sim, checkedApp)
	for range 3 {
		said, log, code := checked(t, path)
		assert.Zero(t, code, said+log)
	}
	assert.Equal(t, 3, sim.Count("/oauth/token"))
}

// While another process has the token cache to itself, no refresh token is used up.
func TestCheckLeavesTheRefreshTokenToTheProcessThatHoldsItsCache(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Deals: 5, Leads: 5, OAuth: simulator.OAuth{Rotate: true}})
	path := pipelineOf(t, sim, checkedApp)
	hold(t, filepath.Join(filepath.Dir(path), "state", "b.db"))
	said, _, code := checked(t, "--json", path)
	var r reportShown
	require.NoError(t, json.Unmarshal([]byte(said), &r))
	assert.Zero(t, code, "most likely the pipeline runs")
	assert.Regexp(t, `^warning state cannot be tried: another process holds it: `, r.about("cache")[0])
	assert.Regexp(t, `^warning  not tried: a refresh may bring another refresh token`, r.about("credential")[0])
	assert.Empty(t, r.about("checkpoint"))
	assert.Empty(t, sim.Requests())
}

// hold locks a file as a process does that uses it.
func hold(t *testing.T, path string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	require.NoError(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
}

func TestCheckOfAHeldJournalAsksTheProcessThatHoldsIt(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{})
	registered(sim)
	path := pipelineOf(t, sim, checkedDoor)
	j, err := journal.Open(journal.Options{Path: filepath.Join(filepath.Dir(path), "state", "hooks.db")})
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	lines := func(args ...string) []string {
		said, log, code := checked(t, append(append([]string{"--json"}, args...), path)...)
		require.Zero(t, code, said+log)
		var r reportShown
		require.NoError(t, json.Unmarshal([]byte(said), &r))
		return append(r.about("journal"), r.about("process")...)
	}
	got := lines()
	assert.Regexp(t, `^warning .*hooks.db cannot be read: another process holds it`, got[0])

	running := playProcess(t, `
pipedrive_journal_pending{label="door",path="root.input"} 12
pipedrive_journal_pending{label="other",path="root.input"} 500
`, http.StatusOK, "")
	got = lines("--metrics-url", running)
	assert.Regexp(t, `^ok .*hooks.db in use by the process that runs, 12 webhooks wait \(pipedrive_journal_pending\)$`, got[0])
	assert.Equal(t, "ok  running and ready, metrics at "+running, got[1])
}

func TestCheckOfAHeldCacheAsksTheProcessThatHoldsIt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ metrics, want string }{
		{"pipedrive_checkpoint_errors_total 0\n", "ok state in use by the process that runs"},
		{"pipedrive_tokens_remaining 5\n", "ok state in use by the process that runs"},
		{"pipedrive_checkpoint_errors_total 3\n", "warning state in use by the process that runs; storing a checkpoint failed 3 times since its start"},
	} {
		sim := simulator.RunT(t, simulator.Options{Deals: 5, Persons: 5})
		path := pipelineOf(t, sim, strings.Replace(checkedPoll, `state/b.db"`, `state/b.db", timeout: 10ms`, 1))
		hold(t, filepath.Join(filepath.Dir(path), "state", "b.db"))
		said, _, code := checked(t, "--json", "--metrics-url", playProcess(t, test.metrics, http.StatusOK, ""), path)
		assert.Zero(t, code)
		var r reportShown
		require.NoError(t, json.Unmarshal([]byte(said), &r))
		assert.Equal(t, []string{test.want}, r.about("cache"))
		assert.Empty(t, r.about("checkpoint"), "which cannot be read")
	}
}

// playProcess answers as a process of the host does.
func playProcess(t *testing.T, metrics string, ready int, why string) (metricsURL string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, metrics) })
	mux.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(ready)
		fmt.Fprint(w, why)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/metrics"
}

func TestCheckTellsHowTheProcessThatRunsIs(t *testing.T) {
	t.Parallel()
	const ours = `pipedrive_tokens_remaining{label="crm",path="root.input"} 5` + "\n"
	const notConnected = `{"statuses":[{"label":"crm","path":"root.input","connected":false,"error":"GET /v1/users/me: 401"},{"label":"","path":"root.output","connected":true}]}`
	for _, test := range []struct {
		name, metrics string
		ready         int
		why, want     string
		code          int
	}{
		{"ready", ours, 200, "", "ok  running and ready, metrics at URL", 0},
		{"not ready", ours, 503, notConnected, "problem  running, but not ready: crm: GET /v1/users/me: 401", 1},
		{"streams mode", ours, 503, "streams a, b are not connected\n", "problem  running, but not ready: streams a, b are not connected", 1},
		{"another pipeline", strings.ReplaceAll(ours, "crm", "erp"), 200, "", "warning  another pipeline answers at URL: no component of ours there has a label of this configuration", 0},
		{"a component without a label", strings.ReplaceAll(ours, "crm", ""), 200, "", "ok  running and ready, metrics at URL", 0},
		{"another program", "go_goroutines 5\n", 200, "", "warning  another program answers at URL", 0},
		{"no metrics", "<html>", 200, "", "warning  the metrics of the process that runs cannot be read: URL: the answer is not in Prometheus' text format", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sim := simulator.RunT(t, simulator.Options{Deals: 5, Persons: 5})
			running := playProcess(t, test.metrics, test.ready, test.why)
			r, code := report(t, sim, checkedPoll, "--metrics-url", running)
			assert.Equal(t, []string{strings.ReplaceAll(test.want, "URL", running)}, r.about("process"))
			assert.Equal(t, test.code, code)
		})
	}
}

func TestCheckShowsNoPasswordOfTheMetrics(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Deals: 5, Persons: 5})
	running := playProcess(t, "pipedrive_tokens_remaining 5\n", 200, "")
	said, log, code := checked(t, "--metrics-url", strings.Replace(running, "http://", "http://ops:"+hookSecret+"@", 1), pipelineOf(t, sim, checkedPoll))
	assert.Zero(t, code)
	assert.Contains(t, said, "metrics at http://***@127.0.0.1")
	assert.NotContains(t, said+log, hookSecret)
}

// The checkpoint of another company is refused by the pipeline, and so it is here.
func TestCheckReadsTheCheckpoint(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Deals: 5, Persons: 5, DailyBudget: 100_000_000})
	other := sim.AddCompany(simulator.Options{Deals: 5, Persons: 5})
	path := pipelineOf(t, sim, strings.Replace(checkedPoll, "objects:", "interval: 50ms\n    objects:", 1))
	p := program(t, "run", path)
	require.NoError(t, p.Start())
	const walks = 2 // of which the first is over then
	require.Eventually(t, func() bool { return sim.Count("/api/v2/persons") > walks && sim.Count("/api/v2/deals") > walks }, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, p.Process.Signal(os.Interrupt))
	require.NoError(t, p.Wait())

	said, _, code := checked(t, path)
	assert.Zero(t, code)
	assert.Regexp(t, `ok +checkpoint +crm +followed up to 20\d\d-.*Z: deals, persons; \d+ tokens spent today`, said)

	yaml, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, bytes.ReplaceAll(yaml, []byte(sim.Token()), []byte(other.Token())), 0o600))
	said, _, code = checked(t, path)
	assert.Equal(t, 1, code)
	assert.Regexp(t, `problem +checkpoint +crm +the checkpoint "pipedrive_poll" in cache "state" cannot be used: it belongs to company 10400001`, said)
}

// Errors of other people's caches may repeat their configuration.
func TestCheckShowsNoSecretOfACache(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Deals: 5, Persons: 5})
	for _, cache := range []string{
		`redis: { url: "redis://u:` + hookSecret + `@x:nonsense" } #`,
		`redis: { url: "rediss://` + hookSecret + `:` + hookSecret + `@127.0.0.1:1/0", default_ttl: 1s, retries: { max_elapsed_time: 10ms } } #`,
		`sql: { driver: mysql, dsn: "u:` + hookSecret + `@nonsense", table: t, key_column: k, value_column: v } #`,
		`sql: { driver: pgx, dsn: "host=127.0.0.1 port=1 password=` + hookSecret + ` user=u", table: t, key_column: k, value_column: v } #`,
	} {
		r, code := report(t, sim, strings.Replace(checkedPoll, "bolt:", cache, 1)) // which asserts that there is none
		assert.Equal(t, 1, code, "%+v", r.Checks)
		assert.Contains(t, r.about("cache")[0], "problem state ")
	}
}

func TestVeilLeavesOrdinaryWords(t *testing.T) {
	t.Parallel()
	var v veil
	v.learn(map[string]any{"checkpoint_cache_key": "pipedrive_poll", "x": map[string]any{"token": "abc", "api_token": "abcdefgh", "keys": []any{"k1k1k1"}}}, "")
	for text, want := range map[string]string{
		"the checkpoint pipedrive_poll":               "the checkpoint pipedrive_poll",
		"GET /v1/users/me: 401: abcdefgh k1k1k1 abc":  "GET /v1/users/me: 401: *** *** abc",
		`parse "redis://user:pa55@host:6379/0": bad`:  `parse "redis://***@host:6379/0": bad`,
		"nothing answers at http://127.0.0.1:4195/x":  "nothing answers at http://127.0.0.1:4195/x",
		"http://ops:xxxxx@127.0.0.1:4195/metrics":     "http://***@127.0.0.1:4195/metrics",
		"cannot connect: password=5ec4e7 user=u":      "cannot connect: password=*** user=u",
		"dial tcp 127.0.0.1:1: connect: refused @ 12": "dial tcp 127.0.0.1:1: connect: refused @ 12",
	} {
		assert.Equal(t, want, v.over(text))
	}
}

// Two inputs with one credential are one connection, asked once; two companies have two budgets.
func TestCheckAsksOnceForWhatInputsShare(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Deals: 5, Persons: 5, DailyBudget: 30_000})
	other := sim.AddCompany(simulator.Options{Deals: 5, DailyBudget: 60_000})
	r, _ := report(t, sim, strings.ReplaceAll(`
http: { enabled: false }
input:
  broker:
    inputs:
      - label: a
        pipedrive_poll: { base_url: %URL, api_token: %TOKEN, objects: [ deals ], checkpoint_cache: m, checkpoint_cache_key: a }
      - label: b
        pipedrive_poll: { base_url: %URL, api_token: %TOKEN, objects: [ deals, persons ], checkpoint_cache: m, checkpoint_cache_key: b, daily_token_share: 0.1 }
      - read_until:
          check: 'false'
          input:
            dynamic: { inputs: { c: { pipedrive_poll: { base_url: %URL, api_token: %OTHER, objects: [ deals ], checkpoint_cache: m, checkpoint_cache_key: c } } } }
output: { drop: {} }
cache_resources: [ { label: m, memory: {} } ]
`, "%OTHER", other.Token()))
	const c = "root.input.broker.inputs.2.read_until.input.dynamic.inputs.c"
	where := map[string][]string{}
	for _, l := range r.Checks {
		where[l.About] = append(where[l.About], l.Where)
	}
	assert.Equal(t, []string{"a, b", c}, where["credential"])
	assert.Equal(t, []string{"a, b", c}, where["plan"])
	assert.Equal(t, []string{"a", "b", "b", c}, where["object"])
	assert.Equal(t, []string{"a, b, " + c}, where["cache"])
	assert.Equal(t, 2, sim.Count("/api/v2"), "deals and persons, once each")
	assert.Equal(t, 1, other.Count("/api/v2"))
	require.Len(t, r.Accounts, 2)
	assert.EqualValues(t, 3000, r.Accounts[0].Share, "of differing shares the smallest holds")
	assert.EqualValues(t, 30_000, r.Accounts[1].Share)
	assert.InDelta(t, 3*15_360/3000.0, r.Accounts[0].Stretch, 0.01)
	assert.EqualValues(t, sim.TokensSpent()+other.TokensSpent(), r.Tokens)
}

// A processor that asks Pipedrive for names is a connection like others; of another company it can name nothing.
func TestCheckLooksAtWhoAsksForNames(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Deals: 5, Persons: 5})
	other := sim.AddCompany(simulator.Options{})
	const processors = `
pipeline:
  processors:
    - branch:
        processors:
          - label: names
            pipedrive_normalize: { resolve: { enabled: true, base_url: %URL, api_token: %TOKEN } }
          - pipedrive_normalize: {}
`
	r, code := report(t, sim, checkedPoll+processors)
	assert.Zero(t, code)
	assert.Zero(t, r.Warnings)
	assert.Equal(t, "crm, names", r.Checks[2].Where, "%+v", r.Checks)
	assert.EqualValues(t, 22, r.Tokens)

	r, code = report(t, sim, checkedPoll+strings.Replace(processors, "%TOKEN", other.Token(), 1))
	assert.Zero(t, code)
	assert.Contains(t, r.about("credential"), "warning  resolve asks acme-sandbox2.pipedrive.com, of which no input reads: events of another company stay without names")

	r, code = report(t, sim, "http: { enabled: false }"+strings.Replace(processors, "%TOKEN", "0000000000000000000000000000000000000000", 1))
	assert.Equal(t, 1, code, "also where the events come from elsewhere")
	assert.Equal(t, []string{"problem  GET /v1/users/me: 401 Unauthorized: unauthorized access"}, r.about("credential"))
}

// Every callback is found wherever it stands, and its application is asked for the head of the URL: no event comes there.
func TestCheckAsksEveryApplicationAndPostsNothing(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Deals: 5, Persons: 5})
	asked := make(chan string, 20)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		asked <- fmt.Sprint(r.Method, r.URL.Path, string(body), err)
		if r.URL.Path == "/4" && r.Header.Get("X-Key") != hookSecret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusMethodNotAllowed)
	}))
	t.Cleanup(app.Close)
	outputs := strings.ReplaceAll(`
output:
  broker:
    outputs:
      - fallback:
          - label: first
            pipedrive_callback: { url: 'APP/1?token=`+hookSecret+`', signature: { scheme: elements, keys: [ `+hookSecret+` ] } }
          - drop: {}
      - fallback:
          - switch:
              cases:
                - check: 'true'
                  output: { reject_errored: { label: second, pipedrive_callback: { url: APP/2, signature: { scheme: none } } } }
                - output: { retry: { output: { pipedrive_callback: { url: APP/3, signature: { scheme: none } } } } }
          - resource: fourth
output_resources:
  - label: fourth
    pipedrive_callback: { url: APP/4, signature: { scheme: none }, headers: { X-Key: `+hookSecret+` }, batching: { count: 2, processors: [ { archive: { format: json_array } } ] } }
`, "APP", app.URL)
	const third = "root.output.broker.outputs.1.fallback.0.switch.cases.1.output.retry.output"
	want := strings.TrimPrefix(app.URL, "http://") + " answers, a HEAD with 405 Method Not Allowed; nothing was posted"
	for _, yaml := range []string{
		strings.Replace(checkedPoll, "output: { drop: {} }", outputs, 1),
		"http: { enabled: false }" + outputs, // whoever brings the events
	} {
		r, code := report(t, sim, yaml)
		assert.Zero(t, code)
		assert.Equal(t, []int{0, 0}, []int{r.Problems, r.Warnings}, "%+v", r.Checks)
		var where []string
		for _, l := range r.Checks {
			if l.About == checkup.AboutCallback {
				where = append(where, l.Where)
				assert.Equal(t, want, l.Found)
			}
		}
		assert.ElementsMatch(t, []string{"first", "second", third, "fourth"}, where)
		var requests []string
		for range 4 {
			requests = append(requests, <-asked)
		}
		assert.ElementsMatch(t, []string{"HEAD/1<nil>", "HEAD/2<nil>", "HEAD/3<nil>", "HEAD/4<nil>"}, requests)
		assert.Empty(t, asked, "one request each")
	}
}

// As the host does: environment variables, resources in files of their own, streams below a root.
func TestCheckReadsFilesAsTheHostDoes(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 5, Persons: 5})
	t.Setenv("CHECK_TOKEN", sim.Token())
	folder := t.TempDir()
	write := func(name, yaml string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(yaml, "%URL", sim.URL())), 0o600))
		return path
	}
	stream := write("streams/one.yaml", "input:\n  pipedrive_poll: { base_url: %URL, api_token: ${CHECK_TOKEN}, objects: [ deals ], checkpoint_cache: state }\n")
	write("streams/two.yaml", "input:\n  label: crm\n  pipedrive_poll: { base_url: %URL, api_token: '${CHECK_TOKEN:x}', objects: [ persons ], checkpoint_cache: state, checkpoint_cache_key: two }\n")
	root := write("root.yaml", "http: { address: 127.0.0.1:1 }\ncache_resources:\n  - label: state\n    memory: { init_values: { a: '$' } }\n")
	write("res/in.yaml", "input_resources:\n  - label: far\n    pipedrive_poll: { base_url: %URL, api_token: ${CHECK_TOKEN}, objects: [ deals ], checkpoint_cache: state, checkpoint_cache_key: far }\n")

	said, log, code := checked(t, "-o", root, "-r", filepath.Join(folder, "res", "*.yaml"), stream, filepath.Join(folder, "streams", "two.yaml"))
	require.Zero(t, code, said+log)
	assert.Regexp(t, `not running: nothing answers at http://127.0.0.1:1/metrics`, said)
	assert.Regexp(t, `ok +cache state +one root.input, two crm, far +a key was written`, said)
	assert.Regexp(t, `ok +credential +one root.input, two crm, far +accepted`, said)

	said, log, code = checked(t, "-r", root, stream)
	require.Zero(t, code, said+log)
	assert.Regexp(t, `ok +cache state +root.input +a key was written`, said)

	// What looks like a variable once they are filled in is a value.
	odd := write("odd.yaml", "cache_resources:\n  - label: state\n    bolt: { path: '"+folder+"/${{CHECK_TOKEN}}.db' }\n")
	said, log, code = checked(t, "-r", odd, stream)
	require.Zero(t, code, said+log)
	assert.FileExists(t, filepath.Join(folder, "${CHECK_TOKEN}.db"))
}

func TestCheckThatCannotCheckSaysWhyAndEndsWithTwo(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(yaml string) string {
		f, err := os.CreateTemp(folder, "*.yaml")
		require.NoError(t, err)
		_, err = f.WriteString(yaml)
		require.NoError(t, errors.Join(err, f.Close()))
		return f.Name()
	}
	const poll = "input:\n  pipedrive_poll: { api_token: abc }\n"
	for _, test := range []struct {
		says string
		args []string
	}{
		{"name the FILE of a pipeline", nil},
		{"no such file", []string{filepath.Join(folder, "missing.yaml")}},
		{"is a directory", []string{folder}},
		{"there is nothing to check: no input of ours", []string{write("input: { generate: { mapping: 'root = {}' } }\n")}},
		{"field intervall not recognised", []string{write("input:\n  pipedrive_poll: { api_token: abc, intervall: 1m }\n")}},
		{"required environment variables were not set: [CHECK_NOT_SET]", []string{write("input:\n  pipedrive_poll: { api_token: '${CHECK_NOT_SET}' }\n")}},
		{"did not find expected", []string{write("input: {\n")}},
		{`root.input: pipedrive_poll: objects: "dogs" is unknown`, []string{write("input:\n  pipedrive_poll: { api_token: abc, objects: [ dogs ] }\n")}},
		{"api_token, oauth2: neither is set, exactly one must be: is an environment variable unset?", []string{write("input:\n  pipedrive_poll: {}\n")}},
		{"root.input: pipedrive_webhook: registration.api_token, oauth2: neither is set", []string{write("input:\n  pipedrive_webhook: { allow_anonymous: true, registration: { enabled: true, public_url: 'https://x.example.com' } }\n")}},
		{"root.output: pipedrive_callback: signature.keys[0]: is empty: is an environment variable unset?", []string{write(poll + "output:\n  pipedrive_callback: { url: 'https://app.example.com', signature: { scheme: elements, keys: [ '' ] } }\n")}},
		{"root.output.fallback.0: pipedrive_callback: url: is empty", []string{write(poll + "output: { fallback: [ { pipedrive_callback: { url: '', signature: { scheme: none } } }, { drop: {} } ] }\n")}},
		{"app: pipedrive_callback: headers: Host belongs to the request itself", []string{write(poll + "output_resources:\n  - label: app\n    pipedrive_callback: { url: 'https://app.example.com', signature: { scheme: none }, headers: { Host: x } }\n")}},
		{"flag provided but not defined: -frobnicate", []string{"--frobnicate", write(poll)}},
		{"--json stands behind a file: flags come before the files", []string{write(poll), "--json"}},
		{"--json and --watch", []string{"--json", "--watch", write(poll)}},
		{"--metrics-url: is not an absolute http or https URL", []string{"--metrics-url", "localhost", write(poll)}},
		{"http is switched off", []string{"--watch", write("http: { enabled: false }\n" + poll)}},
	} {
		said, wrong, code := checked(t, test.args...)
		assert.Equal(t, 2, code, test.says)
		assert.Contains(t, wrong, test.says)
		assert.Empty(t, said, test.says)
	}
}

// A table and a JSON with something in every state. Programs rely on the names in the latter.
func TestCheckGolden(t *testing.T) {
	golden, err := filepath.Abs("testdata")
	require.NoError(t, err)
	sim := simulator.RunT(t, simulator.Options{Deals: 5, Persons: 5, Leads: 5, DailyBudget: 30_000})
	sim.DenyScope("leads")
	sim.Subscribe(simulator.Webhook{URL: doorURL, Name: name, Action: "change", Object: "deal"})
	sim.Ban(sim.Subscribe(simulator.Webhook{URL: doorURL, Name: name, Action: "create", Object: "deal"}))
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("pipeline.yaml", []byte(strings.NewReplacer("%URL", sim.URL(), "%TOKEN", sim.Token()).Replace(`
http: { enabled: false }
input:
  broker:
    inputs:
      - label: crm
        pipedrive_poll:
          base_url: %URL
          api_token: %TOKEN
          objects: [ deals, persons, leads, users ]
          checkpoint_cache: state
      - label: door
        pipedrive_webhook:
          credentials: [ { username: hook, password: `+hookSecret+` } ]
          journal: { path: ./state/webhooks.db }
          registration:
            enabled: true
            public_url: https://hooks.example.com
            events: [ change.deal, create.deal, "*.person" ]
            base_url: %URL
            api_token: %TOKEN
output:
  label: app
  pipedrive_callback:
    url: http://127.0.0.1:1/events
    signature: { scheme: elements, keys: [ `+hookSecret+` ] }
cache_resources:
  - label: state
    bolt: { path: ./state/benthos-pipedrive.db }
`)), 0o600))
	for _, test := range []struct {
		file string
		args []string
	}{{"check.txt", nil}, {"check.json", []string{"--json"}}} {
		sim.Spend(sim.TokensLeft() - 28_000)
		said, log, code := checked(t, append(test.args, "pipeline.yaml")...)
		assert.Equal(t, 1, code)
		assert.Empty(t, log)
		file := filepath.Join(golden, test.file)
		if *update {
			require.NoError(t, os.MkdirAll(golden, 0o755))
			require.NoError(t, os.WriteFile(file, []byte(said), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, string(want), said, "go test -run Golden -update writes it anew")
	}
}

// What programs rely on stands in docs/check.md.
func TestCheckIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/check.md")
	require.NoError(t, err)
	words := []string{
		checkup.AboutProcess, checkup.AboutCredential, checkup.AboutClock, checkup.AboutBudget, checkup.AboutBurst, checkup.AboutPlan,
		checkup.AboutObject, checkup.AboutWebhook, checkup.AboutCache, checkup.AboutCheckpoint, checkup.AboutJournal, checkup.AboutCallback,
		string(checkup.OK), string(checkup.Warning), string(checkup.Problem),
	}
	for _, shown := range []any{reportShown{}, lineShown{}, accountShown{}, objectShown{}} {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(shown)) {
			words = append(words, field.Tag.Get("json"))
		}
	}
	for _, word := range words {
		assert.Regexp(t, "[`.]"+word+`(\[\])?`+"`", string(page), word)
	}
}

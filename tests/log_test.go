package tests

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// scene is a failure, and what the log at its usual level must say about it to somebody who has never seen it before.
type scene struct {
	name     string
	pipeline string // %URL, %TOKEN, %SINK (nobody is there) and %HOOKS (the door's address) are filled in
	// before happens before the start, after once both inputs are active.
	before, after func(w *sceneWorld)
	says          []string // patterns of "level message", each of which some line fits
	most          int      // lines that are warnings or errors
}

type sceneWorld struct {
	t      *testing.T
	sim    *simulator.Simulator
	folder string
	hooks  string
}

const (
	pollDeals = `
input:
  label: crm
  pipedrive_poll:
    base_url: %URL
    api_token: %TOKEN
    objects: [ deals, persons ]
    interval: 200ms
    daily_token_share: 1
    checkpoint_cache: state
`
	keepState = `
output: { drop: {} }
cache_resources: [ { label: state, bolt: { path: state.db } } ]
`
	fileState = `
output: { drop: {} }
cache_resources: [ { label: state, file: { directory: state } } ]
`
	takeHooks = `
input:
  label: hooks
  pipedrive_webhook:
    address: %HOOKS
    credentials: [ { username: hook, password: hunter2 } ]
`
	keepHooks = `    max_body_size: 512KiB
    journal: { path: hooks.db, max_bytes: 1MiB }
`
	deadSink = `
output: { http_client: { url: "http://%SINK/", verb: POST, retries: 0 } }
`
)

func damage(name string) func(*sceneWorld) {
	return func(w *sceneWorld) {
		path := filepath.Join(w.folder, name)
		require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(w.t, os.WriteFile(path, []byte(strings.Repeat("nonsense", 10_000)), 0o600))
	}
}

func fail(f simulator.Fault) func(*sceneWorld) { return func(w *sceneWorld) { w.sim.FailAlways(f) } }

var scenes = []scene{
	{
		name: "the token was regenerated", pipeline: pollDeals + keepState,
		after: func(w *sceneWorld) {
			token := w.sim.Token()
			w.sim.RevokeToken()
			asked := w.sim.Count("/v1/users/me")
			eventually(w.t, "it has asked again", func() bool { return w.sim.Count("/v1/users/me") > asked })
			w.sim.SetToken(token)
		},
		says: []string{
			`error Pipedrive cannot be read\. Nothing is handed on until it can, and it is asked again with growing pauses: .*401 Unauthorized.*check api_token or oauth2`,
			`error Failed to connect to pipedrive_poll: reading the account: .*401 Unauthorized.*check api_token or oauth2, and that its user may use the API`,
			`info Pipedrive can be read again$`,
		},
		most: 3,
	},
	{
		name: "the app was uninstalled",
		pipeline: strings.Replace(pollDeals, "api_token: %TOKEN", `oauth2: { client_id: cid, client_secret: s3cret-app, refresh_token: s3cret-refresh, token_url: "%URL/oauth/token" }`, 1) +
			keepState,
		after: func(w *sceneWorld) { w.sim.Uninstall() },
		says: []string{
			`error Pipedrive cannot be read.*invalid_grant.*re-install the app and configure the new refresh token$`,
			`error Failed to connect to pipedrive_poll: .*not sent again: .*re-install the app and configure the new refresh token$`,
		},
		most: 4,
	},
	{
		name: "the company's budget is spent", pipeline: pollDeals + keepState,
		after: func(w *sceneWorld) { w.sim.Spend(plenty) },
		says: []string{
			`error Pipedrive cannot be read.*daily request budget exceeded \(daily, again in (\d+h)?(\d+m)?\d+s\): nothing can be read until .*find the integration that spends it`,
		},
		most: 2,
	},
	{
		name: "the share is spent", pipeline: strings.Replace(pollDeals, "daily_token_share: 1", "daily_token_share: 0.0004", 1) + keepState,
		before: func(w *sceneWorld) { w.sim.SetBudget(30_000) }, // 12 tokens: the account and one list
		says: []string{
			`warning Not reading (deals|persons) for now, next try in .*the share of the daily token budget is spent \(share, again in .*: raise daily_token_share$`,
		},
		most: 4,
	},
	{
		name: "somebody else bursts", pipeline: pollDeals + keepState,
		after: fail(simulator.Burst429()),
		says: []string{
			`warning Reading (deals|persons) has failed 3 times in a row, next try in 4s: .*429 Too Many Requests.*give this pipeline one of its own$`,
			`error Pipedrive cannot be read.*\(burst, again in .*give this pipeline one of its own$`,
		},
		most: 4,
	},
	{
		name: "Cloudflare blocks", pipeline: pollDeals + keepState,
		after: fail(simulator.Cloudflare403()),
		says: []string{
			`error Pipedrive cannot be read.*403 Forbidden: turned away at the edge of Pipedrive with an HTML page \(blocked, again in 5m0s\): .*stop what ignores its limits`,
		},
		most: 2,
	},
	{
		name: "Pipedrive is down", pipeline: pollDeals + keepState,
		after: fail(simulator.Status(http.StatusInternalServerError)),
		says: []string{
			`info Reading deals, next try in 1s: GET /api/v2/deals: 500 Internal Server Error \(server\)$`,
			`warning Reading persons has failed 3 times in a row, next try in 4s: .*: Pipedrive is at fault: try again later$`,
			`error Pipedrive cannot be read.*Pipedrive is at fault`,
			`error Failed to connect to pipedrive_poll: reading the account: GET /v1/users/me: 500 Internal Server Error \(server\): Pipedrive is at fault`,
		},
		most: 5,
	},
	{
		name: "one request fails", pipeline: pollDeals + keepState,
		after: func(w *sceneWorld) { w.sim.FailNext(simulator.Status(http.StatusBadGateway).On("/api/v2/deals")) },
		says:  []string{`info Reading deals, next try in 1s: GET /api/v2/deals: 502 Bad Gateway \(server\)$`},
		most:  0,
	},
	{
		name: "the network is gone", pipeline: pollDeals + keepState,
		after: func(w *sceneWorld) { require.NoError(w.t, w.sim.Close()) },
		says:  []string{`warning Reading deals has failed 3 times.*connection refused \(network\): check base_url, proxy_url, tls, the resolution of names and the firewall`},
		most:  5,
	},
	{
		name: "an object is refused", pipeline: strings.Replace(pollDeals, "interval: 200ms", "interval: 200ms\n    full_read_interval: 2s", 1) + keepState,
		after: func(w *sceneWorld) { w.sim.FailNext(simulator.Scope403().On("/api/v2/persons")) },
		says: []string{
			`warning Not reading persons for now, next try in 2s: .*403 Forbidden.*give the user of the credential, or the app, the right to this, or take persons out of objects$`,
			`info Reading persons again$`,
		},
		most: 1,
	},
	{
		name: "there is no such cache", pipeline: pollDeals + "output: { drop: {} }\n",
		says: []string{`error Failed to connect to pipedrive_poll: checkpoint_cache: there is no cache resource with the label "state"; add one under cache_resources`},
		most: 2,
	},
	{
		name: "a damaged checkpoint", pipeline: pollDeals + fileState, before: damage("state/pipedrive_poll.deals"),
		says: []string{`error Failed to connect to pipedrive_poll: the checkpoint "pipedrive_poll.deals" in cache "state" cannot be used: .*Nothing is read until it is restored, deleted \(reading then begins at start_from\), or checkpoint_cache_key is changed`},
		most: 2,
	},
	{
		name: "the port of the metrics is taken", pipeline: "http: { address: '%TAKEN' }\n" + pollDeals + keepState,
		after: func(*sceneWorld) {}, // it reads all the same
		says:  []string{`error HTTP Server error: listen tcp .*: bind: address already in use`},
		most:  1,
	},
	{
		name: "a damaged bolt file", pipeline: pollDeals + keepState, before: damage("state.db"),
		says: []string{`error Failed to connect to pipedrive_poll: .*path "state.db": the file is not a bolt database, or damaged \(restore it or move it away\)`},
		most: 2,
	},
	{
		name: "a checkpoint that cannot be stored", pipeline: pollDeals + fileState, // there is no such folder
		after: func(w *sceneWorld) { require.NoError(w.t, os.MkdirAll(filepath.Join(w.folder, "state"), 0o755)) },
		says: []string{
			`error Storing the checkpoint, next try in 2s; until then no more than checkpoint_limit pages of an object are handed on, and a restart would repeat them: .*no such file`,
			`info The checkpoint is stored again$`,
		},
		most: 3,
	},
	{
		name: "records are dropped", pipeline: pollDeals + "    auto_replay_nacks: false\noutput: { reject: \"not today\" }\ncache_resources: [ { label: state, bolt: { path: state.db } } ]\n",
		says: []string{`error Dropping 20 of 20 records, because auto_replay_nacks is off and they were refused: not today`},
		most: 2,
	},
	{
		name: "the port is taken", pipeline: strings.Replace(takeHooks, "%HOOKS", "%TAKEN", 1) + keepHooks + "output: { drop: {} }\n",
		says: []string{`error Failed to connect to pipedrive_webhook: listening on 127\.0\.0\.1:\d+/events/pipedrive: another process or program holds the address`},
		most: 2,
	},
	{
		name: "scanners", pipeline: takeHooks + keepHooks + "output: { drop: {} }\n",
		after: func(w *sceneWorld) {
			for range 50 {
				knock(w.t, w.hooks)
			}
		},
		says: []string{
			`warning Refused a webhook with wrong or missing credentials$`,
			`warning Refused a webhook that is none of Pipedrive's: `,
		},
		most: 4, // a kind has one line a minute, of four hundred requests
	},
	{
		name: "the journal is full", pipeline: takeHooks + keepHooks + deadSink,
		after: func(w *sceneWorld) {
			title := strings.Repeat("x", 50_000)
			for i := range 30 {
				hook(w.t.Context(), w.hooks, fmt.Appendf(nil, strings.Replace(string(hookEvent(i, i)), `"data":{`, `"data":{"title":"%s",`, 1), title))
			}
		},
		says: []string{`warning Refused a webhook because it was not accepted: the journal is full: \d+ entries, \d+ of 1048576 bytes`},
		most: 200, // the lines of the host's own output
	},
	{
		name: "a damaged journal", pipeline: takeHooks + keepHooks + "output: { drop: {} }\n", before: damage("hooks.db"),
		says: []string{`error Failed to connect to pipedrive_webhook: opening the journal, path "hooks.db": the file is not a journal, or damaged \(restore it, or move it away to begin an empty one\)`},
		most: 2,
	},
	{
		name: "no journal", pipeline: takeHooks + "output: { drop: {} }\n",
		says: []string{`warning No journal is set: .*an outage of the output costs events`},
		most: 1,
	},
	{
		name: "a receiver that is down", pipeline: pollDeals + `
pipeline: { processors: [ { pipedrive_normalize: {} } ] }
output:
  fallback:
    - label: app
      pipedrive_callback: { url: "%BUSY/?key=s3cret-query", signature: { scheme: none }, retry: { initial_interval: 10ms, max_interval: 50ms } }
    - drop: {}
cache_resources: [ { label: state, bolt: { path: state.db } } ]
`,
		says: []string{`warning The receiver takes no callbacks, is it down\? .*The newest was try 3, the next is in 50ms: posting pd1_[0-9a-f]+ to 127\.0\.0\.1:\d+: 503 Service Unavailable`},
		most: 60, // and one of the host for each message that moves to the fallback
	},
}

var (
	logged  = regexp.MustCompile(`level=(\w+) msg="((?:[^"\\]|\\.)*)"`)
	secrets = regexp.MustCompile(`hunter2|s3cret`)
)

// lines of a log, as "level message".
func linesOf(log string) (lines []string) {
	for _, found := range logged.FindAllStringSubmatch(log, -1) {
		lines = append(lines, found[1]+" "+strings.ReplaceAll(found[2], `\"`, `"`))
	}
	return lines
}

// In each failure the log says at its usual level what happened, to which object, what the program does now and what a
// person should do; it says it once, not a thousand times, and tells no secret.
func TestTheLogSaysWhatToDo(t *testing.T) {
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	t.Cleanup(busy.Close)
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := &sceneWorld{t: t, folder: t.TempDir(), hooks: unrest.FreeAddress(t)}
			w.sim = simulator.RunT(t, simulator.Options{
				Deals: 20, Persons: 20, DailyBudget: plenty, Burst: plenty, Token: "s3cret-token",
				OAuth: simulator.OAuth{ClientID: "cid", ClientSecret: "s3cret-app", RefreshToken: "s3cret-refresh"},
			})
			if s.before != nil {
				s.before(w)
			}
			management := "http: { enabled: false }\n"
			if strings.HasPrefix(s.pipeline, "http:") {
				management = ""
			}
			p := run(t, w.folder, management+strings.NewReplacer(
				"%URL", w.sim.URL(), "%TOKEN", w.sim.Token(), "%SINK", unrest.FreeAddress(t), "%HOOKS", w.hooks, "%BUSY", busy.URL,
				"%TAKEN", strings.TrimPrefix(w.sim.URL(), "http://"),
			).Replace(s.pipeline))
			if s.after != nil {
				eventually(t, "it begins", func() bool {
					return strings.Contains(p.log.String(), "Input type pipedrive_") && (w.sim.Count("/api/v2/persons") > 1 || strings.Contains(s.pipeline, "_webhook"))
				})
				s.after(w)
			}
			for _, pattern := range s.says {
				says := regexp.MustCompile(`^` + pattern)
				if !assert.Eventually(t, func() bool {
					for _, line := range linesOf(p.log.String()) {
						if says.MatchString(line) {
							return true
						}
					}
					return false
				}, 20*time.Second, 5*time.Millisecond, "no line like %s", pattern) {
					break
				}
			}
			p.kill()
			alarming := 0
			for _, line := range linesOf(p.log.String()) {
				if !strings.HasPrefix(line, "info ") {
					alarming++
				}
			}
			assert.LessOrEqual(t, alarming, s.most, "lines that are warnings or errors")
			assert.NotRegexp(t, secrets, p.log.String())
		})
	}
}

// explainedLines are those of docs/operations.md, with … for what differs.
func explainedLines(t *testing.T) (lines []string) {
	t.Helper()
	section := docsSection(t, "operations.md", "Log lines that ask for a person")
	for _, row := range regexp.MustCompile("(?m)^\\| `(.+?)` \\| .+ \\|$").FindAllStringSubmatch(section, -1) {
		lines = append(lines, row[1])
	}
	require.Len(t, lines, strings.Count(section, "\n| `"))
	return lines
}

var (
	alarms = regexp.MustCompile(`(?i)\blog(?:ger\(\))?\.(?:warn|error)f?\("((?:[^"\\]|\\.)*)"`)
	verbs  = regexp.MustCompile(`%[a-z]`)
	// unexplained cannot come: the configuration was checked before.
	unexplained = []string{"Looking after no webhooks: …"}
)

// Each warning and each error that the program writes is explained in docs/operations.md. What has no text of its own
// comes from somewhere else, and is not looked for.
func TestWhatAsksForAPersonIsExplained(t *testing.T) {
	explained := explainedLines(t)
	found := 0
	for _, f := range goFiles(t) {
		if f.isTest() || within(f.folder, "internal/simulator") {
			continue
		}
		content, err := os.ReadFile(filepath.Join("..", f.name))
		require.NoError(t, err)
		for _, alarm := range alarms.FindAllStringSubmatch(string(content), -1) {
			line := verbs.ReplaceAllString(alarm[1], "…")
			if strings.HasPrefix(line, "…") || slices.Contains(unexplained, line) {
				continue
			}
			found++
			assert.True(t, slices.ContainsFunc(explained, func(row string) bool {
				return strings.HasPrefix(line, strings.TrimRight(row, "… "))
			}), "nothing explains what %s writes: %s", f.name, line)
		}
	}
	assert.Greater(t, found, 20)
}

// Each line that docs/operations.md explains is one that the program, or its host, writes.
func TestTheExplainedLinesAreWritten(t *testing.T) {
	var written []string
	for _, f := range goFiles(t) {
		if !f.isTest() && !within(f.folder, "internal/simulator") {
			content, err := os.ReadFile(filepath.Join("..", f.name))
			require.NoError(t, err)
			written = append(written, string(content))
		}
	}
	host := []string{"Failed to connect to pipedrive_", "Failed to send message to ", "HTTP Server error: "}
	for _, row := range explainedLines(t) {
		parts := strings.Split(row, "…")
		if slices.ContainsFunc(host, func(begin string) bool { return strings.HasPrefix(row, begin) }) {
			continue
		}
		assert.True(t, slices.ContainsFunc(written, func(file string) bool {
			return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(file, strings.TrimSuffix(part, ": ")) })
		}), "nothing writes: %s", row)
	}
}

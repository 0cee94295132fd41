package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	pollingInstance = `{
  "id": 20931,
  "name": "Blue Harbor",
  "element": { "key": "pipedrive" },
  "configuration": {
    "pipedrive.email": "ann@blueharbor.example",
    "pipedrive.password": "s3cr3t-login",
    "event.notification.enabled": "true",
    "event.vendor.type": "polling",
    "event.notification.callback.url": "CALLBACK",
    "event.notification.signature.key": "s3cr3t-key",
    "event.poller.refresh_interval": "5",
    "event.poller.configuration": { "accounts": {}, "contacts": {}, "opportunities": {} }
  }
}`
	webhookInstance = `{
  "id": 20932,
  "element": { "key": "pipedrive" },
  "configuration": {
    "event.notification.enabled": "true",
    "event.vendor.type": "webhook",
    "event.notification.callback.url": "CALLBACK"
  }
}`
)

// imported is a run of import-instance in a folder with these files.
type imported struct {
	dir, stdout, stderr string
	exit                int
}

func importInstances(t *testing.T, files map[string]string, args ...string) imported {
	t.Helper()
	c := program(t, append([]string{"import-instance"}, args...)...)
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(c.Dir, name), []byte(content), 0o600))
	}
	c.Stdin = strings.NewReader(files["-"])
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	_ = c.Run()
	return imported{c.Dir, stdout.String(), stderr.String(), c.ProcessState.ExitCode()}
}

func with(callback, instance string) string {
	return strings.Replace(instance, "CALLBACK", callback, 1)
}

// requireLints runs the binary's own linter.
func requireLints(t *testing.T, files ...string) {
	t.Helper()
	c := program(t, append([]string{"lint", "--skip-env-var-check"}, files...)...)
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Empty(t, string(out))
}

func TestImportPrintsAPipelineThatTheBinaryTakes(t *testing.T) {
	t.Parallel()
	for name, instance := range map[string]string{"polling": pollingInstance, "webhook": webhookInstance} {
		r := importInstances(t, map[string]string{"i.json": with("https://app.example.com/events", instance)}, "i.json")
		require.Zero(t, r.exit, r.stderr)
		file := filepath.Join(r.dir, name+".yaml")
		require.NoError(t, os.WriteFile(file, []byte(r.stdout), 0o600))
		requireLints(t, file)
		assert.NotContains(t, r.stdout+r.stderr, "s3cr3t")
	}
}

func TestImportTellsOnStandardErrorWhatAPersonHasToDo(t *testing.T) {
	t.Parallel()
	r := importInstances(t, map[string]string{"-": with("https://app.example.com/events", pollingInstance)}, "-")
	require.Zero(t, r.exit, r.stderr)
	assert.Equal(t, `-: warning: pipedrive.email, pipedrive.password: Pipedrive took this login away in 2019; an API token takes its place, in PIPEDRIVE_API_TOKEN
set these environment variables before you start it:
  PIPEDRIVE_API_TOKEN: Pipedrive: Company settings > Personal preferences > API
  SIGNING_KEY: the value of event.notification.signature.key
`, r.stderr)
	assert.True(t, strings.HasPrefix(r.stdout, "# The Pipedrive instance of Cloud Elements 20931 (Blue Harbor), by polling"), r.stdout)
}

func TestImportRefusesAllThatIsWrongAtOnceAndWritesNothing(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"good.json":  with("https://app.example.com/events", webhookInstance),
		"bad.json":   `{ "element": { "key": "pipedrive" }, "configuration": { "event.vendor.type": "poll" } }`,
		"curly.json": "{\n  “element”: {}\n}",
	}
	r := importInstances(t, files, "good.json", "bad.json", "curly.json", "missing.json", "--out-dir", "crm")
	assert.Equal(t, 1, r.exit)
	assert.Empty(t, r.stdout)
	for _, line := range []string{
		"nothing is written:",
		`bad.json: event.notification.enabled: is missing; set it to "true"`,
		"bad.json: event.notification.callback.url: is missing; set it to the URL of your app that takes the events, like https://app.example.com/events",
		`bad.json: line 1, column 78: event.vendor.type: "poll" is not known; write "polling" or "webhook"`,
		`curly.json: line 2, column 3: a curly quote “ instead of "`,
		"missing.json: no such file or directory",
	} {
		assert.Contains(t, strings.Split(r.stderr, "\n"), line)
	}
	assert.NoDirExists(t, filepath.Join(r.dir, "crm"))
}

func TestImportSaysWhatItTakes(t *testing.T) {
	t.Parallel()
	files := map[string]string{"i.json": with("https://app.example.com/events", webhookInstance)}
	for _, test := range []struct {
		args        []string
		errContains string
	}{
		{nil, "takes a FILE"},
		{[]string{"i.json", "i.json"}, "with --out-dir each FILE becomes a stream"},
		{[]string{"i.json", "--out-dir"}, "--out-dir: names no folder"},
		{[]string{"i.json", "--out-dir="}, "--out-dir: names no folder"},
		{[]string{"i.json", "--out"}, "does not know --out"},
		{[]string{"."}, ".: is a directory"},
	} {
		r := importInstances(t, files, test.args...)
		assert.Equal(t, 1, r.exit, test.args)
		assert.Empty(t, r.stdout, test.args)
		assert.Contains(t, r.stderr, test.errContains, test.args)
	}
}

// The way over, as a user goes it: import, set the variables, run. The app takes what it always took.
func TestAnImportedInstanceSendsWhatTheAppKnows(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	s := simulate(t, "--deals", "4", "--persons", "3", "--organizations", "2", "--changes-per-second", "0")
	r := importInstances(t, map[string]string{"i.json": with(app.url, pollingInstance)}, "i.json")
	require.Zero(t, r.exit, r.stderr)

	run := program(t, "run", "pipeline.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(run.Dir, "pipeline.yaml"), []byte(r.stdout), 0o600))
	run.Env = append(run.Env, "PIPEDRIVE_API_TOKEN="+s.token, "SIGNING_KEY=s3cr3t-key", "START_FROM=beginning",
		"PIPEDRIVE_BASE_URL="+s.url, "HTTP_ADDRESS=127.0.0.1:0")
	start(t, run)
	assert.Equal(t, map[string]int{"opportunities": 4, "contacts": 3, "accounts": 2}, app.events(t, 9, "s3cr3t-key", 20931))
}

// Many instances in one process: each has its stream, its credentials and its path on one address.
func TestImportedInstancesShareAProcess(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	s := simulate(t, "--deals", "4", "--persons", "3", "--organizations", "2", "--changes-per-second", "0")
	files := map[string]string{"p.json": with(app.url, pollingInstance), "w.json": with(app.url, webhookInstance)}
	r := importInstances(t, files, "p.json", "w.json", "--out-dir", "crm")
	require.Zero(t, r.exit, r.stderr)
	assert.Empty(t, r.stdout)
	crm := filepath.Join(r.dir, "crm")
	requireLints(t, filepath.Join(crm, "root.yaml"), filepath.Join(crm, "resources.yaml"), filepath.Join(crm, "streams", "20931.yaml"), filepath.Join(crm, "streams", "20932.yaml"))

	address := freeAddress(t)
	run := program(t, "streams", "-o", "root.yaml", "-r", "resources.yaml", "streams")
	run.Dir = crm
	run.Env = append(run.Env, "PIPEDRIVE_API_TOKEN_20931="+s.token, "SIGNING_KEY_20931=s3cr3t-key", "START_FROM=beginning",
		"HOOK_USERNAME_20932=hook", "HOOK_PASSWORD_20932=pw", "HOOK_ADDRESS="+address,
		"PIPEDRIVE_BASE_URL="+s.url, "HTTP_ADDRESS=127.0.0.1:0")
	start(t, run)
	assert.Equal(t, map[string]int{"opportunities": 4, "contacts": 3, "accounts": 2}, app.events(t, 9, "s3cr3t-key", 20931))

	require.Eventually(t, func() bool { return deliver(t, "http://"+address+"/events/pipedrive/MjA5MzI=") == http.StatusOK }, 10*time.Second, 10*time.Millisecond)
	assert.Equal(t, map[string]int{"opportunities": 1}, app.events(t, 1, "", 20932))
	for _, file := range []string{"state/benthos-pipedrive.db", "state/webhooks_20932.db"} {
		assert.FileExists(t, filepath.Join(crm, file))
	}
}

// deliver sends a webhook as Pipedrive does, and returns the status of the answer; 0: there is none.
func deliver(t *testing.T, url string) int {
	t.Helper()
	const body = `{"v":1,"event":"updated.deal","retry":0,
"meta":{"v":1,"action":"updated","object":"deal","id":101,"company_id":12345,"user_id":11,"host":"blueharbor.pipedrive.com","timestamp":1795166105,"timestamp_micro":1795166105000000,"webhook_id":"1900001"},
"current":{"id":101,"title":"Blue Harbor renewal","add_time":"2026-11-01 08:00:00","update_time":"2026-11-20 09:15:05"},
"previous":{"id":101,"title":"Blue Harbor","add_time":"2026-11-01 08:00:00","update_time":"2026-11-20 09:15:00"}}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth("hook", "pw")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// freeAddress is one that nobody listens on at the moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// app is somebody's application that takes Cloud Elements' events.
type app struct {
	url   string
	posts chan post
}

type post struct {
	signature string
	body      []byte
}

func newApp(t *testing.T) *app {
	t.Helper()
	a := &app{posts: make(chan post, 100)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		a.posts <- post{r.Header.Get("Elements-Webhook-Signature"), body}
	}))
	t.Cleanup(server.Close)
	a.url = server.URL + "/events"
	return a
}

// signatureOf is Cloud Elements'; without a key there is none.
func signatureOf(body []byte, key string) string {
	if key == "" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	return "sha256=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// events counts the objects of the next n events, each of which is signed and names the instance.
func (a *app) events(t *testing.T, n int, key string, instanceID int) map[string]int {
	t.Helper()
	count := map[string]int{}
	for total := 0; total < n; {
		var p post
		select {
		case p = <-a.posts:
		case <-time.After(20 * time.Second):
			require.FailNow(t, "the events do not come", "so far: %v", count)
		}
		require.Equal(t, signatureOf(p.body, key), p.signature)
		var said struct {
			Message struct {
				InstanceID int `json:"instanceId"`
				Events     []struct {
					ObjectType string `json:"objectType"`
				} `json:"events"`
			} `json:"message"`
		}
		require.NoError(t, json.Unmarshal(p.body, &said))
		require.Equal(t, instanceID, said.Message.InstanceID)
		require.NotEmpty(t, said.Message.Events)
		for _, e := range said.Message.Events {
			count[e.ObjectType]++
			total++
		}
	}
	return count
}

// start runs a program until the test ends, and shows what it said when the test has failed.
func start(t *testing.T, c *exec.Cmd) {
	t.Helper()
	var log bytes.Buffer
	c.Stdout, c.Stderr = &log, &log
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
		if t.Failed() {
			t.Logf("the program said:\n%s", &log)
		}
	})
}

package unrest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// Program is the binary, or what plays it.
type Program struct {
	Path string
	Env  []string
}

// Feed is the program running a pipeline between a simulated account and a sink.
type Feed struct {
	Hook string // host:port of its webhook door, if it has one
	HTTP string // host:port of /ready, /ping and /metrics
	Disk string // its STATE_DIR

	t    *testing.T
	sim  *simulator.Simulator
	door bool
	args []string
	env  []string
	cmd  *exec.Cmd
	log  *Log
}

const password = "hunter2"

// Start starts a pipeline, a file with the environment of the recipes in config, against the account, with what it wants
// to know of its sink. Later values win.
func Start(t *testing.T, program Program, sim *simulator.Simulator, pipeline string, env ...string) *Feed {
	t.Helper()
	return start(t, false, program, sim, pipeline, env)
}

// Run starts a pipeline with a webhook door, and waits until its webhooks are subscribed.
func Run(t *testing.T, program Program, sim *simulator.Simulator, pipeline string, env ...string) *Feed {
	t.Helper()
	f := start(t, true, program, sim, pipeline, env)
	Eventually(t, "the webhooks are subscribed", func() bool {
		return slices.ContainsFunc(sim.Webhooks(), func(w simulator.Webhook) bool { return w.Active })
	})
	return f
}

func start(t *testing.T, door bool, program Program, sim *simulator.Simulator, pipeline string, env []string) *Feed {
	t.Helper()
	pipeline, err := filepath.Abs(pipeline)
	require.NoError(t, err)
	path, err := filepath.Abs(program.Path)
	require.NoError(t, err)
	require.FileExists(t, path, "make build makes it")
	f := &Feed{t: t, sim: sim, Disk: t.TempDir(), door: door, Hook: FreeAddress(t), HTTP: FreeAddress(t), log: &Log{}}
	f.args = []string{path, "run", "--set", "http.address=" + f.HTTP, pipeline}
	f.env = slices.Concat(os.Environ(), program.Env, []string{
		"PIPEDRIVE_BASE_URL=" + sim.URL(), "PIPEDRIVE_API_TOKEN=" + sim.Token(), "POLL_INTERVAL=500ms",
		"HOOK_ADDRESS=" + f.Hook, "HOOK_PASSWORD=" + password, "PUBLIC_URL=http://" + f.Hook, "STATE_DIR=" + f.Disk,
	}, env)
	f.Start()
	t.Cleanup(func() {
		f.Kill()
		if t.Failed() {
			t.Logf("log of %s:\n%s", filepath.Base(pipeline), f.log.Tail())
		}
	})
	return f
}

// Start starts it again, on its disk, and waits until it serves.
func (f *Feed) Start() {
	f.t.Helper()
	f.cmd = exec.Command(f.args[0], f.args[1:]...)
	f.cmd.Dir = f.t.TempDir()
	f.cmd.Env = f.env
	f.cmd.Stdout, f.cmd.Stderr = f.log, f.log
	f.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(f.t, f.cmd.Start())
	alive := "http://" + f.HTTP + "/ping"
	if f.door {
		alive = "http://" + f.Hook + "/healthz"
	}
	Eventually(f.t, "it serves", func() bool { status, _ := Get(alive); return status == http.StatusOK })
}

// Get asks for a page; 0 is no answer.
func Get(url string) (status int, body string) {
	res, err := http.Get(url)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	page, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(page)
}

// RequireLetter sends a webhook that cannot be read, of Pipedrive of next year: it becomes a dead letter, with all that it
// takes to send it again.
func (f *Feed) RequireLetter() {
	f.t.Helper()
	f.sim.Announce("deal", "change", "1", simulator.Fields{"id": 1, "custom_fields": simulator.Fields{
		"0123456789abcdef0123456789abcdef01234567": simulator.Fields{"type": "hologram", "value": 1},
	}}, nil)
	var letter map[string]any
	Eventually(f.t, "there is a letter", func() bool {
		paths, err := filepath.Glob(filepath.Join(f.Disk, "dead_letters", "*.json"))
		require.NoError(f.t, err)
		if len(paths) != 1 {
			return false
		}
		content, err := os.ReadFile(paths[0])
		return err == nil && json.Unmarshal(content, &letter) == nil // else it is being written
	})
	require.Contains(f.t, letter["error"], "hologram")
	metadata, _ := letter["metadata"].(map[string]any)
	require.Equal(f.t, "webhook_v2", metadata["pipedrive_schema"])
	content, _ := letter["content"].(string)
	body, err := base64.StdEncoding.DecodeString(content)
	require.NoError(f.t, err)
	require.Contains(f.t, string(body), `"hologram"`, "as it came")
}

// Kill ends it as a power cut would.
func (f *Feed) Kill() {
	if f.cmd.ProcessState == nil {
		_ = f.cmd.Process.Kill()
		_ = f.cmd.Wait()
	}
}

// Stop ends it as an operator would. It has said no secret.
func (f *Feed) Stop() {
	f.t.Helper()
	require.NoError(f.t, f.cmd.Process.Signal(os.Interrupt))
	require.NoError(f.t, f.cmd.Wait(), "log:\n%s", f.log.Tail())
	for _, secret := range []string{password, f.sim.Token()} {
		require.NotContains(f.t, f.log.String(), secret)
	}
}

// FreeAddress is one that nobody listens on at the moment.
func FreeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// Patience is how long anything may take on a busy machine.
const Patience = 60 * time.Second

// Eventually waits for what other processes do.
func Eventually(t *testing.T, why string, done func() bool) {
	t.Helper()
	require.Eventually(t, done, Patience, 20*time.Millisecond, why)
}

// Log is what a process says, to be read while it runs.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write takes in more.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Tail is the end of it.
func (l *Log) Tail() string {
	const most = 8000
	text := l.String()
	return text[max(0, len(text)-most):]
}

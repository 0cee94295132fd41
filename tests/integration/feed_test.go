//go:build integration

package integration

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// binary is what make build has built.
const binary = "../../bin/benthos-pipedrive"

// feed is the real binary running a recipe between a simulated account and a sink.
type feed struct {
	t    *testing.T
	sim  *simulator.Simulator
	args []string
	env  []string
	hook string // host:port of the webhook door

	cmd *exec.Cmd
	log *journal
}

const password = "hunter2"

// runRecipe starts a recipe of config against the account, with what it wants to know of its sink, and waits until its
// webhooks are subscribed.
func runRecipe(t *testing.T, sim *simulator.Simulator, recipe string, env ...string) *feed {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../config", recipe))
	require.NoError(t, err)
	return runPipeline(t, sim, path, env...)
}

func runPipeline(t *testing.T, sim *simulator.Simulator, path string, env ...string) *feed {
	t.Helper()
	require.FileExists(t, binary, "make build makes it")
	program, err := filepath.Abs(binary)
	require.NoError(t, err)
	f := &feed{t: t, sim: sim, hook: "127.0.0.1:" + freePort(t), log: &journal{}}
	f.args = []string{program, "run", "--set", "http.address=127.0.0.1:" + freePort(t), path}
	f.env = append([]string{
		"PIPEDRIVE_BASE_URL=" + sim.URL(), "PIPEDRIVE_API_TOKEN=" + sim.Token(), "POLL_INTERVAL=500ms",
		"HOOK_ADDRESS=" + f.hook, "HOOK_PASSWORD=" + password, "PUBLIC_URL=http://" + f.hook, "STATE_DIR=" + t.TempDir(),
	}, env...)
	f.start()
	t.Cleanup(func() {
		f.kill()
		if t.Failed() {
			t.Logf("log of the feed:\n%s", tail(f.log.String()))
		}
	})
	eventually(t, "the webhooks are subscribed", func() bool {
		for _, w := range sim.Webhooks() {
			if w.Active && strings.HasPrefix(w.URL, "http://"+f.hook) {
				return true
			}
		}
		return false
	})
	return f
}

func (f *feed) start() {
	f.t.Helper()
	f.cmd = exec.Command(f.args[0], f.args[1:]...)
	f.cmd.Dir = f.t.TempDir()
	f.cmd.Env = append(os.Environ(), f.env...)
	f.cmd.Stdout, f.cmd.Stderr = f.log, f.log
	f.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(f.t, f.cmd.Start())
	eventually(f.t, "the door is open", func() bool {
		res, err := http.Get("http://" + f.hook + "/healthz")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode == http.StatusOK
	})
}

// kill ends it as a power cut would.
func (f *feed) kill() {
	if f.cmd.ProcessState == nil {
		_ = f.cmd.Process.Kill()
		_ = f.cmd.Wait()
	}
}

// stop ends it as an operator would. It has said no secret.
func (f *feed) stop() {
	f.t.Helper()
	require.NoError(f.t, f.cmd.Process.Signal(os.Interrupt))
	require.NoError(f.t, f.cmd.Wait(), "log:\n%s", tail(f.log.String()))
	for _, secret := range []string{password, f.sim.Token()} {
		require.NotContains(f.t, f.log.String(), secret)
	}
}

func (f *feed) String() string { return fmt.Sprint(f.args) }

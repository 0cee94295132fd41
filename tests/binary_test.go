// Package tests holds the promises that need more than one room, and the checks that keep the house in order.
package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// buildOnce builds the real binary once a run.
var buildOnce = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "benthos-pipedrive")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "benthos-pipedrive")
	build := exec.Command("go", "-C", "../cmd", "build", "-o", path, "./benthos-pipedrive")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", &buildError{err, out}
	}
	return path, nil
})

type buildError struct {
	err error
	out []byte
}

func (e *buildError) Error() string { return e.err.Error() + "\n" + string(e.out) }

// process is the real binary running a pipeline.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	log *unrest.Log
}

// run starts the binary with a pipeline that is written to a file in folder.
func run(t *testing.T, folder, yaml string, env ...string) *process {
	t.Helper()
	config := filepath.Join(folder, "pipeline.yaml")
	require.NoError(t, os.WriteFile(config, []byte(yaml), 0o600))
	return start(t, folder, env, "run", config)
}

// start starts the binary in a folder.
func start(t *testing.T, folder string, env []string, arguments ...string) *process {
	t.Helper()
	binary, err := buildOnce()
	require.NoError(t, err)
	return launch(t, folder, env, exec.Command(binary, arguments...))
}

// launch starts a command that is, or becomes, the binary.
func launch(t *testing.T, folder string, env []string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, log: &unrest.Log{}}
	p.cmd.Dir = folder
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of the binary:\n%s", p.log)
		}
	})
	return p
}

// kill ends it as a power cut would.
func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// stop ends it as an operator would, and returns its log.
func (p *process) stop() string {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(os.Interrupt))
	return p.ended()
}

// ended waits until it has ended well, and returns its log.
func (p *process) ended() string {
	p.t.Helper()
	late := time.AfterFunc(time.Minute, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	require.NoError(p.t, p.cmd.Wait(), "log:\n%s", p.log)
	return p.log.String()
}

// eventually waits for what another process does.
func eventually(t *testing.T, why string, done func() bool) {
	t.Helper()
	require.Eventually(t, done, 20*time.Second, 5*time.Millisecond, why)
}

//go:build integration

package integration

import (
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// freePort is one that nobody listens on at the moment.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

// installed finds a program of a server by the patterns of where Debian puts it; of several versions the last.
func installed(t *testing.T, patterns ...string) string {
	t.Helper()
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		if len(found) > 0 {
			return found[len(found)-1]
		}
	}
	require.Fail(t, "a server is missing", "there is no %v: make integration installs it", patterns)
	return ""
}

// daemon is a server of one test, in a folder of its own.
type daemon struct {
	t      *testing.T
	name   string
	folder string
	owner  *syscall.Credential // nil: as the test itself
	env    []string
	args   []string
	stop   syscall.Signal // what ends it in order
	ready  func() error

	cmd *exec.Cmd
	log *unrest.Log
}

// newDaemon gives a server its folder. A server that refuses to run as root runs as the user that its package made.
func newDaemon(t *testing.T, name, account string) *daemon {
	t.Helper()
	folder, err := os.MkdirTemp("", "integration-"+name+"-")
	require.NoError(t, err)
	d := &daemon{t: t, name: name, folder: folder, stop: syscall.SIGTERM, log: &unrest.Log{}}
	if account != "" && os.Geteuid() == 0 {
		u, err := user.Lookup(account)
		require.NoError(t, err)
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		require.NoError(t, err)
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		require.NoError(t, err)
		d.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		require.NoError(t, os.Chown(folder, int(uid), int(gid)))
	}
	t.Cleanup(func() {
		d.end(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("log of %s:\n%s", name, d.log.Tail())
		}
		require.NoError(t, os.RemoveAll(folder))
	})
	return d
}

// command is a program run in the server's folder and as its user. It dies with the test, whatever ends that.
func (d *daemon) command(args ...string) *exec.Cmd {
	c := exec.Command(args[0], args[1:]...)
	c.Dir = d.folder
	c.Env = append(append(os.Environ(), "HOME="+d.folder), d.env...)
	c.Stdout, c.Stderr = d.log, d.log
	c.SysProcAttr = &syscall.SysProcAttr{Credential: d.owner, Pdeathsig: syscall.SIGKILL}
	c.WaitDelay = time.Second // for what a child of its own may still say
	return c
}

// run waits for a program that prepares the server.
func (d *daemon) run(args ...string) {
	d.t.Helper()
	require.NoError(d.t, d.command(args...).Run(), "%s: %v\n%s", d.name, args, d.log)
}

// start waits until the server serves.
func (d *daemon) start() {
	d.t.Helper()
	d.cmd = d.command(d.args...)
	require.NoError(d.t, d.cmd.Start())
	var err error
	unrest.Eventually(d.t, d.name+" serves", func() bool { err = d.ready(); return err == nil })
}

// end signals the server and waits for its end.
func (d *daemon) end(how syscall.Signal) {
	d.t.Helper()
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Signal(how)
	late := time.AfterFunc(unrest.Patience, func() { _ = d.cmd.Process.Kill() })
	defer late.Stop()
	_ = d.cmd.Wait()
	d.cmd = nil
}

// Away takes the server away in order.
func (d *daemon) Away() { d.end(d.stop) }

// Back brings it back.
func (d *daemon) Back() { d.start() }

// listens is a server that takes connections.
func listens(address string) func() error {
	return func() error {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return err
		}
		return c.Close()
	}
}

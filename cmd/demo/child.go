package main

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

// grace is what a child gets to end in after SIGTERM; then it is killed.
const grace = 10 * time.Second

// child is a process that show started and will not leave behind.
type child struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed once the process is gone and its output read
}

func start(cmd *exec.Cmd) (*child, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		// The exit status stays in cmd.ProcessState, and a demo that is over does not care for it.
		_ = cmd.Wait()
	}()
	return c, nil
}

// stop ends the process and waits until it is gone. It may be called again.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case <-c.ended:
	case <-late.C:
		_ = c.cmd.Process.Kill()
		<-c.ended
	}
}

// state says how the process ended ("exit status 1"). Only after ended is closed.
func (c *child) state() *os.ProcessState { return c.cmd.ProcessState }

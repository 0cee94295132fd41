package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
)

// announced begins the line of what simulate prints that holds the environment in which a pipeline finds it.
const announced = "# export PIPEDRIVE_BASE_URL="

// hook is where the pipeline takes webhooks, and what the simulator has to show there.
type hook struct{ address, password string }

// newHook chooses a port that nobody listens on at the moment.
func newHook() (hook, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return hook{}, err
	}
	defer l.Close()
	return hook{address: l.Addr().String(), password: rand.Text()}, nil
}

func (h hook) environment() []string {
	return []string{"HOOK_ADDRESS=" + h.address, "HOOK_PASSWORD=" + h.password}
}

// startSimulator starts a small, lively Pipedrive on a free port that sends webhooks to the hook, and waits until it
// serves. The strings are the environment ("PIPEDRIVE_BASE_URL=http://...") in which a pipeline finds it.
func startSimulator(ctx context.Context, binary, folder string, to hook) (*child, []string, error) {
	cmd := exec.Command(binary, "simulate", "--address", "127.0.0.1:0",
		"--deals", "5", "--persons", "4", "--organizations", "3", "--changes-per-second", "2",
		"--webhook", "http://"+to.address+"/events/pipedrive", "--webhook-user", "hook", "--webhook-password", to.password)
	cmd.Dir = folder
	heard := &listener{found: make(chan []string, 1)}
	cmd.Stdout = heard
	c, err := start(cmd) // its lines about each delivery are not for the demo
	if err != nil {
		return nil, nil, err
	}
	select {
	case env := <-heard.found:
		return c, append(env, to.environment()...), nil
	case <-c.ended:
		return nil, nil, errors.New(c.state().String())
	case <-ctx.Done():
		c.stop()
		return nil, nil, ctx.Err()
	}
}

func startPipeline(binary, config, folder string, env []string, out io.Writer) (*child, error) {
	cmd := exec.Command(binary, "run", config)
	cmd.Dir = folder
	cmd.Env = append(append(os.Environ(), env...), "POLL_INTERVAL=1s")
	cmd.Stdout = out
	cmd.Stderr = os.Stderr
	return start(cmd)
}

// listener hears what the simulator prints up to the announced line, and nothing after it.
type listener struct {
	text  bytes.Buffer
	done  bool
	found chan []string // buffered, written once
}

func (l *listener) Write(p []byte) (int, error) {
	if l.done {
		return len(p), nil
	}
	l.text.Write(p)
	for line := range strings.Lines(l.text.String()) {
		if strings.HasPrefix(line, announced) && strings.HasSuffix(line, "\n") {
			l.done = true
			l.found <- strings.Fields(strings.TrimPrefix(line, "# export "))
			break
		}
	}
	return len(p), nil
}

// lines counts the lines that pass through it.
type lines struct {
	to    io.Writer
	count int
}

func (l *lines) Write(p []byte) (int, error) {
	l.count += bytes.Count(p, []byte{'\n'})
	return l.to.Write(p)
}

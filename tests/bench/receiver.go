package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// receiver is a process that takes webhooks.
type receiver struct {
	address, folder string
	cmd             *exec.Cmd
	log             *bytes.Buffer
}

// startReceiver runs a program with a pipeline, or with an address when there is none, and waits until it listens.
func startReceiver(ctx context.Context, program, pipeline, arg string) (*receiver, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	if program, err = filepath.Abs(program); err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	w := &receiver{address: address, folder: folder, log: &bytes.Buffer{}}
	last := address
	if pipeline != "" {
		last = filepath.Join(folder, "pipeline.yaml")
		if err := os.WriteFile(last, fmt.Appendf(nil, pipeline, address), 0o600); err != nil {
			return nil, err
		}
	}
	w.cmd = exec.CommandContext(ctx, program, arg, last)
	w.cmd.Dir = folder
	w.cmd.Stdout, w.cmd.Stderr = w.log, w.log
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	for range 1000 {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			return w, conn.Close()
		}
		pause(ctx, 10*time.Millisecond)
	}
	w.stop()
	return nil, errors.New(program + " does not listen: " + w.log.String())
}

// cpu is the time that the process has spent so far, in the program and in the system for it.
func (w *receiver) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The fields behind the name, which may hold anything: proc_pid_stat(5) counts utime as 14 and stime as 15 from 1.
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("no times in /proc")
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	system, otherErr := strconv.ParseInt(fields[12], 10, 64)
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
	return time.Duration(user+system) * tick, errors.Join(err, otherErr)
}

func (w *receiver) stop() {
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()
	_ = os.RemoveAll(w.folder)
}

// serveBare is the limit: a server that reads the body and answers 200.
func serveBare(ctx context.Context, address string) error {
	s := &http.Server{Addr: address, ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	})}
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	return s.ListenAndServe()
}

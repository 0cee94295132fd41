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
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/attack"
)

// The pipelines of the webhook lanes. All of them throw away what they receive.
const (
	hostsDoor = `
http: { enabled: false }
logger: { level: WARN }
input:
  http_server: { address: %s, path: /hook, timeout: 8s }
output: { drop: {} }
`
	ourDoor = `
http: { enabled: false }
logger: { level: ERROR }
input:
  pipedrive_webhook:
    address: %s
    path: /hook
    credentials: [ { username: ` + hookUser + `, password: ` + hookPassword + ` } ]
output: { drop: {} }
`
	ourJournal = `
http: { enabled: false }
logger: { level: ERROR }
input:
  pipedrive_webhook:
    address: %s
    path: /hook
    credentials: [ { username: ` + hookUser + `, password: ` + hookPassword + ` } ]
    journal: { path: webhooks.db }
output: { drop: {} }
`
)

const (
	hookRounds = 3
	hookFor    = 3 * time.Second
	paceFor    = 10 * time.Second
	pace       = 1000 // requests a second
)

// hookRates are requests a second of one lane, by the number of connections.
type hookRates struct{ At16, At64 float64 }

// measureWebhook sets the door beside a bare server and the host's own http_server, in turns.
func measureWebhook(ctx context.Context, binary string, r *report) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if r.FileSystem, err = fileSystem(os.TempDir()); err != nil {
		return err
	}
	lanes := []struct {
		start func(context.Context) (*receiver, error)
		rates *hookRates
	}{
		{func(ctx context.Context) (*receiver, error) { return startReceiver(ctx, self, "", "-bare") }, &r.BareServer},
		{func(ctx context.Context) (*receiver, error) { return startReceiver(ctx, binary, hostsDoor, "run") }, &r.HostsDoor},
		{func(ctx context.Context) (*receiver, error) { return startReceiver(ctx, binary, ourDoor, "run") }, &r.OurDoor},
		{func(ctx context.Context) (*receiver, error) { return startReceiver(ctx, binary, ourJournal, "run") }, &r.OurJournal},
	}
	measured := make([][2][]float64, len(lanes))
	for range hookRounds {
		for i, lane := range lanes {
			if err := measureReceiver(ctx, lane.start, &measured[i]); err != nil {
				return err
			}
		}
	}
	for i, lane := range lanes {
		*lane.rates = hookRates{median(measured[i][0]), median(measured[i][1])}
	}
	if err := measurePace(ctx, binary, r); err != nil {
		return err
	}
	if err := measureAttack(ctx, binary, r); err != nil {
		return err
	}
	return measureBbolt(ctx, r)
}

// measureAttack is the memory of the door while everything of the package attack comes at once.
func measureAttack(ctx context.Context, binary string, r *report) error {
	w, err := startReceiver(ctx, binary, ourJournal, "run")
	if err != nil {
		return err
	}
	defer w.stop()
	target := attack.Target{Address: w.address, Path: "/hook", Username: hookUser, Password: hookPassword}
	if err := target.All(ctx); err != nil {
		return err
	}
	r.PeakAttacked, err = peakOf(w.cmd.Process.Pid)
	return err
}

func measureReceiver(ctx context.Context, start func(context.Context) (*receiver, error), rates *[2][]float64) error {
	w, err := start(ctx)
	if err != nil {
		return err
	}
	defer w.stop()
	first := 0
	for i, connections := range []int{16, 64} {
		rate, err := load(ctx, w.address, "/hook", connections, first, hookFor)
		if err != nil {
			return errors.Join(err, errors.New(w.log.String()))
		}
		rates[i] = append(rates[i], rate)
		first += 100_000_000
	}
	return nil
}

func measurePace(ctx context.Context, binary string, r *report) error {
	w, err := startReceiver(ctx, binary, ourJournal, "run")
	if err != nil {
		return err
	}
	defer w.stop()
	r.PaceP99, err = steady(ctx, w.address, "/hook", 16, pace, paceFor)
	return err
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

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

var bboltLine = regexp.MustCompile(`Benchmark(Append|Bbolt/Batch)/writers=64-\d+.*?([\d.]+) entries/s`)

// measureBbolt runs the journal's own benchmarks: how fast it and bare bbolt write.
func measureBbolt(ctx context.Context, r *report) error {
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "Append/writers=64|Bbolt/Batch/writers=64", "./internal/journal").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	for _, m := range bboltLine.FindAllSubmatch(out, -1) {
		rate, _ := strconv.ParseFloat(string(m[2]), 64)
		if string(m[1]) == "Append" {
			r.JournalAlone = rate
		} else {
			r.BareBbolt = rate
		}
	}
	if r.JournalAlone == 0 || r.BareBbolt == 0 {
		return fmt.Errorf("the benchmarks of the journal printed %s", out)
	}
	return nil
}

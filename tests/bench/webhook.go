package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
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
	ourInput = `
http: { enabled: false }
logger: { level: ERROR }
input:
  pipedrive_webhook:
    address: %s
    path: /hook
    credentials: [ { username: ` + hookUser + `, password: ` + hookPassword + ` } ]
`
	toDrop = `output: { drop: {} }
`
	ourDoor    = ourInput + toDrop
	ourJournal = ourInput + "    journal: { path: webhooks.db }\n" + toDrop
	// An output that takes 10 ms for a batch, so that every webhook is written before it is delivered.
	ourJournalLate = ourInput + `    journal: { path: webhooks.db }
pipeline:
  threads: 64
  processors: [ sleep: { duration: '${! if batch_index() == 0 { "10ms" } else { "0s" } }' } ]
` + toDrop
	normalized = ourInput + "pipeline: { processors: [ pipedrive_normalize: {} ] }\n" + toDrop
)

const (
	hookRounds = 11
	hookSlice  = time.Second // of one lane in one round
	hookSpan   = 10_000_000  // more numbers than a lane uses up in a slice
	paceFor    = 10 * time.Second
	pace       = 1000 // requests a second
)

// hookFigures are what the receivers did, over so many connections.
type hookFigures struct{ Bare, Hosts, Ours, Journal, JournalLate, Normalized hookFigure }

// hookFigure holds medians of the rounds; a ratio is the median of what it was in each round.
type hookFigure struct {
	Rate                   float64 // requests a second
	CPU                    float64 // microseconds of the receiving process a request, the system's for it included
	OfBare, OfHost, OfOurs float64 // the rate
}

// measureWebhook sets the door beside a bare server and the host's own http_server. All of them stand there all the
// time, and the load goes from one to the next in short slices, so that whatever else the machine does meets them all.
func measureWebhook(ctx context.Context, binary string, r *report) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if r.FileSystem, err = fileSystem(os.TempDir()); err != nil {
		return err
	}
	var receivers []*receiver
	for _, of := range []struct{ program, pipeline, arg string }{
		{self, "", "-bare"},
		{binary, hostsDoor, "run"},
		{binary, ourDoor, "run"},
		{binary, ourJournal, "run"},
		{binary, ourJournalLate, "run"},
		{binary, normalized, "run"},
	} {
		w, err := startReceiver(ctx, of.program, of.pipeline, of.arg)
		if err != nil {
			return err
		}
		defer w.stop()
		receivers = append(receivers, w)
	}
	first := 0
	for connections, figures := range map[int]*hookFigures{16: &r.Hooks16, 64: &r.Hooks64} {
		if *figures, err = measureRounds(ctx, receivers, connections, &first); err != nil {
			return err
		}
	}
	for _, more := range []func(context.Context, string, *report) error{measurePace, measureAttack, measureBbolt} {
		if err := more(ctx, binary, r); err != nil {
			return err
		}
	}
	return nil
}

// measureRounds gives every receiver a slice, again and again; the first round does not count.
func measureRounds(ctx context.Context, receivers []*receiver, connections int, first *int) (f hookFigures, err error) {
	rounds := make([][]slice, hookRounds+1)
	for n := range rounds {
		rounds[n] = make([]slice, len(receivers))
		for i, w := range receivers {
			if rounds[n][i], err = measureSlice(ctx, w, connections, *first); err != nil {
				return f, err
			}
			*first += hookSpan
		}
	}
	over := func(of func(round []slice) float64) float64 {
		all := make([]float64, hookRounds)
		for i, round := range rounds[1:] {
			all[i] = of(round)
		}
		return median(all)
	}
	for i, figure := range []*hookFigure{&f.Bare, &f.Hosts, &f.Ours, &f.Journal, &f.JournalLate, &f.Normalized} {
		of := func(k int) float64 { return over(func(r []slice) float64 { return r[i].rate / r[k].rate }) }
		*figure = hookFigure{
			Rate:   over(func(r []slice) float64 { return r[i].rate }),
			CPU:    over(func(r []slice) float64 { return r[i].cpu }),
			OfBare: of(0), OfHost: of(1), OfOurs: of(2),
		}
	}
	return f, nil
}

// slice is a short time of load: requests a second, and microseconds of processor time a request.
type slice struct{ rate, cpu float64 }

func measureSlice(ctx context.Context, w *receiver, connections, first int) (slice, error) {
	before, err := w.cpu()
	if err != nil {
		return slice{}, err
	}
	answered, took, err := load(ctx, w.address, "/hook", connections, first, hookSlice)
	if err != nil {
		return slice{}, errors.Join(err, errors.New(w.log.String()))
	}
	after, err := w.cpu()
	n := float64(answered)
	return slice{rate: n / took.Seconds(), cpu: float64((after - before).Microseconds()) / n}, err
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

func measurePace(ctx context.Context, binary string, r *report) (err error) {
	if r.PaceP99, err = measureSteady(ctx, binary, ourJournal); err != nil {
		return err
	}
	r.PaceLateP99, err = measureSteady(ctx, binary, ourJournalLate)
	return err
}

func measureSteady(ctx context.Context, binary, pipeline string) (time.Duration, error) {
	w, err := startReceiver(ctx, binary, pipeline, "run")
	if err != nil {
		return 0, err
	}
	defer w.stop()
	return steady(ctx, w.address, "/hook", 16, pace, paceFor)
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

var bboltLine = regexp.MustCompile(`Benchmark(Append|Bbolt/Batch)/writers=64-\d+.*?([\d.]+) entries/s`)

// measureBbolt runs the journal's own benchmarks: how fast it and bare bbolt write.
func measureBbolt(ctx context.Context, _ string, r *report) error {
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

package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"time"
)

const (
	rateRecords = 100_000
	rateRounds  = 5
)

// measureRates sets the poller beside two plain clients and a plain pipeline, on the same pages, in turns.
func measureRates(ctx context.Context, binary string, r *report) error {
	a, err := startAccount(ctx, rateRecords)
	if err != nil {
		return err
	}
	defer a.stop()
	lanes := []struct {
		took []time.Duration
		run  func() (time.Duration, error)
		rate *float64
	}{
		{run: func() (time.Duration, error) { return walk(a, throwAway) }, rate: &r.ThrowAway},
		{run: func() (time.Duration, error) { return walk(a, decodeAll) }, rate: &r.Decode},
		{run: func() (time.Duration, error) {
			return timePipeline(ctx, a, func() (*polling, error) { return startPlainYAML(ctx, binary, a) })
		}, rate: &r.PlainYAML},
		{run: func() (time.Duration, error) {
			return timePipeline(ctx, a, func() (*polling, error) { return startPolling(ctx, binary, a, "1h", "1m") })
		}, rate: &r.Poll},
	}
	for range rateRounds {
		for i := range lanes {
			took, err := lanes[i].run()
			if err != nil {
				return err
			}
			lanes[i].took = append(lanes[i].took, took)
		}
	}
	for _, lane := range lanes {
		slices.Sort(lane.took)
		*lane.rate = rateRecords / lane.took[rateRounds/2].Seconds()
	}
	return nil
}

// timePipeline is the time from the first list request until all records have left through the output.
func timePipeline(ctx context.Context, a *account, start func() (*polling, error)) (time.Duration, error) {
	if _, err := a.ask("/forget"); err != nil {
		return 0, err
	}
	p, err := start()
	if err != nil {
		return 0, err
	}
	defer p.stop()
	if err := p.until(ctx, 1); err != nil {
		return 0, err
	}
	first, err := a.firstAsked()
	if err != nil {
		return 0, err
	}
	err = p.until(ctx, rateRecords)
	return time.Since(first), err
}

// measureMemory reads three accounts, each several times as large as the one before.
func measureMemory(ctx context.Context, binary string, r *report) error {
	for deals, peak := range map[int]*int64{50_000: &r.PeakSmall, 200_000: &r.PeakLarge, 1_000_000: &r.PeakMillion} {
		a, err := startAccount(ctx, deals)
		if err != nil {
			return err
		}
		*peak, err = peakOfFirstWalk(ctx, binary, a, int64(deals))
		a.stop()
		if err != nil {
			return err
		}
	}
	return nil
}

func peakOfFirstWalk(ctx context.Context, binary string, a *account, deals int64) (int64, error) {
	p, err := startPolling(ctx, binary, a, "1h", "1m")
	if err != nil {
		return 0, err
	}
	defer p.stop()
	if err := p.until(ctx, deals); err != nil {
		return 0, err
	}
	return p.peak()
}

// The tokens lane runs on a shortened clock: a cycle every second, an overlap of three.
const (
	cycle     = time.Second
	overlap   = 3 * time.Second
	idleFor   = 10 * cycle
	bulkEdits = 1499
)

// measureTokens counts list requests: of idle cycles, and after a bulk edit.
func measureTokens(ctx context.Context, binary string, r *report) error {
	a, err := startAccount(ctx, 100)
	if err != nil {
		return err
	}
	defer a.stop()
	p, err := startPolling(ctx, binary, a, cycle.String(), overlap.String())
	if err != nil {
		return err
	}
	defer p.stop()
	if err := p.until(ctx, 100); err != nil {
		return err
	}
	pause(ctx, overlap+2*cycle)
	idle, err := spentDuring(ctx, a, idleFor)
	if err != nil {
		return err
	}
	r.IdleTokens = float64(idle) / float64(idleFor/cycle)

	before, err := a.ask("/tokens")
	if err != nil {
		return err
	}
	if _, err := a.ask("/bulk?n=" + strconv.Itoa(bulkEdits)); err != nil {
		return err
	}
	pause(ctx, overlap+2*cycle)
	after, err := a.ask("/tokens")
	if err != nil {
		return err
	}
	r.BulkTokens = after - before
	settled, err := spentDuring(ctx, a, idleFor)
	r.SettledTokens = float64(settled) / float64(idleFor/cycle)
	return err
}

func spentDuring(ctx context.Context, a *account, d time.Duration) (int64, error) {
	before, err := a.ask("/tokens")
	if err != nil {
		return 0, err
	}
	pause(ctx, d)
	after, err := a.ask("/tokens")
	return after - before, err
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// One line of the client's own benchmark.
var benchmarkLine = regexp.MustCompile(`BenchmarkSlicePage/(\w+)-\d+.*?([\d.]+) ns/record\s+(\d+) B/op\s+(\d+) allocs/op`)

const benchmarkRecords = 500

// measureSlicing runs the client's benchmark of cutting one page.
func measureSlicing(ctx context.Context, _ string, r *report) error {
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "SlicePage", "-benchmem", "./internal/pipedrive").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	r.Slicing = map[string]slicing{}
	for _, m := range benchmarkLine.FindAllSubmatch(out, -1) {
		number := func(i int) float64 { n, _ := strconv.ParseFloat(string(m[i]), 64); return n }
		r.Slicing[string(m[1])] = slicing{NS: number(2), Bytes: number(3) / benchmarkRecords, Allocs: number(4) / benchmarkRecords}
	}
	if len(r.Slicing) != 2 {
		return fmt.Errorf("the benchmark of slicing printed %s", out)
	}
	return nil
}

// Demo shows the feed at work without an account: it starts the simulator and lets it make changes, runs a pipeline
// that polls it, prints what arrives, and ends both.
//
//	demo -binary bin/benthos-pipedrive -config config/demo.yaml -for 15s
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	binary := flag.String("binary", "bin/benthos-pipedrive", "the benthos-pipedrive to show")
	config := flag.String("config", "config/demo.yaml", "the pipeline, which finds the simulator in PIPEDRIVE_BASE_URL and PIPEDRIVE_API_TOKEN")
	length := flag.Duration("for", 15*time.Second, "how long to show it")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := show(ctx, *binary, *config, *length, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// show runs the demo for the given time, or until ctx ends, and copies to out what the pipeline prints. It is an error
// when nothing arrives in that time, and when the simulator or the pipeline ends before it. Both have ended when it
// returns.
func show(ctx context.Context, binary, config string, length time.Duration, out io.Writer) (err error) {
	if binary, err = filepath.Abs(binary); err != nil {
		return err
	}
	if config, err = filepath.Abs(config); err != nil {
		return err
	}
	// Pipelines keep their state below the working folder: a new one each time, so that a demo begins at the
	// beginning and cannot touch the state of a real pipeline.
	folder, err := os.MkdirTemp("", "benthos-pipedrive-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()

	to, err := newHook()
	if err != nil {
		return fmt.Errorf("finding a port for webhooks: %w", err)
	}
	simulator, world, err := startSimulator(ctx, binary, folder, to)
	if err != nil {
		return fmt.Errorf("starting the simulator: %w", err)
	}
	defer simulator.stop()

	arrived := &lines{to: out}
	pipeline, err := startPipeline(binary, config, folder, world, arrived)
	if err != nil {
		return fmt.Errorf("starting the pipeline: %w", err)
	}
	defer pipeline.stop()

	over := time.NewTimer(length)
	defer over.Stop()
	select {
	case <-ctx.Done():
		return nil
	case <-simulator.ended:
		return fmt.Errorf("the simulator ended before its time: %v", simulator.state())
	case <-pipeline.ended:
		return fmt.Errorf("the pipeline ended before its time: %v", pipeline.state())
	case <-over.C:
	}
	pipeline.stop()
	if arrived.count == 0 {
		return fmt.Errorf("nothing arrived in %v", length)
	}
	fmt.Fprintf(os.Stderr, "demo: %d arrived in %v\n", arrived.count, length)
	return nil
}

// Bench measures what benthos-pipedrive costs, lane beside lane in one run, and writes docs/benchmarks.md.
//
//	go run ./tests/bench -binary bin/benthos-pipedrive -write docs/benchmarks.md
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	binary := flag.String("binary", "bin/benthos-pipedrive", "the benthos-pipedrive to measure")
	write := flag.String("write", "", "the file to write the report to; empty: standard output only")
	serveDeals := flag.Int("serve", 0, "internal: serve an account with so many deals instead")
	bare := flag.Bool("bare", false, "internal: serve bare HTTP on the address instead")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *serveDeals > 0 {
		exitOn(serve(ctx, *serveDeals))
		return
	}
	if *bare {
		exitOn(serveBare(ctx, flag.Arg(0)))
		return
	}
	report, err := measure(ctx, *binary)
	exitOn(err)
	fmt.Print(report)
	if *write != "" {
		exitOn(os.WriteFile(*write, []byte(report), 0o644))
	}
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measure runs all lanes.
func measure(ctx context.Context, binary string) (string, error) {
	var r report
	for _, lane := range []func(context.Context, string, *report) error{
		measureRates, measureMemory, measureTokens, measureSlicing, measureWebhook,
	} {
		if err := lane(ctx, binary, &r); err != nil {
			return "", err
		}
	}
	return r.render()
}

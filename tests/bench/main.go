// Bench measures what benthos-pipedrive costs, lane beside lane in one run, and writes docs/benchmarks.md.
//
//	go run ./tests/bench -binary bin/benthos-pipedrive -write docs/benchmarks.md
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	binary := flag.String("binary", "bin/benthos-pipedrive", "the benthos-pipedrive to measure")
	only := flag.String("only", "", "one section of the report, to measure and print nothing else: reading, memory, tokens, slicing, webhooks")
	figures := flag.String("figures", "", "the file to write the bare figures to, as JSON; empty: none")
	write := flag.String("write", "", "the file to write the report to; empty: standard output only")
	serveDeals := flag.Int("serve", 0, "internal: serve an account with so many deals instead")
	bare := flag.Bool("bare", false, "internal: serve bare HTTP on the address instead")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *serveDeals > 0 {
		exitOn(serve(ctx, *serveDeals))
		return
	}
	if *bare {
		exitOn(serveBare(ctx, flag.Arg(0)))
		return
	}
	measured, err := measure(ctx, *binary, *only)
	exitOn(err)
	text, err := measured.render(*only)
	exitOn(err)
	fmt.Print(text)
	if *only != "" {
		return // a part is not written over the whole
	}
	if *write != "" {
		exitOn(os.WriteFile(*write, []byte(text), 0o644))
	}
	if *figures != "" {
		content, err := json.Marshal(measured)
		exitOn(err)
		exitOn(os.WriteFile(*figures, content, 0o644))
	}
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measure runs all lanes, or those of one section of the report.
func measure(ctx context.Context, binary, only string) (r report, err error) {
	known := false
	for _, section := range []struct {
		name string
		run  func(context.Context, string, *report) error
	}{
		{"reading", measureRates},
		{"memory", measureMemory},
		{"tokens", measureTokens},
		{"slicing", measureSlicing},
		{"normalizing", measureNormalizing},
		{"webhooks", measureWebhook},
	} {
		if only != "" && only != section.name {
			continue
		}
		known = true
		if err := section.run(ctx, binary, &r); err != nil {
			return r, err
		}
	}
	if !known {
		return r, fmt.Errorf("there is no section %q", only)
	}
	return r, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/urfave/cli/v2"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/checkup"
)

// The exit codes of check. Warnings alone are no problem.
const (
	exitProblem   = 1
	exitUnchecked = 2
)

// watchEvery is how often --watch looks.
const watchEvery = time.Second

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "See whether a pipeline can work: credentials, budget, objects, webhooks, clock, files, callbacks",
		ArgsUsage: "FILE...",
		Description: `
Looks at what the components of ours in a configuration need, and says of each thing that is not in order what to do about it.

  {{.BinaryName}} check ./pipeline.yaml
  {{.BinaryName}} check -r './resources/*.yaml' ./pipeline.yaml
  {{.BinaryName}} check -o ./root.yaml ./streams/*.yaml
  {{.BinaryName}} check --watch ./pipeline.yaml

Flags come before the files, and --env-file and --templates before check itself. Run it as the user, in the folder and
with the environment that the pipeline has. It asks Pipedrive for the account (2 tokens of the daily budget), one page of
one record for each object (most cost 10) and the webhooks (10), and says what that took; it changes nothing there. In
each cache it writes a key of its own and removes it. Of an application that events are posted to it asks for the head of
the URL (HEAD), and posts nothing.

It ends with 0 when there is no problem, with 1 when there is one, and with 2 when it could not check: the files are
missing or do not lint, or a flag is wrong.`[1:],
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "resources", Aliases: []string{"r"}, Usage: "a file with further resources, as of run; may be a pattern in quotes, and given several times"},
			&cli.StringFlag{Name: "observability", Aliases: []string{"o"}, Usage: "the root file, as of streams: http, resources; the other files are streams then"},
			&cli.StringFlag{Name: "metrics-url", Usage: "where the metrics of the process that runs are (default: by http.address)"},
			&cli.BoolFlag{Name: "json", Usage: "print one JSON object, for programs"},
			&cli.BoolFlag{Name: "watch", Usage: "only show how the process that runs comes on, every second until Ctrl-C"},
		},
		OnUsageError: func(_ *cli.Context, err error, _ bool) error { return cli.Exit(err, exitUnchecked) },
		Action: func(c *cli.Context) error {
			ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
			defer stop()
			return check(ctx, c)
		},
	}
}

func check(ctx context.Context, c *cli.Context) error {
	if c.Bool("json") && c.Bool("watch") {
		return cli.Exit("check: --json and --watch cannot be told together", exitUnchecked)
	}
	read, err := readConfiguration(c.Args().Slice(), c.String("observability"), c.StringSlice("resources"))
	if err != nil {
		return cli.Exit(fmt.Errorf("check: %w", err), exitUnchecked)
	}
	process, err := read.process(c.String("metrics-url"))
	if err != nil {
		return cli.Exit(fmt.Errorf("check: %w", err), exitUnchecked)
	}
	if c.Bool("watch") {
		if process == nil {
			return cli.Exit("check: http is switched off in the configuration, so a process that runs shows nothing", exitUnchecked)
		}
		return watch(ctx, c, process, &read.veil)
	}
	inspected, err := read.inspect(c.App.ErrWriter)
	if err != nil {
		return cli.Exit(fmt.Errorf("check: %w", err), exitUnchecked)
	}
	defer inspected.close()
	if process != nil {
		inspected.config.Running = process.Running
	}
	report := checkup.Run(ctx, inspected.config)
	read.veil.overReport(&report)
	if ctx.Err() != nil {
		return cli.Exit("check: interrupted", exitUnchecked)
	}
	if err := printReport(c.App.Writer, report, c.Bool("json")); err != nil {
		return cli.Exit(fmt.Errorf("check: %w", err), exitUnchecked)
	}
	if report.Count(checkup.Problem) > 0 {
		return cli.Exit("", exitProblem)
	}
	return nil
}

// watch shows the process until the context ends, as a table that stays in its place on a terminal.
func watch(ctx context.Context, c *cli.Context, process *process, veil *veil) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	out, isFile := c.App.Writer.(*os.File)
	w := watcher{
		to:       c.App.Writer,
		terminal: isFile && isatty.IsTerminal(out.Fd()),
		url:      process.shown(),
		ask:      process.Running,
		ticks:    tick.C,
		veil:     veil,
	}
	if err := w.run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return cli.Exit(fmt.Errorf("check: %w", err), exitUnchecked)
	}
	return nil
}

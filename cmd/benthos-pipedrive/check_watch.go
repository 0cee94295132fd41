package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/checkup"
)

// watcher shows a process again and again.
type watcher struct {
	to       io.Writer
	terminal bool // the table stays in its place; else it is a line each time
	url      string
	ask      func(context.Context) (checkup.Running, error)
	ticks    <-chan time.Time
	veil     *veil

	before *checkup.Snapshot
}

// run ends with the context.
func (w *watcher) run(ctx context.Context) error {
	if w.terminal {
		fmt.Fprint(w.to, clearScreen)
	}
	for at := time.Now(); ; {
		running, err := w.ask(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := w.show(at, running, err); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
		select {
		case at = <-w.ticks:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// What moves a terminal. Each line is written over the one before it, so that nothing flickers.
const (
	clearScreen = "\x1b[2J"
	home        = "\x1b[H"
	toLineEnd   = "\x1b[K"
	toScreenEnd = "\x1b[J"
)

func (w *watcher) show(at time.Time, running checkup.Running, failed error) error {
	clock := at.Format(time.TimeOnly)
	var text string
	switch {
	case failed != nil:
		w.before = nil
		text = fmt.Sprintf("%s  %s\n", clock, printable(failed.Error()))
	default:
		for i, reason := range running.Reasons {
			running.Reasons[i] = w.veil.over(reason)
		}
		now := checkup.Snapshot{At: at, Running: running}
		view := checkup.Look(w.before, now)
		w.before = &now
		if text = lineOf(clock, running, view); w.terminal {
			text = tableOf(clock, w.url, running, view)
		}
	}
	if w.terminal {
		text = home + strings.ReplaceAll(text, "\n", toLineEnd+"\n") + toScreenEnd
	}
	_, err := io.WriteString(w.to, text)
	return err
}

func tableOf(clock, url string, running checkup.Running, v checkup.View) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s  %s  %s\n", clock, readiness(running), url)
	if facts := factsOf(v); len(facts) > 0 {
		fmt.Fprintln(&s, strings.Join(facts, ", "))
	}
	s.WriteString("\n")
	t := tabwriter.NewWriter(&s, 0, 0, 2, ' ', 0)
	if len(v.Objects) > 0 {
		fmt.Fprintln(t, "INPUT\tOBJECT\tSTATE\tRECORDS\tPAGES\tA SECOND\tLEFT\tLAG\tEVERY")
	}
	for _, o := range v.Objects {
		row := []string{o.Where, o.Object, "following", humanize.Comma(o.Records), "-", rate(o.Rate), "-", since(o.Lag), every(o.Every)}
		if o.First {
			row[2], row[4], row[6] = "first walk", humanize.Comma(o.Pages), left(o.Left)
		}
		for i := range row {
			row[i] = printable(row[i])
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	_ = t.Flush() // to a builder
	return s.String()
}

// lineOf is what a log can hold.
func lineOf(clock string, running checkup.Running, v checkup.View) string {
	parts := []string{readiness(running)}
	for _, o := range v.Objects {
		if several := v.Objects[0].Where != v.Objects[len(v.Objects)-1].Where; several { // they are sorted
			o.Object = o.Where + " " + o.Object
		}
		if !o.First {
			parts = append(parts, fmt.Sprintf("%s following, %s records, lag %s", o.Object, humanize.Comma(o.Records), since(o.Lag)))
			continue
		}
		text := fmt.Sprintf("%s first walk, %s records in %s pages, %s/s", o.Object, humanize.Comma(o.Records), humanize.Comma(o.Pages), rate(o.Rate))
		if o.Left > 0 {
			text += ", " + left(o.Left) + " left"
		}
		parts = append(parts, text)
	}
	parts = append(parts, factsOf(v)...)
	return clock + "  " + printable(strings.Join(parts, "; ")) + "\n"
}

func readiness(running checkup.Running) string {
	if running.Ready {
		return "ready"
	}
	return "not ready: " + printable(strings.Join(running.Reasons, "; "))
}

func factsOf(v checkup.View) (facts []string) {
	if v.Tokens != nil {
		facts = append(facts, humanize.Comma(*v.Tokens)+" tokens left of the share")
	}
	if v.Webhooks != nil {
		facts = append(facts, rate(*v.Webhooks)+" webhooks a second")
	}
	if v.Journal != nil {
		facts = append(facts, humanize.Comma(*v.Journal)+" webhooks wait in the journal")
	}
	return facts
}

func rate(perSecond float64) string {
	switch {
	case perSecond < 0:
		return "-"
	case perSecond > 0 && perSecond < 10:
		return strconv.FormatFloat(perSecond, 'f', 1, 64)
	}
	return humanize.Comma(int64(perSecond + 0.5))
}

func left(d time.Duration) string {
	if d <= 0 {
		return "-"
	}
	return d.Round(time.Second).String()
}

func since(d time.Duration) string {
	if d < 0 {
		return "-"
	}
	return d.Round(time.Second).String()
}

func every(d time.Duration) string {
	if d <= 0 {
		return "-"
	}
	return d.String()
}

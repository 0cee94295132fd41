package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/journal"
)

func journalCommand() *cli.Command {
	return &cli.Command{
		Name:      "journal",
		Usage:     "Show what is pending in the journal of a pipedrive_webhook",
		ArgsUsage: "FILE",
		Description: `
Lists what was accepted and is not yet delivered. The file is only read.

A program that is running holds its journal, which then cannot be read: its metric pipedrive_journal_pending tells the
number. Sizes are those that journal.max_bytes counts; a file does not shrink while it is used, and is larger.`[1:],
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print one JSON object, for programs"},
			&cli.IntFlag{Name: "lanes", Value: 10, Usage: "how many lanes to show, the most refused and longest first; a lane is a record"},
		},
		Action: func(c *cli.Context) error {
			lanes := c.Int("lanes")
			switch {
			case c.NArg() != 1 || strings.HasPrefix(c.Args().First(), "-"):
				return errors.New("journal takes its flags, then one FILE: the journal.path of a pipedrive_webhook")
			case lanes < 0:
				return fmt.Errorf("--lanes is %d and must be 0 or more", lanes)
			}
			path := c.Args().First()
			contents, err := journal.Read(path)
			if errors.Is(err, journal.ErrHeld) {
				return fmt.Errorf("%w; while a program runs, its metric pipedrive_journal_pending tells what is pending", err)
			}
			if err != nil {
				return err
			}
			report := reportOf(path, contents, lanes)
			if c.Bool("json") {
				return report.writeJSON(c.App.Writer)
			}
			return report.writeTable(c.App.Writer)
		},
	}
}

// journalReport is what --json prints: programs rely on the names. Times are RFC 3339 in UTC, null when nothing is
// pending.
type journalReport struct {
	File         string       `json:"file"`
	FileBytes    int64        `json:"file_bytes"`
	Pending      int          `json:"pending"`
	PendingBytes int64        `json:"pending_bytes"`
	Oldest       *time.Time   `json:"oldest"`
	Newest       *time.Time   `json:"newest"`
	Stuck        int          `json:"stuck"`       // lanes whose oldest entry was refused
	LanesTotal   int          `json:"lanes_total"` // of which lanes shows the first
	Lanes        []laneReport `json:"lanes"`
}

type laneReport struct {
	Lane         string    `json:"lane"`
	Pending      int       `json:"pending"`
	PendingBytes int64     `json:"pending_bytes"`
	Oldest       time.Time `json:"oldest"`
	Newest       time.Time `json:"newest"`
	Refused      int       `json:"refused"` // how often the oldest entry was
}

func reportOf(path string, c journal.Contents, lanes int) journalReport {
	r := journalReport{
		File: path, FileBytes: c.FileBytes, Pending: c.Pending, PendingBytes: c.Bytes,
		Stuck: c.Stuck, LanesTotal: len(c.Lanes), Lanes: []laneReport{},
	}
	if c.Pending > 0 {
		r.Oldest, r.Newest = &c.Oldest, &c.Newest
	}
	for _, l := range c.Lanes[:min(lanes, len(c.Lanes))] {
		r.Lanes = append(r.Lanes, laneReport{
			Lane: l.Lane, Pending: l.Pending, PendingBytes: l.Bytes, Oldest: l.Oldest, Newest: l.Newest, Refused: l.Refused,
		})
	}
	return r
}

func (r journalReport) writeJSON(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r journalReport) writeTable(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "file\t%s\t\n", r.File)
	fmt.Fprintf(table, "file size\t%d bytes\t\n", r.FileBytes)
	fmt.Fprintf(table, "pending\t%d entries, %d bytes\t\n", r.Pending, r.PendingBytes)
	if r.Pending > 0 {
		fmt.Fprintf(table, "oldest\t%s\t\n", r.Oldest.Format(time.RFC3339))
		fmt.Fprintf(table, "newest\t%s\t\n", r.Newest.Format(time.RFC3339))
		fmt.Fprintf(table, "stuck\t%d of %d lanes\t\n", r.Stuck, r.LanesTotal)
	}
	if len(r.Lanes) > 0 {
		fmt.Fprint(table, "\nLANE\tPENDING\tBYTES\tOLDEST\tNEWEST\tREFUSED\n")
		for _, l := range r.Lanes {
			// Without its quotes: a lane comes from outside and may hold what moves a terminal.
			lane := strconv.Quote(l.Lane)
			fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%s\t%d\n", lane[1:len(lane)-1], l.Pending, l.PendingBytes,
				l.Oldest.Format(time.RFC3339), l.Newest.Format(time.RFC3339), l.Refused)
		}
	}
	return table.Flush()
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/checkup"
)

// reportShown is what --json prints: programs rely on the names, docs/check.md tells them.
type reportShown struct {
	Problems int            `json:"problems"`
	Warnings int            `json:"warnings"`
	Tokens   int64          `json:"tokens_spent"` // by the check itself
	Checks   []lineShown    `json:"checks"`
	Accounts []accountShown `json:"accounts"`
}

type lineShown struct {
	State   checkup.State `json:"state"`
	About   string        `json:"about"`
	Where   string        `json:"where"`
	Subject string        `json:"subject"`
	Found   string        `json:"found"`
	Remedy  string        `json:"remedy"`
}

type accountShown struct {
	CompanyID   string        `json:"company_id"`
	CompanyName string        `json:"company_name"`
	Host        string        `json:"host"`
	Daily       int64         `json:"daily_tokens"`
	DailyTold   bool          `json:"daily_tokens_told"` // by Pipedrive; else assumed
	Share       int64         `json:"share_tokens"`      // of a day, for this process
	Left        *int64        `json:"left_tokens"`       // of the company, today; null: not told
	Burst       int           `json:"burst_requests"`    // in two seconds
	BurstTold   bool          `json:"burst_requests_told"`
	Planned     int64         `json:"planned_tokens"` // a day, when nothing changes
	Stretch     float64       `json:"stretch"`        // of the intervals, for the share to last
	Objects     []objectShown `json:"objects"`
}

type objectShown struct {
	Where     string  `json:"where"`
	Object    string  `json:"object"`
	Interval  float64 `json:"interval_seconds"`
	Effective float64 `json:"effective_interval_seconds"`
	Tokens    int64   `json:"tokens_a_day"`
	Readable  bool    `json:"readable"`
}

func showReport(r checkup.Report) reportShown {
	shown := reportShown{
		Problems: r.Count(checkup.Problem), Warnings: r.Count(checkup.Warning), Tokens: r.Tokens,
		Checks: []lineShown{}, Accounts: []accountShown{},
	}
	for _, l := range r.Lines {
		shown.Checks = append(shown.Checks, lineShown(l))
	}
	for _, a := range r.Accounts {
		account := accountShown{
			CompanyID: a.CompanyID, CompanyName: a.CompanyName, Host: a.Host,
			Daily: a.Limits.Daily, DailyTold: a.Limits.DailyTold, Share: a.Limits.Share,
			Burst: a.Limits.Burst, BurstTold: a.Limits.BurstTold,
			Planned: int64(a.Planned + 0.5), Stretch: a.Stretch, Objects: []objectShown{},
		}
		if left := a.Limits.Left; left >= 0 {
			account.Left = &left
		}
		for _, o := range a.Objects {
			account.Objects = append(account.Objects, objectShown{
				Where: o.Where, Object: o.Name, Interval: o.Interval.Seconds(), Effective: o.Effective.Seconds(),
				Tokens: int64(o.Tokens + 0.5), Readable: o.Readable,
			})
		}
		shown.Accounts = append(shown.Accounts, account)
	}
	return shown
}

// printReport writes a table for people, in which what to do stands below what is not in order; or JSON.
func printReport(out io.Writer, r checkup.Report, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(showReport(r))
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "STATE\tABOUT\tWHERE\tFOUND")
	for _, l := range r.Lines {
		about := l.About
		if l.Subject != "" {
			about += " " + l.Subject
		}
		where := l.Where
		if where == "" {
			where = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", l.State, printable(about), printable(where), printable(l.Found))
		if l.Remedy != "" {
			fmt.Fprintf(t, "\t\t\t> %s\n", printable(l.Remedy))
		}
	}
	fmt.Fprintf(t, "\n%s\n", summary(r))
	return t.Flush()
}

func summary(r checkup.Report) string {
	var parts []string
	for _, s := range []checkup.State{checkup.Problem, checkup.Warning} {
		if n := r.Count(s); n > 0 {
			parts = append(parts, count(n, string(s)))
		}
	}
	if len(parts) == 0 {
		parts = []string{"everything is in order"}
	}
	return fmt.Sprintf("%s; this check spent %s of the daily budget", strings.Join(parts, ", "), count(int(r.Tokens), "token"))
}

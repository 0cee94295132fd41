package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// printer writes what the webhooks commands have to say: tables for people, JSON for machines.
type printer struct {
	to     io.Writer
	json   bool
	dryRun bool
}

// hookShown is a webhook in JSON. Programs read these names.
type hookShown struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	URL          string `json:"url"`
	Event        string `json:"event"` // action.object
	Version      string `json:"version"`
	Type         string `json:"type"`
	OwnerID      string `json:"owner_id"`
	UserID       string `json:"user_id"`
	Active       bool   `json:"active"`
	LastStatus   int    `json:"last_status"`   // 0: none
	LastDelivery string `json:"last_delivery"` // "": none
	Added        string `json:"added"`
	Whose        string `json:"whose"` // ours, old, named or other
}

func showHook(w pipedrive.Webhook, cfg *webhook.SubscriptionConfig) hookShown {
	whose := "other"
	switch ours, named := cfg.Owns(w); {
	case ours:
		whose = "ours"
	case named && cfg.URL == "":
		whose = "named"
	case named:
		whose = "old"
	}
	return hookShown{
		ID: w.ID, Name: w.Name, URL: withoutPassword(w.URL), Event: w.Action + "." + w.Object, Version: w.Version,
		Type: w.Type, OwnerID: w.OwnerID, UserID: w.UserID, Active: w.Active, LastStatus: w.LastStatus,
		LastDelivery: w.LastDelivery, Added: w.Added, Whose: whose,
	}
}

// withoutPassword is a URL without the password that somebody may have put into it.
func withoutPassword(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil && strings.Contains(text, "@"):
		return "(not a URL)"
	case err == nil && u.User != nil:
		return u.Redacted()
	}
	return text
}

func (p printer) list(hooks []pipedrive.Webhook, cfg *webhook.SubscriptionConfig) error {
	shown := make([]hookShown, len(hooks))
	for i, w := range hooks {
		shown[i] = showHook(w, cfg)
	}
	if p.json {
		return p.encode(struct {
			Webhooks []hookShown `json:"webhooks"`
			Total    int         `json:"total"`
			Limit    int         `json:"limit"` // of one user
		}{shown, len(shown), pipedrive.WebhooksPerUser})
	}
	rows := [][]string{{"ID", "EVENT", "VERSION", "STATE", "LAST STATUS", "LAST DELIVERY", "NAME", "URL", "WHOSE"}}
	for _, w := range shown {
		state, status := "banned", ""
		if w.Active {
			state = "active"
		}
		if w.LastStatus != 0 {
			status = strconv.Itoa(w.LastStatus)
		}
		rows = append(rows, []string{w.ID, w.Event, w.Version, state, status, w.LastDelivery, w.Name, w.URL, w.Whose})
	}
	if len(shown) == 0 {
		rows = nil
	}
	return p.table(rows, fmt.Sprintf("%s, of at most %d a user", count(len(shown), "webhook"), pipedrive.WebhooksPerUser))
}

// changeShown is a repair in JSON. Programs read these names.
type changeShown struct {
	Repair  webhook.Repair `json:"repair"`
	Reason  webhook.Reason `json:"reason"`
	Event   string         `json:"event"`
	ID      string         `json:"id"`      // "": not yet made
	Instead []string       `json:"instead"` // of a re-created one: the ids of those it replaces
}

// report prints what was done, also when that ended with an error, which it returns.
func (p printer) report(r webhook.Report, failed error) error {
	if failed != nil && len(r.Changes) == 0 {
		return failed
	}
	shown := make([]changeShown, len(r.Changes))
	for i, c := range r.Changes {
		shown[i] = changeShown{c.Repair, c.Reason, c.Event, c.ID, append([]string{}, c.Instead...)}
	}
	if p.json {
		return errors.Join(failed, p.encode(struct {
			DryRun  bool          `json:"dry_run"`
			Changes []changeShown `json:"changes"`
			Total   int           `json:"total"` // webhooks afterwards; in a dry run, now
		}{p.dryRun, shown, r.Total}))
	}
	rows := [][]string{{"REPAIR", "REASON", "EVENT", "ID", "INSTEAD OF"}}
	for _, c := range shown {
		rows = append(rows, []string{string(c.Repair), string(c.Reason), c.Event, c.ID, strings.Join(c.Instead, ", ")})
	}
	end := count(len(shown), "change")
	switch {
	case len(shown) == 0:
		rows, end = nil, "nothing to do"
	case p.dryRun:
		end = "would be " + end
	}
	return errors.Join(failed, p.table(rows, fmt.Sprintf("%s; %s, of at most %d a user", end, count(r.Total, "webhook"), pipedrive.WebhooksPerUser)))
}

func (p printer) encode(v any) error {
	e := json.NewEncoder(p.to)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// printable is a text of which no character reaches the terminal as a command: what Pipedrive holds may be anybody's.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// table prints rows, the first of which is the head, and a line below.
func (p printer) table(rows [][]string, end string) error {
	t := tabwriter.NewWriter(p.to, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = printable(cell)
			if cell == "" {
				row[i] = "-"
			}
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	fmt.Fprintln(t, end)
	return t.Flush()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

package checkup

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// checkWebhooks compares the subscriptions of each door with what it wants, which costs one look.
func (r *run) checkWebhooks(ctx context.Context) {
	for _, d := range r.cfg.Doors {
		if d.Registration == nil {
			r.add(Line{State: OK, About: AboutWebhook, Where: d.Name, Found: "registration is off: subscriptions are made elsewhere and not looked at"})
		}
	}
	for _, c := range r.connections {
		if c.account == nil {
			continue
		}
		for _, reg := range c.registrations {
			var found webhook.Report
			err := patiently(ctx, func() (err error) {
				found, err = webhook.Preview(ctx, reg.Subscription)
				return err
			})
			if err != nil {
				l := Line{State: Problem, About: AboutWebhook, Where: reg.Name}
				l.Found, l.Remedy = explain(err)
				var forbidden *pipedrive.ForbiddenError
				if errors.As(err, &forbidden) {
					l.Remedy = "webhooks need the token of an admin, or an app with the scope admin"
				}
				r.add(l)
				continue
			}
			for _, w := range found.InOrder {
				r.add(inOrderLine(reg, w))
			}
			for _, change := range found.Changes {
				r.add(driftLine(reg, change))
			}
			r.add(crowdLine(reg, found))
		}
	}
}

func inOrderLine(reg *Registration, w pipedrive.Webhook) Line {
	l := Line{State: OK, About: AboutWebhook, Where: reg.Name, Subject: w.Action + "." + w.Object}
	l.Found = "webhook " + w.ID + " is active"
	switch {
	case w.LastStatus == 0 && w.LastDelivery == "":
		l.Found += ", nothing was sent yet"
	case w.LastStatus >= http.StatusOK && w.LastStatus < http.StatusMultipleChoices:
		l.Found += fmt.Sprintf(", last answer %d", w.LastStatus)
	default:
		l.State = Warning
		l.Found += fmt.Sprintf(", but its last delivery was answered %d", w.LastStatus)
		if w.LastStatus == 0 {
			l.Found = "webhook " + w.ID + " is active, but its last delivery was not answered"
		}
		l.Remedy = "is the door reachable at " + reg.Subscription.URL + " and its output working? Ten such answers and Pipedrive drops everything for 30 minutes"
	}
	return l
}

// drift is what a reason for a repair means to a person.
type drift struct {
	state State
	found string // about the webhooks with the ids
	why   string
}

var drifts = map[webhook.Reason]drift{
	webhook.ReasonMissing:   {Warning, "is not registered", "what happens is not sent"},
	webhook.ReasonInactive:  {Problem, "is banned: what happens now is lost", "the door refused or did not answer ten deliveries in a row; see pipedrive_webhook_requests_total for what it answered"},
	webhook.ReasonRefused:   {Problem, "was answered 401 at its last delivery: it carries other credentials", "the credentials were changed, or something in front of the door asks for its own"},
	webhook.ReasonVersion:   {Warning, "sends another version", ""},
	webhook.ReasonUser:      {Warning, "sends the view of another user", ""},
	webhook.ReasonDuplicate: {Warning, "is there twice: every event is sent twice", ""},
	webhook.ReasonUnwanted:  {Warning, "is no longer wanted", ""},
}

// driftLine is about something that the input repairs when it runs.
func driftLine(reg *Registration, change webhook.Change) Line {
	d, known := drifts[change.Reason]
	if !known {
		d = drift{Warning, string(change.Reason), ""}
	}
	l := Line{State: d.state, About: AboutWebhook, Where: reg.Name, Subject: change.Event, Found: d.found}
	ids := change.Instead
	if change.ID != "" {
		ids = []string{change.ID}
	}
	if len(ids) > 0 {
		l.Found = "webhook " + listed(ids) + " " + d.found
	}
	l.Remedy = fmt.Sprintf("the input repairs it when it runs, at its start and every %s", short(reg.Subscription.CheckInterval))
	if d.why != "" {
		l.Remedy = d.why + "; " + l.Remedy
	}
	return l
}

func crowdLine(reg *Registration, found webhook.Report) Line {
	l := Line{State: OK, About: AboutWebhook, Where: reg.Name}
	l.Found = fmt.Sprintf("%s of at most %d a user", counted(found.Total, "webhook"), pipedrive.WebhooksPerUser)
	if found.Total < pipedrive.WebhooksPerUser {
		return l
	}
	l.State = Warning
	for _, change := range found.Changes {
		if change.Repair == webhook.RepairCreated {
			l.State = Problem
		}
	}
	l.Remedy = "Pipedrive refuses another one: see which are no longer needed with benthos-pipedrive webhooks list, and remove them"
	return l
}

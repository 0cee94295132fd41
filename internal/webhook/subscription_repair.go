package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// reasonWords end a sentence about a webhook.
var reasonWords = map[Reason]string{
	ReasonInactive:  "Pipedrive had banned it, which it does for 30 minutes after ten refused deliveries: what changed meanwhile was not sent",
	ReasonRefused:   "its last delivery was answered 401: it carries other credentials",
	ReasonOutdated:  "it carried credentials that are no longer the first",
	ReasonVersion:   "it sends another version",
	ReasonUser:      "it sends what another user may see",
	ReasonDuplicate: "there is an older one like it",
	ReasonUnwanted:  "its event is no longer among the wanted ones",
	ReasonAsked:     "ours are to be removed",
}

// carryOut does the steps. A webhook stays until its successor is there, unless there is no room for both. One event
// that Pipedrive does not know does not stop the others.
func (k *keeper) carryOut(ctx context.Context, steps []step) error {
	failed := map[topic]error{}
	if err := k.createAll(ctx, steps, failed); err != nil {
		return err
	}
	removed := 0
	for _, s := range steps {
		if stays(s, failed) {
			continue
		}
		for _, w := range s.remove {
			if err := k.remove(ctx, s, w); err != nil {
				return err
			}
			removed++
		}
	}
	if removed > 0 {
		waiting := slices.DeleteFunc(slices.Clone(steps), func(s step) bool { return !noRoom(failed[s.topic]) })
		for _, s := range waiting {
			delete(failed, s.topic)
		}
		if err := k.createAll(ctx, waiting, failed); err != nil {
			return err
		}
	}
	return failures(steps, failed)
}

// stays tells whether a step's removals have to wait for a look at which everything can be created: what is not wanted
// any more may send what nothing else sends now.
func stays(s step, failed map[topic]error) bool {
	switch {
	case s.create:
		return failed[s.topic] != nil && !noRoom(failed[s.topic])
	case s.reason == ReasonUnwanted:
		for _, err := range failed {
			if !noRoom(err) {
				return true
			}
		}
	}
	return false
}

// createAll makes the webhooks of all steps that have one to make, and notes which could not be for reasons of their
// own. Its error is about all of them.
func (k *keeper) createAll(ctx context.Context, steps []step, failed map[topic]error) error {
	var full error
	for _, s := range steps {
		if !s.create {
			continue
		}
		err := full
		if full == nil {
			err = k.create(ctx, s)
		}
		switch {
		case err == nil:
		case noRoom(err):
			full, failed[s.topic] = err, err
		case aboutEvent(err):
			failed[s.topic] = err
		default:
			return fmt.Errorf("registering %s: %w", s.topic, err)
		}
	}
	return nil
}

// failures makes one error of those that events have of their own.
func failures(steps []step, failed map[topic]error) error {
	var all, full error
	var without []string
	for _, s := range steps {
		switch err := failed[s.topic]; {
		case err == nil || !s.create:
		case noRoom(err):
			without, full = append(without, s.topic.String()), err
		case all == nil:
			all = fmt.Errorf("registering %s: %w", s.topic, err)
		default:
			all = fmt.Errorf("%w; registering %s: %w", all, s.topic, err)
		}
	}
	if full != nil {
		full = fmt.Errorf("registering %s: the user has as many webhooks as Pipedrive allows (%d): %w",
			strings.Join(without, ", "), pipedrive.WebhooksPerUser, full)
	}
	if all != nil && full != nil {
		return fmt.Errorf("%w; %w", all, full)
	}
	if all != nil {
		return all
	}
	return full
}

func noRoom(err error) bool {
	full := (*pipedrive.WebhookLimitError)(nil)
	return errors.As(err, &full)
}

// aboutEvent tells a refusal of one action.object from one of the URL or the user, which all share.
func aboutEvent(err error) bool {
	refused := (*pipedrive.RefusedError)(nil)
	return errors.As(err, &refused) && strings.Contains(refused.Text, "event_")
}

func (k *keeper) create(ctx context.Context, s step) error {
	made, err := k.cfg.Client.CreateWebhook(ctx, pipedrive.NewWebhook{
		URL: k.cfg.URL, Name: k.cfg.Name, Action: s.topic.action, Object: s.topic.object,
		Version: k.want.version, UserID: k.want.user, Username: k.cfg.Username, Password: k.cfg.Password,
	})
	if err != nil {
		return err
	}
	if !k.want.owns(made) || topicOf(made) != s.topic {
		// It would not be recognised, and another one made at every look.
		err := errors.New("a new webhook came back with another URL, name or event than it was given, and is removed again")
		if left := k.cfg.Client.DeleteWebhook(ctx, made.ID); left != nil {
			err = fmt.Errorf("%w: %w", err, left)
		}
		return err
	}
	k.present = append(k.present, made)
	k.cures[made.ID] = s.reason
	k.renewed[s.topic] = k.renewed[s.topic] || s.reason == ReasonOutdated
	if s.reason == ReasonMissing && k.seen[s.topic] {
		s.reason = ReasonVanished
	}
	c := s.change(made.ID)
	switch {
	case c.Repair == RepairRecreated:
		k.cfg.Log.Warnf("Webhook %s of Pipedrive for %s was made anew as %s because %s", strings.Join(c.Instead, ", "), s.topic, made.ID, reasonWords[s.reason])
	case c.Reason == ReasonVanished:
		k.cfg.Log.Warnf("The webhook of Pipedrive for %s had vanished and was made anew as %s: what changed meanwhile was not sent", s.topic, made.ID)
	default:
		k.cfg.Log.Infof("Webhook %s registered at Pipedrive for %s", made.ID, s.topic)
	}
	k.note(c)
	return nil
}

// remove removes one webhook of a step. When somebody else was faster there is nothing to tell; what a new one
// replaces was told with that.
func (k *keeper) remove(ctx context.Context, s step, w pipedrive.Webhook) error {
	err := k.cfg.Client.DeleteWebhook(ctx, w.ID)
	gone := (*pipedrive.GoneError)(nil)
	if err != nil && !errors.As(err, &gone) {
		return err
	}
	k.present = slices.DeleteFunc(k.present, func(p pipedrive.Webhook) bool { return p.ID == w.ID })
	delete(k.cures, w.ID)
	if err == nil && !s.create {
		k.cfg.Log.Infof("Webhook %s for %s removed from Pipedrive because %s", w.ID, s.topic, reasonWords[s.reason])
		k.note(s.change(""))
	}
	return nil
}

func (k *keeper) note(c Change) {
	k.changes = append(k.changes, c)
	k.cfg.Observer.Repaired(c)
}

// change is a step as it is told; id is that of the webhook it made, "" while there is none.
func (s step) change(id string) Change {
	c := Change{Repair: RepairCreated, Reason: s.reason, Event: s.topic.String(), ID: id}
	for _, w := range s.remove {
		c.Instead = append(c.Instead, w.ID)
	}
	switch {
	case !s.create:
		c.Repair, c.ID, c.Instead = RepairRemoved, c.Instead[0], nil
	case len(c.Instead) > 0:
		c.Repair = RepairRecreated
	}
	return c
}

package webhook

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// Sync makes Pipedrive's list match the wanted one, once. What was done until an error stands in the report.
func Sync(ctx context.Context, cfg SubscriptionConfig) (Report, error) {
	k, err := newKeeper(cfg)
	if err != nil {
		return Report{}, err
	}
	return k.look(ctx)
}

// Preview tells what Sync would do.
func Preview(ctx context.Context, cfg SubscriptionConfig) (Report, error) {
	k, err := newKeeper(cfg)
	if err != nil {
		return Report{}, err
	}
	return k.preview(ctx, func() []step { return plan(k.want, k.present) })
}

// Remove removes all that is ours, whatever its event. Of the configuration URL and Name say what that is.
func Remove(ctx context.Context, cfg SubscriptionConfig) (Report, error) {
	k, err := newOwner(cfg)
	if err != nil {
		return Report{}, err
	}
	return k.removeOurs(ctx)
}

// PreviewRemove tells what Remove would do.
func PreviewRemove(ctx context.Context, cfg SubscriptionConfig) (Report, error) {
	k, err := newOwner(cfg)
	if err != nil {
		return Report{}, err
	}
	return k.preview(ctx, k.farewell)
}

// keeper looks at Pipedrive's list and repairs it. One goroutine at a time uses it.
type keeper struct {
	cfg  SubscriptionConfig
	want wanted

	present []pipedrive.Webhook // Pipedrive's list as far as it is known
	changes []Change            // of the present look

	// From look to look:
	seen    map[topic]bool    // was in order at the last one
	cures   map[string]Reason // of a webhook that was made here: what it was to cure, by its id
	renewed map[topic]bool    // was made anew for new credentials
	vain    map[topic]Reason  // cures that did not help, and were told
	crowded bool              // that there is no room for more was told
}

func newKeeper(cfg SubscriptionConfig) (*keeper, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	k, err := newOwner(cfg)
	if err != nil {
		return nil, err
	}
	k.want.version, k.want.user = k.cfg.Version, cfg.UserID
	for _, event := range cfg.Events {
		t, err := parseTopic(event, k.want.version)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(k.want.topics, t) {
			k.want.topics = append(k.want.topics, t)
		}
	}
	return k, nil
}

// newOwner makes a keeper that wants nothing.
func newOwner(cfg SubscriptionConfig) (*keeper, error) {
	if err := cfg.checkOwn(); err != nil {
		return nil, err
	}
	cfg.fill()
	return &keeper{
		cfg: cfg, want: wanted{url: cfg.URL, name: cfg.Name},
		seen: map[topic]bool{}, cures: map[string]Reason{}, renewed: map[topic]bool{}, vain: map[topic]Reason{},
	}, nil
}

// look is one comparison with Pipedrive's list, and the repairs that follow from it.
func (k *keeper) look(ctx context.Context) (Report, error) {
	err := k.list(ctx)
	if err != nil {
		return Report{}, err
	}
	if err = k.carryOut(ctx, k.worthwhile(plan(k.want, k.present))); err == nil && k.created() {
		err = k.settle(ctx)
	}
	report := k.report()
	if err == nil {
		clear(k.seen)
		for _, w := range report.InOrder {
			k.seen[topicOf(w)] = true
		}
	}
	k.warnOfCrowd()
	k.cfg.Observer.Subscribed(len(report.InOrder))
	return report, err
}

func (k *keeper) list(ctx context.Context) (err error) {
	k.changes = nil
	k.present, err = k.cfg.Client.Webhooks(ctx)
	return err
}

func (k *keeper) report() Report {
	return Report{Changes: k.changes, InOrder: k.want.inOrder(k.present), Total: len(k.present)}
}

func (k *keeper) created() bool {
	return slices.ContainsFunc(k.changes, func(c Change) bool { return c.Repair != RepairRemoved })
}

// settle looks for equals that another replica made at the same time. Whoever ends its creations last sees all of
// them, so that one is left.
func (k *keeper) settle(ctx context.Context) error {
	if err := pauseFor(ctx, time.Second/2+rand.N(time.Second)); err != nil {
		return err
	}
	present, err := k.cfg.Client.Webhooks(ctx)
	if err != nil {
		return err
	}
	k.present = present
	steps := plan(k.want, k.present)
	return k.carryOut(ctx, slices.DeleteFunc(steps, func(s step) bool { return s.reason != ReasonDuplicate }))
}

// worthwhile leaves out what was made anew here for the very same reason already, and says so once: a 401 that comes
// from something in front of the door is cured by no new webhook, nor are credentials of which another replica thinks that
// others are the first. A ban is.
func (k *keeper) worthwhile(steps []step) []step {
	return slices.DeleteFunc(steps, func(s step) bool {
		cured := func(w pipedrive.Webhook) bool { return k.cures[w.ID] == s.reason }
		again := slices.ContainsFunc(s.remove, cured) || s.reason == ReasonOutdated && k.renewed[s.topic]
		if !s.create || s.reason == ReasonInactive || !again {
			return false
		}
		if k.vain[s.topic] != s.reason {
			k.vain[s.topic] = s.reason
			k.cfg.Log.Warnf("Webhook %s of Pipedrive for %s stays as it is: it was made anew because %s, which did not help",
				s.remove[0].ID, s.topic, reasonWords[s.reason])
		}
		return true
	})
}

// warnOfCrowd says once that Pipedrive will refuse the next webhook, whoever makes it.
func (k *keeper) warnOfCrowd() {
	owned := map[string]int{}
	most := 0
	for _, w := range k.present {
		owned[w.OwnerID]++
		most = max(most, owned[w.OwnerID])
	}
	if full := most >= pipedrive.WebhooksPerUser; full != k.crowded {
		k.crowded = full
		if full {
			k.cfg.Log.Warnf("Pipedrive has %d webhooks of this user and allows %d: it will refuse another one. See which are no longer needed with: benthos-pipedrive webhooks list",
				most, pipedrive.WebhooksPerUser)
		}
	}
}

func (k *keeper) preview(ctx context.Context, steps func() []step) (Report, error) {
	if err := k.list(ctx); err != nil {
		return Report{}, err
	}
	report := k.report()
	for _, s := range steps() {
		report.Changes = append(report.Changes, s.change(""))
	}
	return report, nil
}

func (k *keeper) removeOurs(ctx context.Context) (Report, error) {
	if err := k.list(ctx); err != nil {
		return Report{}, err
	}
	err := k.carryOut(ctx, k.farewell())
	return k.report(), err
}

// farewell are the steps that remove all that is ours.
func (k *keeper) farewell() []step {
	var steps []step
	for _, w := range k.want.ours(k.present) {
		steps = append(steps, step{topic: topicOf(w), reason: ReasonAsked, remove: []pipedrive.Webhook{w}})
	}
	return steps
}

// pauseFor waits.
func pauseFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

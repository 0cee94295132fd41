package webhook

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// wanted is what Pipedrive's list shall hold.
type wanted struct {
	url, name string
	version   string
	user      string // "": any
	topics    []topic
	outdated  map[string]bool // webhooks, by their id
}

// step is one thing to do about one topic: create a webhook, remove some, or both, in this order.
type step struct {
	topic  topic
	reason Reason
	create bool
	remove []pipedrive.Webhook
}

// plan compares. Re-creations come first, then what is new, then what is only removed: a webhook that goes must not
// leave a gap, and re-creations are the ones that have room for certain. A topic keeps the lowest id that is in order,
// so that replicas agree.
func plan(want wanted, present []pipedrive.Webhook) []step {
	var again, anew, away []step
	removal := func(w pipedrive.Webhook, why Reason) {
		away = append(away, step{topic: topicOf(w), reason: why, remove: []pipedrive.Webhook{w}})
	}
	ours := want.ours(present)
	for _, t := range want.topics {
		same := slices.DeleteFunc(slices.Clone(ours), func(w pipedrive.Webhook) bool { return topicOf(w) != t })
		keep := slices.IndexFunc(same, func(w pipedrive.Webhook) bool { return want.drift(w) == "" })
		switch {
		case len(same) == 0:
			anew = append(anew, step{topic: t, reason: ReasonMissing, create: true})
		case keep < 0:
			again = append(again, step{topic: t, reason: want.drift(same[0]), create: true, remove: same})
		default:
			for _, w := range slices.Delete(same, keep, keep+1) {
				removal(w, cmp.Or(want.drift(w), ReasonDuplicate))
			}
		}
	}
	for _, w := range ours {
		if !slices.Contains(want.topics, topicOf(w)) {
			removal(w, ReasonUnwanted)
		}
	}
	return slices.Concat(again, anew, away)
}

// ours are the webhooks that may be touched, lowest id first.
func (want *wanted) ours(present []pipedrive.Webhook) []pipedrive.Webhook {
	var ours []pipedrive.Webhook
	for _, w := range present {
		if want.owns(w) {
			ours = append(ours, w)
		}
	}
	slices.SortFunc(ours, func(a, b pipedrive.Webhook) int { // digits: the shorter number is the lower
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), strings.Compare(a.ID, b.ID))
	})
	return ours
}

// inOrder are the webhooks that send what is wanted, at most one of each topic.
func (want *wanted) inOrder(present []pipedrive.Webhook) []pipedrive.Webhook {
	var good []pipedrive.Webhook
	for _, w := range want.ours(present) {
		same := func(other pipedrive.Webhook) bool { return topicOf(other) == topicOf(w) }
		if want.drift(w) == "" && slices.Contains(want.topics, topicOf(w)) && !slices.ContainsFunc(good, same) {
			good = append(good, w)
		}
	}
	return good
}

func (want *wanted) owns(w pipedrive.Webhook) bool {
	return want.named(w) && sameURL(w.URL, want.url)
}

func (want *wanted) named(w pipedrive.Webhook) bool { return strings.TrimSpace(w.Name) == want.name }

// drift is why a webhook of ours is of no use; "": it is. What Pipedrive does not say is taken for right.
func (want *wanted) drift(w pipedrive.Webhook) Reason {
	switch {
	case !w.Active:
		return ReasonInactive
	case w.Version != "" && w.Version != want.version:
		return ReasonVersion
	case want.user != "" && w.UserID != "" && w.UserID != want.user:
		return ReasonUser
	case w.LastStatus == http.StatusUnauthorized:
		return ReasonRefused
	case want.outdated[w.ID]:
		return ReasonOutdated
	}
	return ""
}

func topicOf(w pipedrive.Webhook) topic { return topic{w.Action, w.Object} }

// sameURL compares what two URLs mean: a spelling that Pipedrive changed must not make a webhook of ours a stranger,
// in whose place another one would be made at every look.
func sameURL(a, b string) bool {
	if a == b {
		return true
	}
	u, err := url.Parse(a)
	v, otherErr := url.Parse(b)
	return err == nil && otherErr == nil && strings.EqualFold(u.Scheme, v.Scheme) &&
		strings.EqualFold(u.Hostname(), v.Hostname()) && portOf(u) == portOf(v) &&
		cmp.Or(u.Path, "/") == cmp.Or(v.Path, "/") && u.RawQuery == v.RawQuery
}

func portOf(u *url.URL) string {
	usual := "80"
	if strings.EqualFold(u.Scheme, "https") {
		usual = "443"
	}
	return cmp.Or(u.Port(), usual)
}

package simulator

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Webhook is a subscription and what has become of it.
// https://developers.pipedrive.com/docs/api/v1/Webhooks
type Webhook struct {
	ID   int64
	Name string
	URL  string
	// Action is create, change, delete or *; of version 1.0 added, updated, merged, deleted or *.
	Action string
	// Object is deal, person, ...; or *.
	Object  string
	Version string // 2.0 or 1.0
	Type    string // general, application (made by an OAuth app) or automation
	OwnerID int64  // who made it
	UserID  int64  // who must be able to see a record for its events to be sent

	// Username and Password are sent as Basic credentials unless both are empty.
	Username, Password string

	Active      bool      // false: its events are lost
	BannedUntil time.Time // when it will be active again; zero while it is not banned
	Failures    int       // first tries that failed since the last ban; the tenth bans

	Added        time.Time
	LastDelivery time.Time // end of the last try
	LastStatus   int       // of the last try; 0 is no answer
	LastSuccess  time.Time
	FailingSince time.Time // end of the first failed try after the last success
	Removed      time.Time // zero while it exists
	RemoveReason string
}

// Ban and removal. https://pipedrive.readme.io/docs/guide-for-webhooks-v2
const (
	failuresToBan = 10
	banLasts      = 30 * time.Minute
	failuresLast  = 3 * 24 * time.Hour // without a success in between: the webhook is removed

	firstWebhook    = 1_900_001
	webhooksPerUser = 40
)

// Webhooks are all that have been made, by id, removed ones too.
func (s *Simulator) Webhooks() []Webhook { return s.sender.webhooks() }

// Subscribe makes a webhook without asking the API. Of what is zero, Action and Object are *, Version is 2.0, Type is
// general, and both users are the owner of the API token. What becomes of webhooks is not taken over.
func (s *Simulator) Subscribe(w Webhook) (id int64) {
	return s.sender.subscribe(Webhook{
		Name: cmp.Or(w.Name, "webhook"), URL: w.URL, Action: cmp.Or(w.Action, "*"), Object: cmp.Or(w.Object, "*"),
		Version: cmp.Or(w.Version, version2), Type: cmp.Or(w.Type, general), OwnerID: cmp.Or(w.OwnerID, 1),
		UserID: cmp.Or(w.UserID, 1), Username: w.Username, Password: w.Password,
	})
}

// Unsubscribe removes a webhook; what was still to be sent to it is lost.
func (s *Simulator) Unsubscribe(id int64) {
	s.SetWebhook(id, func(w *Webhook) { w.remove(s.clock.now(), "deleted by user") })
}

// Ban bans a webhook for 30 minutes, as ten failed first tries do.
func (s *Simulator) Ban(id int64) {
	s.SetWebhook(id, func(w *Webhook) { w.ban(s.clock.now()) })
}

// SetWebhook changes a webhook behind its owner's back. A webhook that is made inactive stays so.
func (s *Simulator) SetWebhook(id int64, edit func(*Webhook)) { s.sender.edit(id, edit) }

func (q *sender) webhooks() []Webhook {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.now()
	all := make([]Webhook, 0, len(q.lines))
	for _, l := range q.lines {
		l.lift(now)
		all = append(all, l.Webhook)
	}
	return all
}

func (q *sender) subscribe(w Webhook) int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	w.ID = firstWebhook + int64(len(q.lines))
	w.Active, w.Added = true, q.clock.now()
	q.lines = append(q.lines, &line{Webhook: w, lanes: map[string][]*delivery{}})
	return w.ID
}

func (q *sender) edit(id int64, edit func(*Webhook)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.lines, func(l *line) bool { return l.ID == id })
	if i < 0 {
		panic(fmt.Sprintf("simulator: there is no webhook %d", id))
	}
	edit(&q.lines[i].Webhook)
	q.pump()
}

func (w *Webhook) exists() bool { return w.Removed.IsZero() }

func (w *Webhook) remove(now time.Time, why string) {
	if w.exists() {
		w.Removed, w.RemoveReason, w.Active = now, why, false
	}
}

func (w *Webhook) ban(now time.Time) { w.Active, w.BannedUntil = false, now.Add(banLasts) }

// lift ends a ban whose time is over.
func (w *Webhook) lift(now time.Time) {
	if !w.BannedUntil.IsZero() && !now.Before(w.BannedUntil) {
		w.Active, w.BannedUntil, w.Failures = w.exists(), time.Time{}, 0
	}
}

// wants tells whether the event is for this webhook.
func (w *Webhook) wants(e *event) bool {
	t := e.tells(w.Version)
	return t != nil && w.exists() && (w.Action == "*" || w.Action == t.action) &&
		(w.Object == "*" || w.Object == t.entity) && (e.person || slices.Contains(e.permitted, w.UserID))
}

// succeeded takes a 2xx in.
func (w *Webhook) succeeded(now time.Time, resetsBan bool) {
	w.LastSuccess, w.FailingSince = now, time.Time{}
	if resetsBan {
		w.Failures = 0
	}
}

// failed takes anything else in. Only first tries count for the ban, and those that end while it lasts do not.
func (w *Webhook) failed(now time.Time, first bool) {
	if w.FailingSince.IsZero() {
		w.FailingSince = now
	}
	if first && w.Active {
		if w.Failures++; w.Failures >= failuresToBan {
			w.ban(now)
		}
	}
	if now.Sub(w.FailingSince) >= failuresLast {
		w.remove(now, "no successful delivery for 3 days")
	}
}

package simulator

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// wish is the webhook that a request wants to have made.
type wish struct {
	Name     string `json:"name"`
	URL      string `json:"subscription_url"`
	Action   string `json:"event_action"`
	Object   string `json:"event_object"`
	Version  string `json:"version"`
	UserID   int64  `json:"user_id"`
	Username string `json:"http_auth_user"`
	Password string `json:"http_auth_password"`

	unreachable bool
}

const (
	mostWish = 64 << 10 // bytes of the request
	mostName = 255
)

// The objects of webhooks; version 2.0 has some that have no list here.
var (
	objectsV1 = []string{"activity", "activityType", "deal", "note", "organization", "person", "pipeline", "product", "stage", "user"}
	objectsV2 = []string{
		"activity", "deal", "lead", "note", "organization", "person", "pipeline", "product", "stage", "user", "project",
		"task", "board", "phase", "deal_product", "deal_installment",
	}
)

// readWish takes the wish out of the request; one that is not JSON is a wish for nothing.
func (s *Simulator) readWish(r *http.Request) *wish {
	var w wish
	if r.Body == nil {
		return &w
	}
	if body, err := io.ReadAll(io.LimitReader(r.Body, mostWish)); err != nil || json.Unmarshal(body, &w) != nil {
		return &wish{}
	}
	s.mu.Lock()
	check := s.quirks.CheckURLs
	s.mu.Unlock()
	if check && validURL(w.URL) {
		w.unreachable = !s.sender.reaches(r.Context(), w.URL)
	}
	return &w
}

func (w *wish) version() string { return cmp.Or(w.Version, version2) }

// refusals are the fields that cannot be, each with why.
func (w *wish) refusals(s *Simulator) map[string][]string {
	refused := map[string][]string{}
	blank := func(field, value string) bool {
		if value == "" {
			refused[field] = []string{"can't be blank"}
		}
		return value == ""
	}
	oneOf := func(field, value string, known []string) {
		if !slices.Contains(known, value) {
			refused[field] = []string{"is not included in the list"}
		}
	}
	oneOf("version", w.version(), []string{version1, version2})
	actions, objects := slices.Concat(actionWords[version2], []string{"*"}), objectsV2
	if w.Version == version1 {
		actions, objects = slices.Concat(actionWords[version1], []string{"*"}), objectsV1
	}
	if !blank("event_action", w.Action) {
		oneOf("event_action", w.Action, actions)
	}
	if !blank("event_object", w.Object) && w.Object != "*" {
		oneOf("event_object", w.Object, objects)
	}
	if !blank("name", w.Name) && len(w.Name) > mostName {
		refused["name"] = []string{"is too long (maximum is 255 characters)"}
	}
	if !blank("subscription_url", w.URL) && (!validURL(w.URL) || w.unreachable) {
		refused["subscription_url"] = []string{"invalid or non-reachable URL"}
	}
	if t := s.tableOf(listNamed("users")); w.UserID != 0 {
		if _, found := t.get(w.UserID); !found {
			refused["user_id"] = []string{"not found"}
		}
	}
	return refused
}

// validURL refuses what is not absolute, not HTTP, or Pipedrive's own API.
func validURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	host := u.Hostname()
	return host != "pipedrive.com" && !strings.HasSuffix(host, ".pipedrive.com")
}

// reaches tells whether something answers at the URL, and not with a redirect.
func (q *sender) reaches(ctx context.Context, url string) bool {
	q.mu.Lock()
	if q.halted {
		q.mu.Unlock()
		return false
	}
	p := post{via: q.via, url: url, body: []byte("{}"), limit: q.limit}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(q.ctx, cancel)()
	q.tries.Add(1)
	q.mu.Unlock()
	defer q.tries.Done()
	status, err := p.send(ctx)
	return err == nil && (status < http.StatusMultipleChoices || status >= http.StatusBadRequest)
}

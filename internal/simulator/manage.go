package simulator

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
)

// Answers about webhooks, whose frame is their own. https://developers.pipedrive.com/docs/api/v1/Webhooks
var (
	hookRemoved   = answer{status: http.StatusOK, body: []byte(`{"status":"ok","success":true}`)}
	hookUnknown   = failure{http.StatusNotFound, `{"status":"error","success":false,"errors":{"id":["not found"]}}`}
	hookForbidden = failure{http.StatusForbidden, `{"success":false,"message":"Forbidden"}`}
	hooksFull     = failure{
		http.StatusUnprocessableEntity,
		`{"status":"error","success":false,"errors":{"user_id":["the limit of 40 webhooks is reached"]}}`,
	}
)

const (
	general     = "general"
	application = "application" // made by an OAuth app
)

// caller is who asks: the API token's owner, or an app in that user's name.
func caller(shown credential) (user int64, kind string) {
	if shown.bearer {
		return 1, application
	}
	return 1, general
}

func (s *Simulator) manage(method, id string, w *wish, shown credential) answer {
	user, kind := caller(shown)
	switch {
	case method == http.MethodGet && id == "":
		return s.hookList(user, kind)
	case method == http.MethodPost && id == "" && w != nil:
		return s.hookMade(w, user, kind)
	case method == http.MethodDelete && id != "":
		return s.hookDeleted(id, user, kind)
	}
	return fail(noMethod)
}

func (s *Simulator) hookList(user int64, kind string) answer {
	shown := []hookListed{}
	for _, w := range s.sender.webhooks() {
		if w.exists() && w.OwnerID == user && (w.Type == application) == (kind == application) {
			j := hookListed{hookJSON: s.hookJSON(&w), AdminID: w.OwnerID}
			if !w.LastDelivery.IsZero() {
				last := w.LastDelivery.Format(layoutMillis)
				j.LastDelivery, j.LastStatus = &last, &w.LastStatus
			}
			shown = append(shown, j)
		}
	}
	return hookAnswer(http.StatusOK, shown)
}

func (s *Simulator) hookMade(w *wish, user int64, kind string) answer {
	var taken int
	for _, known := range s.sender.webhooks() {
		if known.exists() && known.OwnerID == user {
			taken++
		}
	}
	if refused := w.refusals(s); len(refused) > 0 {
		return answer{status: http.StatusBadRequest, charset: true, body: appendJSON(nil, struct {
			Status  string              `json:"status"`
			Success bool                `json:"success"`
			Errors  map[string][]string `json:"errors"`
		}{"error", false, refused})}
	}
	if taken >= webhooksPerUser {
		return fail(hooksFull)
	}
	id := s.sender.subscribe(Webhook{
		Name: w.Name, URL: w.URL, Action: w.Action, Object: w.Object, Version: w.version(), Type: kind, OwnerID: user,
		UserID: cmp.Or(w.UserID, user), Username: w.Username, Password: w.Password,
	})
	made := s.sender.webhooks()[id-firstWebhook]
	return hookAnswer(http.StatusCreated, s.hookJSON(&made))
}

func (s *Simulator) hookDeleted(id string, user int64, kind string) answer {
	all := s.sender.webhooks()
	i := slices.IndexFunc(all, func(w Webhook) bool { return w.exists() && strconv.FormatInt(w.ID, 10) == id })
	switch {
	case i < 0:
		return fail(hookUnknown)
	case all[i].OwnerID != user || (all[i].Type == application) != (kind == application):
		return fail(hookForbidden)
	}
	s.Unsubscribe(all[i].ID)
	return hookRemoved
}

func hookAnswer(status int, data any) answer {
	return answer{status: status, charset: true, body: appendJSON(nil, struct {
		Status  string `json:"status"`
		Success bool   `json:"success"`
		Data    any    `json:"data"`
	}{"ok", true, data})}
}

// hookListed is a webhook in the list.
type hookListed struct {
	hookJSON
	AdminID      int64   `json:"admin_id"`
	LastDelivery *string `json:"last_delivery_time"`
	LastStatus   *int    `json:"last_http_status"` // 0: the last try had no answer
}

// hookJSON is a webhook in the answer to its making. Removed ones are not shown, so the reason is always null.
type hookJSON struct {
	ID           int64   `json:"id"`
	Name         string  `json:"name"`
	CompanyID    int64   `json:"company_id"`
	OwnerID      int64   `json:"owner_id"`
	UserID       int64   `json:"user_id"`
	Action       string  `json:"event_action"`
	Object       string  `json:"event_object"`
	URL          string  `json:"subscription_url"`
	IsActive     int     `json:"is_active"`
	AddTime      string  `json:"add_time"`
	RemoveTime   *string `json:"remove_time"`
	Type         string  `json:"type"`
	Username     *string `json:"http_auth_user"`
	Password     *string `json:"http_auth_password"`
	RemoveReason *string `json:"remove_reason"`
	Version      string  `json:"version"`
}

func (s *Simulator) hookJSON(w *Webhook) hookJSON {
	j := hookJSON{
		ID: w.ID, Name: w.Name, CompanyID: s.opts.CompanyID, OwnerID: w.OwnerID, UserID: w.UserID, Action: w.Action,
		Object: w.Object, URL: w.URL, AddTime: w.Added.Format(layoutMillis), Type: w.Type, Version: w.Version,
		Username: s.opaque("user", w.ID, w.Username), Password: s.opaque("password", w.ID, w.Password),
	}
	if w.Active {
		j.IsActive = 1
	}
	return j
}

// opaque is a credential as it comes back: of the same look whatever it was, and nothing that can be used.
func (s *Simulator) opaque(what string, id int64, word string) *string {
	if word == "" {
		return nil
	}
	shown := "v1u:" + base64.RawURLEncoding.EncodeToString([]byte(hex(s.opts.Seed, what, uint64(id), 255)))
	return &shown
}

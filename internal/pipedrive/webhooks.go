package pipedrive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"
)

// WebhooksPerUser is how many webhooks Pipedrive lets one user have.
// https://pipedrive.readme.io/docs/guide-for-webhooks-v2
const WebhooksPerUser = 40

// Webhook is a subscription as Pipedrive shows it. Its credentials are left out: they come back encrypted, so that
// they can neither be compared nor used again.
// https://developers.pipedrive.com/docs/api/v1/Webhooks
type Webhook struct {
	ID           string // digits
	Name         string // "" where the account is too old to have it, as is Version
	URL          string
	Action       string // create, change or delete; of version 1.0 added, updated, deleted or merged; or *
	Object       string // deal, person, ...; or *
	Version      string // 1.0 or 2.0
	Type         string // general, application or automation
	OwnerID      string // who made it
	UserID       string // whose view of the account is sent
	Active       bool   // false while it is banned
	LastStatus   int    // HTTP status of the last try; 0: there was none, or no answer
	LastDelivery string // time of the last try as Pipedrive writes it; "": none
	Added        string // as above
}

// NewWebhook is a webhook to be made.
type NewWebhook struct {
	URL      string
	Name     string // at most 255 characters
	Action   string
	Object   string
	Version  string // empty: what Pipedrive takes for the default
	UserID   string // digits; empty: who asks
	Username string // empty: no credentials are sent with a delivery
	Password string
}

// WebhookLimitError means that the user has as many webhooks as Pipedrive allows.
type WebhookLimitError struct{ Answer }

func (e *WebhookLimitError) Error() string { return e.String() }

// WebhooksTokens is what it costs to list them.
// https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
const WebhooksTokens = 10

const (
	webhooksPath   = "/v1/webhooks"
	webhooksObject = "webhooks"
)

// Webhooks reads all webhooks of the user that the credential belongs to; an app sees those that it made.
// https://developers.pipedrive.com/docs/api/v1/Webhooks#getWebhooks
func (c *Client) Webhooks(ctx context.Context) ([]Webhook, error) {
	r, err := c.get(ctx, call{webhooksObject, WebhooksTokens}, webhooksPath, "")
	if err != nil {
		return nil, fmt.Errorf("listing webhooks: %w", err)
	}
	hooks, err := readWebhooks(r.body)
	if err != nil {
		return nil, fmt.Errorf("listing webhooks: %w", garbled(r.Answer, err))
	}
	return hooks, nil
}

// CreateWebhook makes a webhook and returns it as Pipedrive shows it. Pipedrive refuses a URL that it cannot reach
// (RefusedError) and one webhook too many (WebhookLimitError); it does not refuse the same one twice. After a
// LaterError the webhook may have been made.
// https://developers.pipedrive.com/docs/api/v1/Webhooks#addWebhook
func (c *Client) CreateWebhook(ctx context.Context, w NewWebhook) (Webhook, error) {
	const tokens = 10
	body, err := w.encode()
	if err != nil {
		return Webhook{}, err
	}
	r, err := c.ask(ctx, call{webhooksObject, tokens}, order{
		method: http.MethodPost, path: webhooksPath, body: body, secrets: []string{w.Password},
	})
	if refused := (*RefusedError)(nil); errors.As(err, &refused) && refused.Status == http.StatusUnprocessableEntity {
		err = &WebhookLimitError{refused.Answer}
	}
	if err != nil {
		return Webhook{}, fmt.Errorf("creating a webhook: %w", err)
	}
	made, err := readNewWebhook(r.body)
	if err != nil {
		return Webhook{}, fmt.Errorf("creating a webhook: %w", garbled(r.Answer, err))
	}
	return made, nil
}

// DeleteWebhook removes a webhook. A GoneError means that it was gone already.
// https://developers.pipedrive.com/docs/api/v1/Webhooks#deleteWebhook
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	const tokens = 6
	r, err := c.ask(ctx, call{webhooksObject, tokens}, order{
		method: http.MethodDelete, path: webhooksPath + "/" + url.PathEscape(id),
	})
	if err == nil {
		if _, unsound := successful(r.body); unsound != nil {
			err = garbled(r.Answer, unsound)
		}
	}
	if err != nil {
		return fmt.Errorf("deleting webhook %s: %w", id, err)
	}
	return nil
}

// encode writes the request's body. There user_id is a number.
func (w NewWebhook) encode() ([]byte, error) {
	if strings.ContainsFunc(w.UserID, func(r rune) bool { return r < '0' || r > '9' }) {
		return nil, fmt.Errorf("user_id: %q came, it must be digits", w.UserID)
	}
	return json.Marshal(struct {
		URL      string      `json:"subscription_url"`
		Name     string      `json:"name"`
		Action   string      `json:"event_action"`
		Object   string      `json:"event_object"`
		Version  string      `json:"version,omitempty"`
		UserID   json.Number `json:"user_id,omitempty"`
		Username string      `json:"http_auth_user,omitempty"`
		Password string      `json:"http_auth_password,omitempty"`
	}{w.URL, w.Name, w.Action, w.Object, w.Version, json.Number(w.UserID), w.Username, w.Password})
}

// successful opens the frame that is common to all answers.
func successful(body []byte) (gjson.Result, error) {
	if err := sound(body); err != nil {
		return gjson.Result{}, err
	}
	frame := gjson.ParseBytes(body)
	if frame.Get("success").Type != gjson.True {
		return gjson.Result{}, errors.New("success is not true")
	}
	return frame, nil
}

// readWebhooks reads `{"status":"ok","success":true,"data":[…]}`. One row that cannot be read makes the whole list
// unusable: a webhook that was skipped would look like one that has to be made. Removed ones are no longer webhooks.
func readWebhooks(body []byte) ([]Webhook, error) {
	frame, err := successful(body)
	if err != nil {
		return nil, err
	}
	data := frame.Get("data")
	if !data.IsArray() && (data.Type != gjson.Null || !data.Exists()) {
		return nil, errors.New("data is no list")
	}
	rows := data.Array()
	hooks := make([]Webhook, 0, len(rows))
	for i, row := range rows {
		w, err := readWebhook(row)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
		if row.Get("remove_time").Type == gjson.Null {
			hooks = append(hooks, w)
		}
	}
	return hooks, nil
}

func readNewWebhook(body []byte) (Webhook, error) {
	frame, err := successful(body)
	if err != nil {
		return Webhook{}, err
	}
	return readWebhook(frame.Get("data"))
}

func readWebhook(row gjson.Result) (Webhook, error) {
	w := Webhook{
		ID:           row.Get("id").String(),
		Name:         row.Get("name").String(),
		URL:          row.Get("subscription_url").String(),
		Action:       row.Get("event_action").String(),
		Object:       row.Get("event_object").String(),
		Version:      row.Get("version").String(),
		Type:         row.Get("type").String(),
		OwnerID:      row.Get("owner_id").String(),
		UserID:       row.Get("user_id").String(),
		Active:       !row.Get("is_active").Exists() || row.Get("is_active").Bool(), // 0 or 1
		LastStatus:   int(row.Get("last_http_status").Int()),
		LastDelivery: row.Get("last_delivery_time").String(),
		Added:        row.Get("add_time").String(),
	}
	if w.ID == "" || strings.ContainsFunc(w.ID, func(r rune) bool { return r < '0' || r > '9' }) {
		return Webhook{}, errors.New("the id is no number")
	}
	return w, nil
}

package simulator

import (
	"encoding/json"
	"strconv"
	"time"
)

// The two versions of webhooks.
const (
	version1 = "1.0"
	version2 = "2.0"
)

// metaV2 is what version 2.0 says beside the record. https://pipedrive.readme.io/docs/guide-for-webhooks-v2
type metaV2 struct {
	Action         string   `json:"action"`
	CompanyID      string   `json:"company_id"`
	CorrelationID  string   `json:"correlation_id"`
	EntityID       string   `json:"entity_id"`
	Entity         string   `json:"entity"`
	ID             string   `json:"id"`
	IsBulkEdit     bool     `json:"is_bulk_edit"`
	Timestamp      any      `json:"timestamp"` // a string; of users' events a number
	Type           string   `json:"type"`
	UserID         string   `json:"user_id"`
	Version        string   `json:"version"`
	WebhookID      string   `json:"webhook_id"`
	WebhookOwnerID string   `json:"webhook_owner_id"`
	ChangeSource   string   `json:"change_source"`
	Permitted      []string `json:"permitted_user_ids,omitempty"`
	Attempt        int      `json:"attempt"`
	Host           string   `json:"host"`
	MergedToID     string   `json:"merged_to_id,omitempty"`
	MergedFromID   string   `json:"merged_from_id,omitempty"`
}

type bodyV2 struct {
	Data     json.RawMessage `json:"data"`
	Previous json.RawMessage `json:"previous"`
	Meta     metaV2          `json:"meta"`
}

// filters are the saved filters that a record matches; none are played.
type filters struct {
	Current []int64 `json:"current"`
}

// metaV1 is what version 1.0 says. https://pipedrive.readme.io/docs/guide-for-webhooks
type metaV1 struct {
	V              int             `json:"v"`
	Action         string          `json:"action"`
	Object         string          `json:"object"`
	ID             json.RawMessage `json:"id"` // of the record: a number, as version 1.0 knows no leads
	CompanyID      int64           `json:"company_id"`
	UserID         int64           `json:"user_id"`
	Host           string          `json:"host"`
	Timestamp      int64           `json:"timestamp"`            // seconds
	Micro          int64           `json:"timestamp_micro"`      // microseconds
	Prepublish     int64           `json:"prepublish_timestamp"` // milliseconds
	Permitted      []int64         `json:"permitted_user_ids,omitempty"`
	TransPending   bool            `json:"trans_pending"`
	IsBulkUpdate   bool            `json:"is_bulk_update"`
	Service        bool            `json:"pipedrive_service_name"`
	ChangeSource   string          `json:"change_source"`
	MatchesFilters filters         `json:"matches_filters"`
	WebhookID      string          `json:"webhook_id"` // a string, alone among the ids
}

type bodyV1 struct {
	V              int             `json:"v"`
	MatchesFilters filters         `json:"matches_filters"`
	Meta           metaV1          `json:"meta"`
	Current        json.RawMessage `json:"current"`
	Previous       json.RawMessage `json:"previous"`
	Event          string          `json:"event"`
	Retry          int             `json:"retry"`
}

// body is what is sent to the webhook at the attempt, which counts from 1. Attempts differ in nothing else.
func (e *event) body(w *Webhook, attempt int) []byte {
	if w.Version == version1 {
		return e.bodyV1(w, attempt)
	}
	t := e.v2
	m := metaV2{
		Action: t.action, Entity: t.entity, EntityID: e.entityID, CompanyID: strconv.FormatInt(e.company, 10),
		ID: e.id, CorrelationID: e.correlation, IsBulkEdit: e.how.bulk, Timestamp: e.at.Format(layoutMillis),
		Type: w.Type, UserID: strconv.FormatInt(e.by, 10), Version: version2, WebhookID: strconv.FormatInt(w.ID, 10),
		WebhookOwnerID: strconv.FormatInt(w.OwnerID, 10), ChangeSource: "app", Permitted: asWords(e.permitted),
		Attempt: attempt, Host: e.host, MergedToID: e.how.mergedTo, MergedFromID: e.how.mergedFrom,
	}
	if e.person {
		m.ID, m.Timestamp = e.entityID, e.at.Unix()
	}
	return appendJSON(nil, bodyV2{t.data, t.previous, m})
}

// prepublish is how long after an event version 1.0 says that it was published.
const prepublish = 37 * time.Millisecond

func (e *event) bodyV1(w *Webhook, attempt int) []byte {
	t := e.v1
	nothing := filters{[]int64{}}
	m := metaV1{
		V: 1, Action: t.action, Object: t.entity, ID: json.RawMessage(e.entityID), CompanyID: e.company, UserID: e.by,
		Host: e.host, Timestamp: e.at.Unix(), Micro: e.at.UnixMicro(), Prepublish: e.at.Add(prepublish).UnixMilli(),
		Permitted: e.permitted, IsBulkUpdate: e.how.bulk, ChangeSource: "app", MatchesFilters: nothing,
		WebhookID: strconv.FormatInt(w.ID, 10),
	}
	if e.how.bulk {
		m.ChangeSource = "api" // also when it was done in a list view
	}
	return appendJSON(nil, bodyV1{1, nothing, m, t.data, t.previous, t.action + "." + t.entity, attempt - 1})
}

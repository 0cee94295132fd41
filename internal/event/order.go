package event

import (
	"encoding/json"
	"time"
)

// orderLayout has a fixed width, so that earlier times are smaller texts.
const orderLayout = "2006-01-02T15:04:05.000Z"

// Whose word counts more where times tie: update_time has whole seconds. A webhook is about one change of several in
// that second; a poll shows the record as it was later, and shows it again when more has changed since; after a
// deletion comes nothing.
const (
	byWebhook  = "1"
	byPoll     = "2"
	byDeletion = "3"
)

// Order tells which of two events of one record is about the newer state: that with the greater text, byte by byte. It is
// the time of the change, whose word it is, and what orders those whose word it is within a second: of webhooks the time
// at which Pipedrive wrote them, of polls the time at which they were received.
func (e *Event) Order() string {
	var by, within string
	if s := schemas[e.Schema]; s != nil && s.now != "" {
		by, within = byWebhook, writtenAt(metaOf(e.body))
	} else {
		by, within = byPoll, orderTime(e.ReceivedAt)
	}
	if e.Action == Deleted {
		by = byDeletion
	}
	return orderTime(e.Time) + "/" + by + "/" + within
}

// orderTime is the zero time where nobody knows.
func orderTime(at string) string {
	t, _ := time.Parse(time.RFC3339, at)
	return t.UTC().Format(orderLayout)
}

// writtenAt reads when Pipedrive wrote a webhook: microseconds since 1970 in version 1.0, a time in version 2.0, or
// whole seconds there for users. https://pipedrive.readme.io/docs/guide-for-webhooks-v2
func writtenAt(meta map[string]any) string {
	if micros, is := meta["timestamp_micro"].(json.Number); is {
		if n, err := micros.Int64(); err == nil {
			return time.UnixMicro(n).UTC().Format(orderLayout)
		}
	}
	switch at := meta["timestamp"].(type) {
	case string:
		return orderTime(at)
	case json.Number:
		if n, err := at.Int64(); err == nil {
			return time.Unix(n, 0).UTC().Format(orderLayout)
		}
	}
	return orderTime("")
}

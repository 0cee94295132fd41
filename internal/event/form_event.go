package event

import "encoding/json"

// Plain writes the event in the form of this project. Keys of account and source that nobody knows are absent.
func (e *Event) Plain() map[string]any {
	m := e.change()
	m["id"] = e.ID
	m["object_id"] = e.ObjectID
	m["time"] = text(e.Time)
	return m
}

// change is the event without the keys that some forms have elsewhere.
func (e *Event) change() map[string]any {
	m := make(map[string]any, 13)
	m["object"] = e.Object
	m["action"] = e.Action
	m["account"] = e.account()
	m["source"] = e.source()
	m["data"] = record(e.Data)
	m["previous"] = record(e.Previous)
	m["changed"] = list(e.Changed)
	m["merged_into"] = text(e.MergedInto)
	m["merged_from"] = text(e.MergedFrom)
	if e.resolve {
		m["named"] = record(e.Named)
	}
	return m
}

func (e *Event) account() map[string]any {
	return known(
		"company_id", e.CompanyID,
		"host", e.Host,
		"instance_id", e.InstanceID,
	)
}

func (e *Event) source() map[string]any {
	m := known(
		"via", e.Via,
		"schema", e.Schema,
		"event_id", e.EventID,
		"correlation_id", e.CorrelationID,
		"webhook_id", e.WebhookID,
		"user_id", e.UserID,
		"change_source", e.ChangeSource,
		"received_at", e.ReceivedAt,
	)
	if isDigits(e.Attempt) {
		m["attempt"] = json.Number(e.Attempt)
	}
	if e.Bulk != "" {
		m["bulk"] = e.Bulk == "true"
	}
	return m
}

// known is an object of the pairs that have a value.
func known(pairs ...string) map[string]any {
	m := make(map[string]any, len(pairs)/2+2)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			m[pairs[i]] = pairs[i+1]
		}
	}
	return m
}

// text is null when it is empty.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// record is null when there is none: a nil map in an interface would be an object for some readers.
func record(m map[string]any) any {
	if m == nil {
		return nil
	}
	return m
}

// list is null when there is none.
func list(words []string) any {
	if words == nil {
		return nil
	}
	items := make([]any, len(words))
	for i, word := range words {
		items[i] = word
	}
	return items
}

package event

import "cmp"

// CloudEvent writes the event as CloudEvents 1.0 in structured JSON. Its data is the event without the keys that are
// attributes of the envelope. https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
func (e *Event) CloudEvent() map[string]any {
	m := known(
		"specversion", "1.0",
		"id", e.ID,
		"source", "https://"+cmp.Or(e.Host, anyHost)+"/"+e.Object,
		"type", "com.pipedrive."+e.Object+"."+e.Action,
		"subject", e.ObjectID,
		"time", e.Time,
		"datacontenttype", "application/json",
	)
	m["data"] = e.change()
	return m
}

// anyHost stands for the account where its host is not known.
const anyHost = "api.pipedrive.com"

package event

import "cmp"

// operations are Debezium's letters for what happened.
var operations = map[string]string{Created: "c", Updated: "u", Deleted: "d", Snapshot: "r"}

// Debezium writes the event as the payload of a Debezium change event. before is what is known of the record as it was:
// all of one that is gone, else the old values of what changed, null where nobody knows.
// https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-events
func (e *Event) Debezium() map[string]any {
	source := e.source()
	source["connector"] = "pipedrive"
	source["name"] = cmp.Or(e.Host, anyHost)
	source["ts_ms"] = millis(e.Time)
	source["snapshot"] = e.Action == Snapshot
	source["table"] = e.Object
	source["id"] = e.ID
	source["object_id"] = e.ObjectID
	for name, v := range e.account() {
		source[name] = v
	}
	return map[string]any{
		"before": record(e.Previous),
		"after":  record(e.Data),
		"op":     cmp.Or(operations[e.Action], operations[Updated]),
		"source": source,
		"ts_ms":  millis(cmp.Or(e.ReceivedAt, e.Time)),
	}
}

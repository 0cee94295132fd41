package event

import (
	"cmp"
	"encoding/json"
	"strconv"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// elementTypes are Cloud Elements' words for what happened.
var elementTypes = map[string]string{Created: "CREATED", Updated: "UPDATED", Deleted: "DELETED"}

// Elements writes the event as the message that Cloud Elements posted to a callback URL, whose documentation promises
// little more than message.events with objectId, objectType, eventType, date and elementKey, message.eventId,
// message.instanceId and message.raw. What only Cloud Elements could know is absent.
func (e *Event) Elements() map[string]any {
	raw := e.element()
	raw["object"] = e.body
	change := e.element()
	change["elementKey"] = "pipedrive"
	change["hubKey"] = "crm"

	id := e.number()
	message := map[string]any{"eventId": id, "raw": raw, "events": []any{change}}
	if e.InstanceID != "" {
		instance := readInteger(e.InstanceID)
		message["instanceId"], message["instance_id"] = instance, instance
	}
	return map[string]any{
		"id":          id,
		"severity":    "low",
		"topic":       "pipedrive",
		"createdDate": millis(cmp.Or(e.ReceivedAt, e.Time)),
		"message":     message,
	}
}

// element is what Cloud Elements says of one change.
func (e *Event) element() map[string]any {
	return map[string]any{
		"objectId":   e.ObjectID,
		"objectType": elementObject(e.Object),
		"eventType":  e.elementType(),
		"date":       text(e.Time),
	}
}

// elementObject is the name in Cloud Elements' CRM hub; what the hub has not keeps Pipedrive's.
func elementObject(kind string) string {
	o, listed := entity.OfKind(kind)
	switch {
	case !listed:
		return kind
	case len(o.Aliases) > 0:
		return o.Aliases[0]
	}
	return o.Name
}

// elementType knows no snapshot: of such a record its times say whether it is new.
func (e *Event) elementType() string {
	if e.Action != Snapshot {
		return cmp.Or(elementTypes[e.Action], elementTypes[Updated])
	}
	k := kindOf(e.Object)
	created, _ := e.Data[k.created].(string)
	updated, _ := e.Data[k.updated].(string)
	if updated == "" || soonAfter(created, updated) {
		return elementTypes[Created]
	}
	return elementTypes[Updated]
}

// number is the event's id as a number that JavaScript reads exactly.
func (e *Event) number() json.Number {
	const digits = 13 // of 4 bits each, below 2^53
	n, err := strconv.ParseInt(e.ID[len(idPrefix):len(idPrefix)+digits], 16, 64)
	if err != nil {
		return "0" // identify writes nothing but hexadecimal digits
	}
	return whole(n)
}

func whole(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// Package event makes one Event of a record or webhook of Pipedrive, whichever of its four schemas it is written in,
// and writes it in the forms that people receive.
package event

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/Jeffail/gabs/v2"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// What happened to a record.
const (
	Created  = "created"
	Updated  = "updated"
	Deleted  = "deleted"
	Snapshot = "snapshot"
)

// About is what is known of a body beside the body: where it came from, and what happened. Ids are digit by digit as
// Pipedrive writes them; times are RFC 3339 in UTC. What is not known is empty.
type About struct {
	Via      string // poll or webhook
	Schema   string // RESTv1, RESTv2, WebhookV1 or WebhookV2
	Object   string // snake_case singular: deal, activity_type
	ObjectID string // empty: what the record itself says
	Action   string // Created, Updated, Deleted, Snapshot, or a word of Pipedrive's that nobody knows; empty: as ObjectID
	Time     string // of the change; empty: as ObjectID

	CompanyID  string
	Host       string // acme.pipedrive.com
	InstanceID string

	EventID       string
	CorrelationID string
	WebhookID     string
	Attempt       string // a whole number
	UserID        string
	ChangeSource  string
	Bulk          string // true or false
	ReceivedAt    string
}

// Event is one change of one record. Its maps and lists are to be read only: they share parts with the body.
type Event struct {
	About

	// ID is the same for the same state of the same record, whichever way it came.
	ID string

	Data     map[string]any // the record in the shape of REST v2; nil of a deletion
	Previous map[string]any // the old values of what changed, or all of a record that is gone; nil: nobody knows
	Changed  []string       // the keys of Previous, custom_fields.<key> for those; nil: nobody knows

	MergedInto string // the record that this one, deleted, lives on in
	MergedFrom string // the record that this one took in

	Named map[string]any // custom fields that have a value, by what people call them; nil: their definitions are not known

	body    any  // as received
	resolve bool // Named was asked for
}

// Options are how bodies are read.
type Options struct {
	// Resolve asks for Event.Named, which takes Fields: the definitions of the custom fields that a record may have, by
	// key, with names that differ. With them the texts of v1 become what REST v2 has.
	Resolve bool
	Fields  map[string]entity.Field

	// KnownOnly leaves out what the tables of this package do not have. Objects without a table keep all.
	KnownOnly bool
}

// Read makes an event of a decoded JSON body whose numbers are json.Number. The body stays as it is. An error says in
// one line what was expected and what came.
func Read(body *gabs.Container, about About, o Options) (*Event, error) {
	e := &Event{About: about, body: body.Data(), resolve: o.Resolve}
	if err := e.read(body, o); err != nil {
		return nil, fmt.Errorf("reading a %s of %s: %w", cmp.Or(about.Object, "record"), cmp.Or(about.Schema, "no schema"), err)
	}
	return e, nil
}

func (e *Event) read(body *gabs.Container, o Options) error {
	s, known := schemas[e.Schema]
	if !known {
		return fmt.Errorf("expected one of the schemas %s, %s, %s, %s", RESTv1, RESTv2, WebhookV1, WebhookV2)
	}
	now, before, err := s.records(body)
	if err != nil {
		return err
	}
	r := reader{schema: s, kind: kindOf(e.Object), Options: o}
	data, err := r.record(now)
	if err != nil {
		return err
	}
	previous, err := r.record(before)
	if err != nil {
		return fmt.Errorf("previous: %w", err)
	}
	if err := e.own(s, r.kind, data, previous); err != nil {
		return err
	}
	e.complete(r.kind, data)
	e.ID = e.identify(r.kind, data)
	e.tell(s, data, previous)
	if s.now != "" {
		meta := metaOf(e.body)
		e.MergedInto, e.MergedFrom = plain(meta["merged_to_id"]), plain(meta["merged_from_id"])
	}
	if o.Resolve && o.Fields != nil {
		e.Named = named(e.customs(), o.Fields)
	}
	return nil
}

// own sees to it that the record is the one that the event is about.
func (e *Event) own(s *schema, k *kind, data, previous map[string]any) error {
	id := plain(data["id"])
	if e.ObjectID = cmp.Or(e.ObjectID, id, plain(previous["id"])); e.ObjectID == "" {
		return errors.New("expected a record with an id, got one without")
	}
	switch {
	case data == nil && (e.Action == Created || e.Action == Updated):
		return fmt.Errorf("expected the record as %s in %s, got null", e.Action, s.now)
	case data == nil || !k.known || id == e.ObjectID: // what is in no table may have its id elsewhere
		return nil
	case id == "":
		return fmt.Errorf("expected record %s, got one without an id", e.ObjectID)
	}
	return fmt.Errorf("expected record %s, got another", e.ObjectID)
}

// complete fills in what the record itself says, where nobody said it before.
func (e *Event) complete(k *kind, data map[string]any) {
	if e.Action == "" {
		e.Action = Snapshot
		if data["is_deleted"] == true || data["status"] == Deleted {
			e.Action = Deleted
		}
	}
	if e.Time == "" {
		e.Time = cmp.Or(timeIn(data[k.updated]), timeIn(data[k.created]))
	}
}

// timeIn is a field's time, empty where it has none.
func timeIn(v any) string {
	at, _ := v.(string)
	if _, err := time.Parse(time.RFC3339, at); err != nil {
		return ""
	}
	return at
}

// tell says what the record is now and what it was.
func (e *Event) tell(s *schema, data, previous map[string]any) {
	switch {
	case e.Action == Deleted && previous == nil:
		e.Previous = withoutUnset(data) // polled: what was read is the last that is known
	case e.Action == Deleted:
		e.Previous = withoutUnset(previous)
	default:
		if previous != nil {
			e.Previous, e.Changed = difference(data, previous, s.whole)
		}
		e.Data = withoutUnset(data)
	}
}

// customs are the custom fields of the record, of one that is gone as they were.
func (e *Event) customs() map[string]any {
	record := e.Data
	if record == nil {
		record = e.Previous
	}
	fields, _ := record[customFields].(map[string]any)
	return fields
}

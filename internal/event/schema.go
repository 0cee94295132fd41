package event

import (
	"fmt"

	"github.com/Jeffail/gabs/v2"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// The schemas in which Pipedrive writes a record, in the words of the metadata.
const (
	RESTv1    = "rest_v1"
	RESTv2    = "rest_v2"
	WebhookV1 = "webhook_v1"
	WebhookV2 = "webhook_v2"
)

// schema is where a body has its record, and how it writes custom fields.
type schema struct {
	now, before string // members with the record as it is and as it was; "": the body is the record
	whole       bool   // before has all fields, not only those that changed

	rooted bool // custom fields lie among the others
	custom func(record map[string]any, defined map[string]entity.Field) (map[string]any, error)
}

var schemas = map[string]*schema{
	RESTv1:    {rooted: true, custom: rootCustoms},
	RESTv2:    {custom: plainCustoms},
	WebhookV1: {now: "current", before: "previous", whole: true, rooted: true, custom: rootCustoms},
	WebhookV2: {now: "data", before: "previous", custom: typedCustoms},
}

// records finds the record as it is and as it was; nil is null.
func (s *schema) records(body *gabs.Container) (now, before map[string]any, err error) {
	if s.now == "" {
		now, err = object(body.Data())
		if now == nil && err == nil {
			err = fmt.Errorf("expected a JSON object, got null")
		}
		return now, nil, err
	}
	whole, err := object(body.Data())
	if err != nil {
		return nil, nil, err
	}
	if metaOf(whole) == nil {
		return nil, nil, fmt.Errorf("expected a webhook with meta, got %s without", outline(body.Data()))
	}
	if now, err = object(only(whole[s.now])); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", s.now, err)
	}
	if before, err = object(only(whole[s.before])); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", s.before, err)
	}
	if now == nil && before == nil {
		return nil, nil, fmt.Errorf("expected a record in %s or %s, got none", s.now, s.before)
	}
	return now, before, nil
}

// metaOf is what a webhook says of itself; nil: it is none.
func metaOf(body any) map[string]any {
	whole, _ := body.(map[string]any)
	meta, _ := whole["meta"].(map[string]any)
	return meta
}

// only takes the one item of a list: users' webhooks of version 1.0 have lists of one.
func only(v any) any {
	if list, ok := v.([]any); ok && len(list) == 1 {
		return list[0]
	}
	return v
}

// object takes an object or null.
func object(v any) (map[string]any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return v, nil
	}
	return nil, fmt.Errorf("expected a JSON object, got %s", outline(v))
}

// outline says what a value is, and nothing of what it says.
func outline(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case []any:
		return fmt.Sprintf("an array of %d", len(v))
	case map[string]any:
		return fmt.Sprintf("an object of %d", len(v))
	}
	return "a number"
}

// RESTSchema tells which of the two a record of the REST API is written in, by the marks that only version 1 has.
func RESTSchema(record *gabs.Container, object string) string {
	if o, listed := entity.OfKind(object); listed && o.Schema == entity.RESTv1 {
		return RESTv1
	}
	for name, v := range record.ChildrenMap() {
		switch text, _ := v.Data().(string); {
		case name == "active_flag", isCustom(name):
			return RESTv1
		case name == "add_time" && len(text) > 10 && text[10] == ' ':
			return RESTv1
		}
	}
	return RESTv2
}

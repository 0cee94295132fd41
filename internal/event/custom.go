package event

import (
	"fmt"
	"iter"

	"github.com/Jeffail/gabs/v2"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// Custom fields have a way to be written in REST v1, another in REST v2, and a third in webhooks of version 2.0. Each
// of them is read by itself, and what none of them is known to have is an error: a value that is taken for another is
// worse than one that waits in a dead-letter output.
// https://pipedrive.readme.io/docs/core-api-concepts-custom-fields

// plainCustoms reads those of REST v2, which are as they should be but for options with their labels
// (include_option_labels). Unset fields are null; nil is a record without the object.
func plainCustoms(record map[string]any, _ map[string]entity.Field) (map[string]any, error) {
	fields, err := customObject(record)
	if fields == nil || err != nil {
		return nil, err
	}
	read := make(map[string]any, len(fields))
	for key, v := range fields {
		if read[key], err = plainCustom(v); err != nil {
			return nil, customError(key, err)
		}
	}
	return read, nil
}

func plainCustom(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		switch {
		case has(v, "value"):
			return v, nil
		case has(v, "id"):
			return v["id"], nil
		}
		return nil, fmt.Errorf("expected an object with value or id, got %s without", outline(v))
	case []any:
		return idsOf(v), nil
	}
	return v, nil
}

// typed are the types of webhooks of version 2.0, with the members of each in REST v2.
var typed = map[string]func(o map[string]any) any{
	"varchar":      member("value"),
	"varchar_auto": member("value"),
	"text":         member("value"),
	"phone":        member("value"),
	"double":       member("value"),
	"int":          member("value"),
	"date":         member("value"),
	"enum":         member("id"),
	"user":         member("id"),
	"org":          member("id"),
	"people":       member("id"),
	"set":          func(o map[string]any) any { return idsOf(o["values"]) },
	"monetary":     rest(nil),
	"time":         rest(nil),
	"address":      rest(nil),
	"daterange":    rest(renaming{"from": "value"}),
	"timerange":    rest(renaming{"from": "value"}),
}

func member(name string) func(map[string]any) any {
	return func(o map[string]any) any { return o[name] }
}

// rest is all that the object has but its type.
func rest(names renaming) func(map[string]any) any {
	but := renaming{"type": ""}
	for name, to := range names {
		but[name] = to
	}
	return func(o map[string]any) any { return but.object(o) }
}

func idsOf(v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	ids := make([]any, len(list))
	for i, item := range list {
		ids[i] = idOf(item)
	}
	return ids
}

// typedCustoms reads those of webhooks of version 2.0: objects that name their type.
func typedCustoms(record map[string]any, _ map[string]entity.Field) (map[string]any, error) {
	fields, err := customObject(record)
	if fields == nil || err != nil {
		return nil, err
	}
	read := make(map[string]any, len(fields))
	for key, v := range fields {
		if v == nil {
			read[key] = nil
			continue
		}
		o, ok := v.(map[string]any)
		if !ok {
			return nil, customError(key, fmt.Errorf("expected an object with a type, got %s", outline(v)))
		}
		name, _ := o["type"].(string)
		put, known := typed[name]
		if !known {
			return nil, customError(key, fmt.Errorf("the type %.40q is not known", name))
		}
		read[key] = put(o)
	}
	return read, nil
}

func customObject(record map[string]any) (map[string]any, error) {
	v, has := record[customFields]
	if !has {
		return nil, nil
	}
	switch v := v.(type) {
	case nil:
		return map[string]any{}, nil
	case map[string]any:
		return v, nil
	}
	return nil, fmt.Errorf("%s: expected a JSON object, got %s", customFields, outline(v))
}

func customError(key string, err error) error {
	return fmt.Errorf("custom field %.60q: %w", key, err)
}

// customKey is how long the key of a custom field is: hexadecimal.
const customKey = 40

// isCustom tells the keys of custom fields at the root of a record, and of their parts, which have a suffix.
func isCustom(name string) bool {
	if len(name) < customKey || len(name) > customKey && name[customKey] != '_' {
		return false
	}
	for _, c := range []byte(name[:customKey]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// rootCustoms reads those of version 1: among the other fields, those of several parts with each in a field of its own.
// Which type a text is of only the definitions say; without them it stays a text.
func rootCustoms(record map[string]any, defined map[string]entity.Field) (map[string]any, error) {
	read := map[string]any{}
	for key, v := range record {
		if len(key) == customKey && isCustom(key) {
			read[key] = rootCustom(record, key, v, defined[key].Type)
		}
	}
	return read, nil
}

func rootCustom(record map[string]any, key string, v any, kind string) any {
	if v == nil {
		return nil
	}
	text, isText := v.(string)
	switch {
	case kind == "enum":
		return readInteger(v)
	case kind == "set" && isText:
		return readList(text)
	case kind == "time" && isText:
		return withParts(record, key, v, timeParts, true)
	case has(record, key+"_formatted_address"):
		return withParts(record, key, v, addressParts, true)
	}
	return withParts(record, key, idOf(v), valueParts, false)
}

// The parts of values beside their first.
var (
	valueParts = []string{"currency", "until", "timezone_id"}
	timeParts  = []string{"timezone_id"}
)

// withParts makes one object of a value and the parts of it that the record has; without any it is the value itself,
// unless it always is an object.
func withParts(record map[string]any, key string, v any, parts []string, always bool) any {
	o := map[string]any{"value": v}
	for _, part := range parts {
		if p, has := record[key+"_"+part]; has {
			o[part] = p
		}
	}
	if len(o) == 1 && !always {
		return v
	}
	return o
}

// withoutUnset leaves out the custom fields that are null: to have none and to be unset is one.
func withoutUnset(record map[string]any) map[string]any {
	fields, ok := record[customFields].(map[string]any)
	if !ok {
		return record
	}
	set := make(map[string]any, len(fields))
	for key, v := range fields {
		if v != nil {
			set[key] = v
		}
	}
	record[customFields] = set
	return record
}

// CustomKeys are the keys of the custom fields that have a value in a body of the schema, now or before.
func CustomKeys(body *gabs.Container, schema string) iter.Seq[string] {
	return func(yield func(string) bool) {
		s, known := schemas[schema]
		if !known {
			return
		}
		now, before, err := s.records(body)
		if err != nil {
			return // Read says why
		}
		for _, record := range []map[string]any{now, before} {
			fields := record
			if !s.rooted {
				fields, _ = record[customFields].(map[string]any)
			}
			for key, v := range fields {
				if v != nil && len(key) == customKey && isCustom(key) && !yield(key) {
					return
				}
			}
		}
	}
}

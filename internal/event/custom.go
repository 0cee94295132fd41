package event

import (
	"fmt"
	"iter"
	"maps"

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
		switch value, has := v["value"]; {
		case has && value == nil: // a currency, or an end, of nothing
			return nil, nil
		case has:
			return v, nil
		}
		if id, has := v["id"]; has {
			return id, nil
		}
		return nil, errNoValue(v)
	case []any:
		return idsOf(v), nil
	}
	return v, nil
}

// typed are the types of webhooks of version 2.0.
var typed = map[string]typedForm{
	"varchar":      {member: "value"},
	"varchar_auto": {member: "value"},
	"text":         {member: "value"},
	"phone":        {member: "value"},
	"double":       {member: "value"},
	"int":          {member: "value"},
	"date":         {member: "value"},
	"enum":         {member: "id"},
	"user":         {member: "id"},
	"org":          {member: "id"},
	"people":       {member: "id"},
	"set":          {member: "values", list: true},
	"monetary":     {member: "value", whole: renaming{"type": ""}},
	"time":         {member: "value", whole: renaming{"type": ""}},
	"address":      {member: "value", whole: renaming{"type": ""}},
	"daterange":    {member: "from", whole: renaming{"type": "", "from": "value"}},
	"timerange":    {member: "from", whole: renaming{"type": "", "from": "value"}},
}

// typedForm says which member an object of the type has, and what of it is the value in REST v2.
type typedForm struct {
	member string
	list   bool     // the member is a list of options
	whole  renaming // of all members; nil: the member alone is the value
}

func (f typedForm) read(o map[string]any) (any, error) {
	v, has := o[f.member]
	list, isList := v.([]any)
	switch {
	case !has:
		return nil, fmt.Errorf("expected %s in the type %s, got %s without", f.member, o["type"], outline(o))
	case v == nil:
		return nil, nil
	case f.whole != nil:
		return f.whole.object(o), nil
	case f.list && isList:
		return idsOf(list), nil
	case f.list:
		return nil, fmt.Errorf("expected an array in %s of the type %s, got %s", f.member, o["type"], outline(v))
	}
	return v, nil
}

func idsOf(list []any) []any {
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
		form, known := typed[name]
		if !known {
			return nil, customError(key, fmt.Errorf("the type %.40q is not known", name))
		}
		if read[key], err = form.read(o); err != nil {
			return nil, customError(key, err)
		}
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
	parts := map[string]map[string]any{} // by key, with the name that each has in REST v2
	for name, v := range record {
		switch {
		case !isCustom(name):
		case len(name) == customKey:
			read[name] = v
		default:
			key, part := name[:customKey], name[customKey+1:]
			if parts[key] == nil {
				parts[key] = map[string]any{}
			}
			parts[key][part] = v
		}
	}
	for key, v := range read {
		custom, err := rootCustom(v, parts[key], defined[key].Type)
		if err != nil {
			return nil, customError(key, err)
		}
		read[key] = custom
	}
	return read, nil
}

func rootCustom(v any, parts map[string]any, kind string) (any, error) {
	text, isText := v.(string)
	o, isObject := v.(map[string]any)
	switch {
	case v == nil:
		return nil, nil
	case isObject && !has(o, "value") && !has(o, "id"):
		return nil, errNoValue(v)
	case kind == "enum":
		return readInteger(v), nil
	case kind == "set" && isText:
		return readList(text), nil
	case kind == "time", len(parts) > 0:
		whole := map[string]any{"value": idOf(v)}
		maps.Copy(whole, parts)
		return whole, nil
	}
	return idOf(v), nil
}

func errNoValue(v any) error {
	return fmt.Errorf("expected an object with value or id, got %s without", outline(v))
}

// withoutUnset leaves out the custom fields that are null: to have none and to be unset is one.
func withoutUnset(record map[string]any) map[string]any {
	if fields, has := record[customFields].(map[string]any); has {
		maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil })
	}
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

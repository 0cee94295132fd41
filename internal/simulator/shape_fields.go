package simulator

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"
)

// customType is what the value of a custom field looks like that is not defined.
func customType(value gjson.Result) fieldType {
	switch {
	case value.Type == gjson.Number:
		return double
	case value.IsArray():
		return set
	case value.Get("currency").Exists():
		return monetary
	case value.IsObject():
		return address_
	}
	return varchar
}

// custom calls put with every custom field that is defined for the record, and with those that it has besides: key,
// type, and the value in the form of REST v2, null where there is none.
func (v *view) custom(put func(key string, kind fieldType, value gjson.Result)) {
	values := map[string]gjson.Result{}
	var order []string
	if held := v.fields[customKey]; held.IsObject() { // null in an account without any
		held.ForEach(func(key, value gjson.Result) bool {
			values[key.Str] = value
			order = append(order, key.Str)
			return true
		})
	}
	if defined := v.tables[v.obj].seeds.definitions[v.obj.fieldsOf]; defined != nil {
		for _, f := range defined.ours {
			value := values[f.key]
			if v.obj.rooted {
				value = f.kind.gather(f.key, v.fields)
			}
			put(f.key, f.kind, value)
			delete(values, f.key)
		}
	}
	for _, key := range order {
		if value, left := values[key]; left {
			put(key, customType(value), value)
		}
	}
}

// typed is the object of custom fields of version 2.0: each an object that names its type.
var typed = made(customKey, func(b []byte, v *view) []byte {
	b = append(b, '{')
	first := true
	v.custom(func(key string, kind fieldType, value gjson.Result) {
		if value.Type == gjson.Null && v.quirks.NoUnsetFields {
			return
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendJSON(b, key), ':')
		if value.Type == gjson.Null {
			b = append(b, "null"...)
			return
		}
		b = kind.appendTyped(b, value)
	})
	return append(b, '}')
})

func (k fieldType) appendTyped(b []byte, value gjson.Result) []byte {
	b = appendWord(append(b, `{"type":`...), string(k))
	member := func(name, json string) { b = append(append(append(b, `,"`+name...), `":`...), json...) }
	switch k {
	case enum, user, org, people:
		member("id", value.Raw)
	case set:
		b = append(b, `,"values":[`...)
		for i, option := range value.Array() {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(append(b, `{"id":`...), option.Raw...), '}')
		}
		b = append(b, ']')
	case monetary:
		member("value", value.Get("value").Raw)
		member("currency", value.Get("currency").Raw)
	case daterange, timerange:
		member("from", value.Get("value").Raw)
		member("until", value.Get("until").Raw)
		if zone := value.Get("timezone_id"); zone.Exists() {
			member("timezone_id", zone.Raw)
		}
	case timeOfDay:
		member("value", value.Get("value").Raw)
		member("timezone_id", value.Get("timezone_id").Raw)
	case address_:
		value.ForEach(func(name, part gjson.Result) bool {
			member(name.Str, part.Raw)
			return true
		})
	default:
		member("value", value.Raw)
	}
	return append(b, '}')
}

// addressParts are the fields that version 1.0 has beside an address.
var addressParts = []string{
	"subpremise", "street_number", "route", "sublocality", "locality", "admin_area_level_1", "admin_area_level_2", "country",
	"postal_code", "formatted_address",
}

// spread calls put with the parts in which v1 writes a custom field, each null where there is nothing. The value is in
// the form of REST v2.
func (k fieldType) spread(key string, value gjson.Result, put func(name, json string)) {
	part := func(name, json string) { put(name, cmp.Or(json, "null")) }
	switch k {
	case monetary:
		part(key, value.Get("value").Raw)
		part(key+"_currency", value.Get("currency").Raw)
	case daterange, timerange:
		part(key, value.Get("value").Raw)
		part(key+"_until", value.Get("until").Raw)
	case timeOfDay:
		part(key, value.Get("value").Raw)
	case address_:
		part(key, value.Get("value").Raw)
		for _, name := range addressParts {
			part(key+"_"+name, value.Get(name).Raw)
		}
	case enum:
		part(key, quotedRaw(value))
	case set:
		part(key, joined(value))
	default:
		part(key, value.Raw)
	}
}

// gather undoes spread; the time zone, which it loses, is that of the account.
func (k fieldType) gather(key string, fields map[string]gjson.Result) gjson.Result {
	value, has := fields[key]
	if !has || value.Type == gjson.Null {
		return gjson.Result{}
	}
	parts := map[string]string{}
	switch k {
	case enum:
		return gjson.Parse(value.String())
	case set:
		return gjson.Parse("[" + value.String() + "]")
	case monetary:
		parts["currency"] = "_currency"
	case daterange, timerange:
		parts["until"] = "_until"
	case address_:
		for _, name := range addressParts {
			parts[name] = "_" + name
		}
	case timeOfDay:
	default:
		return value
	}
	members := map[string]json.RawMessage{"value": json.RawMessage(value.Raw)}
	for name, sibling := range parts {
		members[name] = json.RawMessage(cmp.Or(fields[key+sibling].Raw, "null"))
	}
	if k == timeOfDay || k == timerange {
		members["timezone_id"] = json.RawMessage(zoneID)
	}
	return gjson.ParseBytes(appendJSON(nil, members))
}

// atRoot are the custom fields of version 1.0: beside the others, in several parts where they have them.
var atRoot = feature{spread: func(b []byte, v *view) []byte {
	v.custom(func(key string, kind fieldType, value gjson.Result) {
		kind.spread(key, value, func(name, json string) {
			b = append(append(appendJSON(append(b, ','), name), ':'), json...)
		})
	})
	return b
}}

func quotedRaw(value gjson.Result) string {
	if value.Type == gjson.Number {
		return `"` + value.Raw + `"`
	}
	return value.Raw
}

// joined is a list of numbers as version 1.0 writes it: "13,14", null when it is empty.
func joined(list gjson.Result) string {
	var words []string
	for _, item := range list.Array() {
		words = append(words, item.String())
	}
	if len(words) == 0 {
		return "null"
	}
	return `"` + strings.Join(words, ",") + `"`
}

// spreadAddress is the address of an organization or activity in its parts.
func spreadAddress(field string) feature {
	return feature{spread: func(b []byte, v *view) []byte {
		address := v.fields[field]
		part := func(name, json string) {
			if json == "" {
				json = "null"
			}
			b = append(append(appendWord(append(b, ','), name), ':'), json...)
		}
		part(field, address.Get("value").Raw)
		for _, name := range addressParts {
			part(field+"_"+name, address.Get(name).Raw)
		}
		return b
	}}
}

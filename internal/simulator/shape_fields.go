package simulator

import (
	"strings"

	"github.com/tidwall/gjson"
)

// fieldTypeNames are the types of custom fields, as webhooks write them.
var fieldTypeNames = map[fieldType]string{
	varchar: "varchar", text_: "text", double: "double", phone: "phone", monetary: "monetary", enum: "enum", set: "set",
	user: "user", org: "org", date: "date", daterange: "daterange", timerange: "timerange", address_: "address",
}

// customType is the type of the object's custom field; of one that is not defined it is what the value looks like.
func (v *view) customType(key string, value gjson.Result) fieldType {
	owner := v.obj.fieldsOf
	for i, known := range v.keys(owner) {
		if known == key {
			return v.objects[owner].fields[i]
		}
	}
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

func (v *view) keys(owner string) []string { return v.tables[v.obj].seeds.keys[owner] }

// custom calls put with every custom field of the record: key, value in the form of REST v2 or, where the object has
// them at its root, of v1.
func (v *view) custom(put func(key string, value gjson.Result)) {
	if !v.obj.rooted {
		fields := v.fields[customKey]
		if !fields.IsObject() { // an account without any
			return
		}
		fields.ForEach(func(key, value gjson.Result) bool {
			put(key.Str, value)
			return true
		})
		return
	}
	for _, key := range v.keys(v.obj.fieldsOf) {
		if value, has := v.fields[key]; has {
			put(key, value)
		}
	}
}

// typed is the object of custom fields of version 2.0: each an object that names its type.
var typed = made(customKey, func(b []byte, v *view) []byte {
	b = append(b, '{')
	first := true
	v.custom(func(key string, value gjson.Result) {
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
		b = v.appendTyped(b, key, value)
	})
	return append(b, '}')
})

func (v *view) appendTyped(b []byte, key string, value gjson.Result) []byte {
	kind := v.customType(key, value)
	b = appendWord(append(b, `{"type":`...), fieldTypeNames[kind])
	member := func(name, json string) { b = append(append(append(b, `,"`+name...), `":`...), json...) }
	switch kind {
	case enum:
		member("id", strings.Trim(value.Raw, `"`)) // v1 writes it as text
	case user, org:
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
		if v.obj.rooted { // in two parts
			member("value", value.Raw)
			member("currency", v.fields[key+"_currency"].Raw)
			break
		}
		member("value", value.Get("value").Raw)
		member("currency", value.Get("currency").Raw)
	case daterange, timerange:
		member("from", value.Get("value").Raw)
		member("until", value.Get("until").Raw)
		if zone := value.Get("timezone_id"); zone.Exists() {
			member("timezone_id", zone.Raw)
		}
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

// atRoot are the custom fields of version 1.0: beside the others, in several parts where they have them.
var atRoot = feature{spread: func(b []byte, v *view) []byte {
	put := func(name, json string) {
		if json == "" {
			json = "null"
		}
		b = append(append(appendJSON(append(b, ','), name), ':'), json...)
	}
	v.custom(func(key string, value gjson.Result) {
		switch kind := v.customType(key, value); kind {
		case monetary:
			put(key, value.Get("value").Raw)
			put(key+"_currency", value.Get("currency").Raw)
		case daterange, timerange:
			put(key, value.Get("value").Raw)
			put(key+"_until", value.Get("until").Raw)
			if kind == timerange {
				put(key+"_timezone_id", value.Get("timezone_id").Raw)
			}
		case address_:
			put(key, value.Get("value").Raw)
			for _, part := range addressParts {
				put(key+"_"+part, value.Get(part).Raw)
			}
		case enum:
			put(key, quotedRaw(value))
		case set:
			put(key, joined(value))
		default:
			put(key, value.Raw)
		}
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

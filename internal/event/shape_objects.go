package event

import "encoding/json"

// Values that are objects, or lists of them.
var (
	address      = &shape{tell: tellMember("value")}
	contacts     = &shape{read: readContacts, tell: tellEach("value", "label", "primary")} // e-mails and telephones
	listed       = &shape{read: eachOf(nil)}                                               // a list of objects, empty where version 1 has null
	participants = &shape{read: eachOf(renaming{"primary_flag": "primary"})}
	prices       = &shape{
		read: eachOf(renaming{"id": "", "price_formatted": "", "overhead_cost": "direct_cost"}),
		tell: tellEach("price", "currency", "cost", "direct_cost", "notes"),
	}
	money = &shape{tell: tellEach("amount", "currency")}
)

// addressParts are the fields that version 1 has beside an address, and REST v2 in it.
var addressParts = []string{
	"subpremise", "street_number", "route", "sublocality", "locality", "admin_area_level_1", "admin_area_level_2", "country",
	"postal_code", "formatted_address",
}

// gatherAddress makes one object of an address whose parts lie beside it; one that is an object already stays.
func gatherAddress(v any, record map[string]any, name string) any {
	switch v.(type) {
	case nil, string:
	default:
		return v
	}
	o := map[string]any{"value": v}
	empty := v == nil
	for _, part := range addressParts {
		if p, has := record[name+"_"+part]; has {
			o[part] = p
			empty = empty && p == nil
		}
	}
	if empty {
		return nil
	}
	return o
}

// readContacts leaves out the entry without a value that version 1 has where there is none.
func readContacts(v any) any {
	if v == nil {
		return []any{}
	}
	list, ok := v.([]any)
	if !ok {
		return v
	}
	kept := make([]any, 0, len(list))
	for _, item := range list {
		if o, ok := item.(map[string]any); ok && o["value"] == "" {
			continue
		}
		kept = append(kept, item)
	}
	return kept
}

// renaming says what members of objects are called in REST v2; "" leaves them out.
type renaming map[string]string

func eachOf(names renaming) func(any) any {
	return func(v any) any {
		if v == nil {
			return []any{}
		}
		list, ok := v.([]any)
		if !ok {
			return v
		}
		renamed := make([]any, len(list))
		for i, item := range list {
			renamed[i] = names.object(item)
		}
		return renamed
	}
}

func (names renaming) object(v any) any {
	o, ok := v.(map[string]any)
	if !ok {
		return v
	}
	renamed := make(map[string]any, len(o))
	for name, v := range o {
		to, listed := names[name]
		switch {
		case !listed:
			renamed[name] = v
		case to != "":
			renamed[to] = v
		}
	}
	return renamed
}

// tellMember tells one member of an object, or a value that is no object.
func tellMember(name string) func([]byte, any) []byte {
	return func(b []byte, v any) []byte {
		if o, ok := v.(map[string]any); ok {
			v = o[name]
		}
		return appendPlain(b, v)
	}
}

// tellEach tells some members of an object, or of each in a list.
func tellEach(names ...string) func([]byte, any) []byte {
	tell := func(b []byte, v any) []byte {
		o, ok := v.(map[string]any)
		if !ok {
			return appendPlain(b, v)
		}
		for _, name := range names {
			b = append(tellAmount(b, o[name]), endOfMember)
		}
		return b
	}
	return func(b []byte, v any) []byte {
		list, ok := v.([]any)
		if !ok {
			return tell(b, v)
		}
		for _, item := range list {
			b = append(tell(b, item), endOfItem)
		}
		return b
	}
}

// tellAmount takes a cost of nothing for none: one schema writes 0 where another has no cost.
func tellAmount(b []byte, v any) []byte {
	if n, ok := v.(json.Number); ok && plainNumber(string(n)) == "0" {
		return b
	}
	return appendPlain(b, v)
}

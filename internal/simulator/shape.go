package simulator

import (
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// news is how webhooks, and REST v1, tell of an object's records; an object without it has no webhooks.
type news struct {
	entity string // the object's name in version 2.0; "" is none
	v1     string // and in 1.0

	data    shape // of version 2.0; nil is the record as it is listed
	current shape // of version 1.0; nil likewise
	rest    shape // of REST v1, where v2 lists the record; nil: v1 has it no more, or lists it

	quiet []string // fields that version 2.0 leaves out of previous, although they changed
	loud  string   // the field whose change brings the first of the quiet ones in again
	fresh []string // fields that version 2.0 has null in a new record, though the lists have not

	// person says that the record is a user: meta.id is the user's id, the times are epoch seconds, a deletion is a
	// change, nobody is permitted, and version 1.0 has lists of one.
	person bool
}

// shape is the fields of a record in a webhook, each with how it is made of the record that lists show. Webhooks of
// version 2.0 have a form of their own, which is neither REST v2 nor v1.
// https://pipedrive.readme.io/docs/webhooks-v2-migration-guide
type shape []feature

type feature struct {
	name string
	put  func(b []byte, v *view) []byte // appends the value as JSON
	// spread appends `,"name":value` for fields that only the record knows, instead of put.
	spread func(b []byte, v *view) []byte
}

// view is one record being shaped.
type view struct {
	*Simulator
	obj    *object
	body   []byte
	fields map[string]gjson.Result
}

func (s *Simulator) view(obj *object, body []byte) *view {
	v := &view{Simulator: s, obj: obj, body: body, fields: map[string]gjson.Result{}}
	gjson.ParseBytes(body).ForEach(func(key, value gjson.Result) bool {
		v.fields[key.Str] = value
		return true
	})
	return v
}

// in is the record in the shape.
func (v *view) in(sh shape) []byte {
	if sh == nil {
		return v.body
	}
	b := make([]byte, 0, len(v.body)+256)
	b = append(b, '{')
	for i, f := range sh {
		if f.spread != nil {
			b = f.spread(b, v)
			continue
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = f.put(append(appendWord(b, f.name), ':'), v)
	}
	return append(b, '}')
}

func (v *view) appendRaw(b []byte, name string) []byte {
	if f, has := v.fields[name]; has {
		return append(b, f.Raw...)
	}
	return append(b, "null"...)
}

// same are fields that stay as they are; null if the record lacks them.
func same(names ...string) shape {
	sh := make(shape, 0, len(names))
	for _, name := range names {
		sh = append(sh, as(name, name))
	}
	return sh
}

// fixed are fields that have one value in every record.
func fixed(json string, names ...string) shape {
	sh := make(shape, 0, len(names))
	for _, name := range names {
		sh = append(sh, feature{name: name, put: func(b []byte, _ *view) []byte { return append(b, json...) }})
	}
	return sh
}

func made(name string, put func([]byte, *view) []byte) feature { return feature{name: name, put: put} }

// as is a field under another name.
func as(name, from string) feature {
	return made(name, func(b []byte, v *view) []byte { return v.appendRaw(b, from) })
}

// asText is a number as a string.
func asText(name string) feature {
	return made(name, func(b []byte, v *view) []byte {
		if f := v.fields[name]; f.Type == gjson.Number {
			return appendWord(b, f.Raw)
		}
		return v.appendRaw(b, name)
	})
}

// unless is a flag turned round.
func unless(name, from string) feature {
	return made(name, func(b []byte, v *view) []byte { return strconv.AppendBool(b, !v.fields[from].Bool()) })
}

// at are times in another layout.
func at(layout string, names ...string) shape {
	sh := make(shape, 0, len(names))
	for _, name := range names {
		sh = append(sh, made(name, func(b []byte, v *view) []byte {
			return readStamp(v.fields[name]).append(b, layout)
		}))
	}
	return sh
}

// nameOf is the name or title of the record that a field refers to.
func nameOf(name, from, object string) feature {
	return made(name, func(b []byte, v *view) []byte {
		if _, body, found := v.related(object, v.fields[from]); found {
			return appendJSON(b, body.Get("name").Str+body.Get("title").Str)
		}
		return append(b, "null"...)
	})
}

// firstLabel is the one label of versions that know no more.
func firstLabel(b []byte, v *view) []byte {
	if first := v.fields["label_ids"].Get("0"); first.Exists() {
		return append(b, first.Raw...)
	}
	return append(b, "null"...)
}

// zoned is a time of day, or a length of time, with its time zone: null or an object.
func zoned(name string) feature {
	return made(name, func(b []byte, v *view) []byte {
		f := v.fields[name]
		if f.Type != gjson.String {
			return append(b, "null"...)
		}
		b = append(append(b, `{"timezone_id":null,"value":`...), f.Raw...)
		return append(b, '}')
	})
}

// minutes is a time of day without its seconds, "" for null.
func minutes(name string) feature {
	return made(name, func(b []byte, v *view) []byte {
		t, err := time.Parse(time.TimeOnly, v.fields[name].Str)
		if err != nil {
			return append(b, `""`...)
		}
		return appendWord(b, t.Format("15:04"))
	})
}

// doneAt is when an activity was done, "" while it is not.
func doneAt(b []byte, v *view) []byte {
	if done := readStamp(v.fields["marked_as_done_time"]); done != never {
		return done.append(b, layoutV1)
	}
	return append(b, `""`...)
}

// flagged are an activity's participants with the name that version 1.0 has for the primary one.
func flagged(b []byte, v *view) []byte {
	return append(b, strings.ReplaceAll(string(v.appendRaw(nil, "participants")), `"primary":`, `"primary_flag":`)...)
}

// slug is a name as a part of a URL.
func slug(b []byte, v *view) []byte {
	return appendJSON(b, strings.ReplaceAll(strings.ToLower(v.fields["name"].Str), " ", "-"))
}

package event

import (
	"encoding/json"
	"strings"
	"time"
)

// shape is how REST v2 writes a field's value.
type shape struct {
	// read turns a value of any schema into that of REST v2; nil leaves it as it is. A value that is of no known form stays
	// as it is too: nothing is lost by what Pipedrive adds.
	read func(any) any

	// tell appends what the value says to people, in a form that all schemas come to; nil is appendPlain.
	tell func(b []byte, v any) []byte

	// standIn is the field that is told instead in a record that has not this one.
	standIn string
}

var (
	verbatim  = &shape{}
	integer   = &shape{read: readInteger}
	reference = &shape{read: readReference} // the id of another record
	flag      = &shape{read: readFlag}
	moment    = &shape{read: readMoment}
	clock     = &shape{read: readClock}  // a time of day, or a length of time: 09:30:00
	labels    = &shape{read: readLabels} // ids of labels

	// Webhooks name one label of a person or organization, in a field of its own, and lists all: what both know is the
	// first. One is not made a list: whoever merges it into a row would lose the others.
	firstLabel = &shape{read: readLabels, tell: tellFirst, standIn: "label"}
)

// readInteger takes digits in a string for a number.
func readInteger(v any) any {
	if s, ok := v.(string); ok && isDigits(s) {
		return json.Number(s)
	}
	return v
}

func isDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != "" && (s[0] != '0' || len(s) == 1)
}

// readReference takes a record's id, or the object that REST v1 has in its place.
func readReference(v any) any { return readInteger(idOf(v)) }

// idOf takes the id out of an object that stands for a record, or an option.
func idOf(v any) any {
	if o, ok := v.(map[string]any); ok {
		for _, name := range [...]string{"value", "id"} {
			if id, has := o[name]; has {
				return id
			}
		}
	}
	return v
}

func readFlag(v any) any {
	switch v {
	case json.Number("0"), "0":
		return false
	case json.Number("1"), "1":
		return true
	}
	return v
}

// opposite turns a flag round.
func opposite(v any) any {
	if b, ok := v.(bool); ok {
		return !b
	}
	return v
}

// readMoment writes a time in RFC 3339 and UTC, with the fraction that it came with. Version 1 writes no zone and
// means UTC; its zero date and its empty text are no time.
// https://pipedrive.readme.io/docs/core-api-concepts-date-format
func readMoment(v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	switch {
	case s == "" || strings.HasPrefix(s, "0000-00-00"):
		return nil
	case len(s) > 10 && s[10] == 'T' && s[len(s)-1] == 'Z':
		return s
	case len(s) > 10 && s[10] == 'T':
		if t, err := time.Parse(time.RFC3339, s); err == nil {
			return t.UTC().Format(secondLayout) + fractionOf(s) + "Z"
		}
	case len(s) >= len(time.DateTime):
		if _, err := time.Parse(time.DateTime, s); err == nil { // a fraction may follow
			return s[:10] + "T" + s[11:] + "Z"
		}
	}
	return s
}

// secondLayout is a time in UTC as RFC 3339 has it, without fraction and zone.
const secondLayout = "2006-01-02T15:04:05"

// fractionOf is the fraction of a time that time.Parse takes, with a point and all its digits.
func fractionOf(s string) string {
	begin := strings.IndexAny(s, ".,")
	if begin < 0 {
		return ""
	}
	digits := s[begin+1:]
	return "." + digits[:strings.IndexAny(digits, "Z+-")]
}

func readClock(v any) any {
	if o, ok := v.(map[string]any); ok { // webhooks of version 2.0 name a time zone
		v = o["value"]
	}
	s, ok := v.(string)
	switch {
	case !ok:
		return v
	case s == "":
		return nil
	case len(s) == len("15:04"):
		return s + ":00"
	}
	return s
}

// readLabels takes the one label, or the text of several, that other schemas have.
func readLabels(v any) any {
	switch v := v.(type) {
	case nil:
		return []any{}
	case json.Number:
		return []any{v}
	case string:
		return readList(v)
	}
	return v
}

// readList takes "13,14" for a list of numbers.
func readList(s string) []any {
	list := []any{}
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, readInteger(item))
		}
	}
	return list
}

func tellFirst(b []byte, v any) []byte {
	list, ok := v.([]any)
	switch {
	case !ok:
		return appendPlain(b, v)
	case len(list) == 0:
		return b
	}
	return appendPlain(b, list[0])
}

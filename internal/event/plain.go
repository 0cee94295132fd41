package event

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// What separates the parts of a plain text. None of them is in what people type.
const (
	endOfMember = '\x1c'
	endOfItem   = '\x1d'
	endOfField  = '\x1e'
)

// appendPlain writes a value so that all schemas come to the same text: no difference between a number and its
// digits, 2.5 and 2.50; and none between null, false, and empty, as one schema has what the other leaves out.
func appendPlain(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return append(b, v...)
	case json.Number:
		return append(b, plainNumber(string(v))...)
	case bool:
		if v {
			b = append(b, "true"...)
		}
	case []any:
		for i, item := range v {
			if i > 0 {
				b = append(b, ',') // as version 1 writes a list
			}
			b = appendPlain(b, item)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			b = append(append(b, name...), '=')
			b = append(appendPlain(b, v[name]), endOfMember)
		}
	}
	return b
}

// plain is the value as text.
func plain(v any) string { return string(appendPlain(nil, v)) }

// plainNumber is a decimal without the zeros that say nothing. One with an exponent is left alone.
func plainNumber(s string) string {
	if !strings.Contains(s, ".") || strings.ContainsAny(s, "eE") {
		return s
	}
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}

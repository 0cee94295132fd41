package event

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// What separates the parts of a plain text. In a value they are written behind escape, so that no text is taken for
// another's parts.
const (
	endOfMember = '\x1c'
	endOfItem   = '\x1d'
	endOfField  = '\x1e'
	escape      = '\x1f'

	separators = "\x1c\x1d\x1e\x1f"
)

// appendPlain writes a value so that all schemas come to the same text: no difference between a number and its
// digits, 2.5 and 2.50; and none between null, false, and empty, as one schema has what the other leaves out.
func appendPlain(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendText(b, v)
	case json.Number:
		return append(b, plainNumber(string(v))...)
	case bool:
		if v {
			b = append(b, "true"...)
		}
	case []any:
		for _, item := range v {
			b = append(appendPlain(b, item), endOfItem)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			named := append(appendText(b, name), '=')
			if told := appendPlain(named, v[name]); len(told) > len(named) {
				b = append(told, endOfMember)
			}
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	for {
		i := strings.IndexAny(s, separators)
		if i < 0 {
			return append(b, s...)
		}
		b = append(append(b, s[:i]...), escape, s[i]|0x40)
		s = s[i+1:]
	}
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

package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// deepest is how many brackets may be open at once. Pipedrive's bodies have a handful; each costs stack.
const deepest = 200

// checkJSON sees to it that everything behind it may trust the body: a whole JSON object, not too deep.
func checkJSON(body []byte) error {
	switch begin := bytes.TrimLeft(body, " \t\r\n"); {
	case len(begin) == 0:
		return errors.New("expected a JSON object, got nothing")
	case tooDeep(begin):
		return fmt.Errorf("expected a JSON object, got one that nests more than %d levels", deepest)
	case !gjson.ValidBytes(begin):
		return fmt.Errorf("expected a JSON object, got %d bytes that are not JSON or end early", len(body))
	case begin[0] != '{':
		return fmt.Errorf("expected a JSON object, got %s", outline(gjson.ParseBytes(begin)))
	}
	return nil
}

// tooDeep counts open brackets, outside strings. Up to the first mistake in a body that is exact.
func tooDeep(body []byte) bool {
	if bytes.Count(body, []byte{'['})+bytes.Count(body, []byte{'{'}) <= deepest {
		return false
	}
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case quoted:
		case c == '[' || c == '{':
			if depth++; depth > deepest {
				return true
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return false
}

// outline says what a value is and, of an object, some names of its keys; nothing of what it holds.
func outline(v gjson.Result) string {
	switch {
	case v.IsArray():
		return "an array"
	case v.IsBool():
		return "a boolean"
	case !v.IsObject():
		return "a " + strings.ToLower(v.Type.String()) // number, string or null
	}
	const most = 8
	var names []string
	more := 0
	v.ForEach(func(key, _ gjson.Result) bool {
		if len(names) < most {
			names = append(names, plainKey(key.Str))
		} else {
			more++
		}
		return true
	})
	switch {
	case len(names) == 0:
		return "an object without keys"
	case more > 0:
		return fmt.Sprintf("an object of %s and %d more", strings.Join(names, ", "), more)
	}
	return "an object of " + strings.Join(names, ", ")
}

// plainKey is a key that looks like a field's name; any other may be anything.
func plainKey(key string) string {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_'
	}
	if key == "" || len(key) > 24 || strings.IndexFunc(key, odd) >= 0 {
		return "?"
	}
	return key
}

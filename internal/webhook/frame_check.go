package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/scan"
)

// refusal says what a body is that the scanner did not take for a JSON object.
func (p *parts) refusal(err error) error {
	begin := bytes.TrimLeft(p.Text, " \t\r\n")
	if len(begin) == 0 {
		return errors.New("expected a JSON object, got nothing")
	}
	if begin[0] != '{' {
		err = (&scan.Scanner{Text: p.Text, Deepest: deepest}).Any()
	}
	switch {
	case err == nil:
		return fmt.Errorf("expected a JSON object, got %s", outline(p.whole))
	case errors.Is(err, scan.ErrDeep):
		return fmt.Errorf("expected a JSON object, got one that nests more than %d levels", deepest)
	}
	return fmt.Errorf("expected a JSON object, got %d bytes that are not JSON or end early", len(p.Text))
}

// outline says what a value is and, of an object, some names of its keys; nothing of what it holds.
func outline(of value) string {
	v := gjson.Parse(string(of))
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

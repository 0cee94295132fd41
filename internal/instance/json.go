package instance

import (
	"bytes"
	"encoding/json"
	"strings"
)

type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	list
	object
)

// value is one JSON value and where it begins.
type value struct {
	at      int // offset in its text
	kind    kind
	scalar  string // of a text what it says, of a number or boolean its literal
	items   []value
	members []member // in the order of the file, each key once
}

type member struct {
	key   string
	at    int // of the key
	value value
}

// says is what a value is, for a message: never what it holds.
func (v *value) says() string {
	switch v.kind {
	case null:
		return "is null"
	case boolean:
		return "is true or false"
	case number:
		return "is a number"
	case list:
		return "is a list"
	case object:
		return "is an object"
	}
	return "is a text"
}

// parse reads the text of f. Without a value there is a problem in f.
func parse(f *findings) *value {
	if !wellEncoded(f) {
		return nil
	}
	var raw json.RawMessage
	if err := json.Unmarshal(f.text, &raw); err != nil {
		nameMistakes(f, err)
		return nil
	}
	// From here on it is well-formed, and no deeper than encoding/json allows: no token can fail.
	r := treeReader{f: f, tokens: json.NewDecoder(bytes.NewReader(f.text))}
	r.tokens.UseNumber()
	v := r.value()
	return &v
}

type treeReader struct {
	f      *findings
	tokens *json.Decoder
}

// next returns a token and where it begins.
func (r *treeReader) next() (json.Token, int) {
	at := int(r.tokens.InputOffset())
	for at < len(r.f.text) && strings.IndexByte(" \t\r\n,:", r.f.text[at]) >= 0 {
		at++
	}
	token, _ := r.tokens.Token()
	return token, at
}

func (r *treeReader) value() value {
	token, at := r.next()
	v := value{at: at}
	switch token := token.(type) {
	case bool:
		v.kind, v.scalar = boolean, "false"
		if token {
			v.scalar = "true"
		}
	case json.Number:
		v.kind, v.scalar = number, token.String()
	case string:
		v.kind, v.scalar = text, token
	case json.Delim:
		if token == '[' {
			v.kind = list
			for r.tokens.More() {
				v.items = append(v.items, r.value())
			}
		} else {
			v.kind, v.members = object, r.members()
		}
		r.next()
	}
	return v
}

// members takes the last of a key that stands twice, as Cloud Elements did.
func (r *treeReader) members() []member {
	var members []member
	place := map[string]int{}
	for r.tokens.More() {
		token, at := r.next()
		m := member{at: at, value: r.value()}
		m.key, _ = token.(string)
		i, twice := place[m.key]
		if !twice {
			place[m.key] = len(members)
			members = append(members, m)
			continue
		}
		r.f.warn(at, m.key, "stands here for the second time; this one counts")
		members[i] = m
	}
	return members
}

package scan

import (
	"encoding/json"
	"strings"
	"sync"
	"unicode/utf8"
	"unsafe"
)

// Decode reads a whole text into what encoding/json makes of it with UseNumber: map[string]any, []any, string,
// json.Number, bool and nil. It takes less than half the time: texts and numbers are pieces of one copy of the text, and a
// map is made when the number of its members is known.
func Decode(text []byte) (any, error) {
	d := decoders.Get().(*decoder)
	defer d.rest()
	d.text = string(text)
	d.plain = utf8.ValidString(d.text) && strings.IndexByte(d.text, '\\') < 0
	d.Scanner = Scanner{Text: unsafe.Slice(unsafe.StringData(d.text), len(d.text))}
	d.end(d.element(d.begin(), 0))
	if d.bad != nil {
		return nil, d.bad
	}
	return d.values[0], nil
}

var decoders = sync.Pool{New: func() any { return &decoder{} }}

// decoder keeps the members and elements that it has read on two stacks until their object or list ends.
type decoder struct {
	Scanner
	text  string // shares the memory of Text
	plain bool   // no string of the text needs more than to be cut out

	keys   []string
	values []any
}

// rest lets go of what was read.
func (d *decoder) rest() {
	const ordinary = 1024
	if cap(d.values) <= ordinary {
		clear(d.keys[:cap(d.keys)])
		clear(d.values[:cap(d.values)])
		*d = decoder{keys: d.keys[:0], values: d.values[:0]}
		decoders.Put(d)
	}
}

func (d *decoder) member(key []byte, i, depth int) int {
	if i = d.element(i, depth); i >= 0 {
		d.keys = append(d.keys, d.unquoted(unsafe.String(unsafe.SliceData(key), len(key))))
	}
	return i
}

// element puts the value at i on the stack.
func (d *decoder) element(i, depth int) int {
	if i >= len(d.Text) {
		return d.Value(i, depth)
	}
	var v any
	keys, values := len(d.keys), len(d.values)
	end := -1
	switch d.Text[i] {
	case '{':
		if end = d.Object(i, depth, d.member); end < 0 {
			return -1
		}
		object := make(map[string]any, len(d.values)-values)
		for n, member := range d.values[values:] {
			object[d.keys[keys+n]] = member
		}
		v = object
	case '[':
		if end = d.Array(i, depth, d.element); end < 0 {
			return -1
		}
		v = append(make([]any, 0, len(d.values)-values), d.values[values:]...)
	default:
		if end = d.Value(i, depth); end < 0 {
			return -1
		}
		v = d.scalar(i, end)
	}
	d.keys, d.values = d.keys[:keys], append(d.values[:values], v)
	return end
}

func (d *decoder) scalar(i, end int) any {
	switch d.text[i] {
	case '"':
		return d.unquoted(d.text[i+1 : end-1])
	case 't':
		return true
	case 'f':
		return false
	case 'n':
		return nil
	}
	return json.Number(d.text[i:end])
}

// unquoted is the meaning of what stands between quotes.
func (d *decoder) unquoted(s string) string {
	if d.plain || strings.IndexByte(s, '\\') < 0 && utf8.ValidString(s) {
		return s
	}
	var meaning string
	if err := json.Unmarshal([]byte(`"`+s+`"`), &meaning); err != nil {
		d.bad = err
	}
	return meaning
}

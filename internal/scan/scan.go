// Package scan walks JSON text once: it checks the grammar of RFC 8259 and tells where each value ends, so that records
// can be cut out of a page, and a few fields read from a webhook, without decoding the rest; or decodes all of it.
//
// It is here because checking a text, finding something in it and reading that are three passes with the libraries that
// do each: twice the time for the largest part of what reading a page costs (docs/benchmarks.md).
package scan

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// deepest is far beyond records, which are some five deep.
const deepest = 1000

// ErrDeep is why a text is refused that nests too deep.
var ErrDeep = errors.New("nested too deep")

// Scanner walks one text. Its methods get the offset at which something begins and return the one at which it ends, up to
// len(Text); -1 means that the text is refused, and everybody hands that on.
type Scanner struct {
	Text    []byte
	Deepest int // how many objects and lists may be open at once, each of which costs stack; 0: 1000

	bad error
}

// Fail refuses the text; the first reason stays.
func (s *Scanner) Fail(at int, what string) int { return s.refuse(at, errors.New(what)) }

func (s *Scanner) refuse(at int, why error) int {
	if s.bad == nil {
		s.bad = fmt.Errorf("%w at byte %d", why, at)
	}
	return -1
}

// space skips white space. It may return len(s.Text), like every offset below.
func (s *Scanner) space(i int) int {
	for i < len(s.Text) && s.Text[i] <= ' ' && (s.Text[i] == ' ' || s.Text[i] == '\n' || s.Text[i] == '\r' || s.Text[i] == '\t') {
		i++
	}
	return i
}

// Value skips the value that begins at i.
func (s *Scanner) Value(i, depth int) int {
	if i >= len(s.Text) {
		return s.Fail(i, "the text ends")
	}
	switch s.Text[i] {
	case '"':
		return s.text(i)
	case '{':
		return s.Object(i, depth, nil)
	case '[':
		return s.Array(i, depth, nil)
	case 't':
		return s.Word(i, "true")
	case 'f':
		return s.Word(i, "false")
	case 'n':
		return s.Word(i, "null")
	}
	return s.number(i)
}

// Object skips the object at i. A member function gets each key without its quotes and the offset of its value, and
// returns where the value ends; nil skips the values.
func (s *Scanner) Object(i, depth int, member func(key []byte, i, depth int) int) int {
	if depth++; depth > s.Deepest {
		return s.refuse(i, ErrDeep)
	}
	if i = s.space(i + 1); i < len(s.Text) && s.Text[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(s.Text) || s.Text[i] != '"' {
			return s.Fail(i, "want a key")
		}
		from := i + 1
		if i = s.text(i); i < 0 {
			return -1
		}
		key := s.Text[from : i-1]
		if i = s.space(i); i >= len(s.Text) || s.Text[i] != ':' {
			return s.Fail(i, "want a colon")
		}
		if i = s.space(i + 1); member != nil {
			i = member(key, i, depth)
		} else {
			i = s.Value(i, depth)
		}
		if i < 0 {
			return -1
		}
		if i = s.space(i); i >= len(s.Text) {
			return s.Fail(i, "the text ends")
		}
		switch s.Text[i] {
		case ',':
			i = s.space(i + 1)
		case '}':
			return i + 1
		default:
			return s.Fail(i, "want a comma or }")
		}
	}
}

// Array skips the array at i. An element function gets the offset of each element and returns where it ends; nil
// skips them.
func (s *Scanner) Array(i, depth int, element func(i, depth int) int) int {
	if depth++; depth > s.Deepest {
		return s.refuse(i, ErrDeep)
	}
	if i = s.space(i + 1); i < len(s.Text) && s.Text[i] == ']' {
		return i + 1
	}
	for {
		if element != nil {
			i = element(i, depth)
		} else {
			i = s.Value(i, depth)
		}
		if i < 0 {
			return -1
		}
		if i = s.space(i); i >= len(s.Text) {
			return s.Fail(i, "the text ends")
		}
		switch s.Text[i] {
		case ',':
			i = s.space(i + 1)
		case ']':
			return i + 1
		default:
			return s.Fail(i, "want a comma or ]")
		}
	}
}

// Each byte of a word of eight.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// special marks the bytes that end a run of plain ones: quotes, backslashes and control characters. The lowest mark is
// exact; those above it may be of plain bytes.
func special(eight uint64) uint64 {
	quote, backslash := eight^'"'*ones, eight^'\\'*ones
	return ((quote-ones)&^quote | (backslash-ones)&^backslash | (eight-' '*ones)&^eight) & highs
}

// plain skips the bytes of a string that need no second look, eight at a time as long as there are so many.
func (s *Scanner) plain(i int) int {
	b := s.Text
	for ; i+8 <= len(b); i += 8 {
		if marks := special(binary.LittleEndian.Uint64(b[i:])); marks != 0 {
			return i + bits.TrailingZeros64(marks)/8
		}
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// text skips the string at i.
func (s *Scanner) text(i int) int {
	b := s.Text
	for i++; ; i++ {
		i = s.plain(i)
		switch {
		case i >= len(b):
			return s.Fail(i, "the text ends inside a string")
		case b[i] == '"':
			return i + 1
		case b[i] < ' ':
			return s.Fail(i, "a control character in a string")
		}
		if i = s.escape(i + 1); i < 0 {
			return -1
		}
	}
}

// escape returns the offset of the last byte of the escape sequence whose first byte after the \ is at i.
func (s *Scanner) escape(i int) int {
	if i >= len(s.Text) {
		return s.Fail(i, "the text ends inside a string")
	}
	switch s.Text[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i
	case 'u':
		for n := 1; n <= 4; n++ {
			if i+n >= len(s.Text) || !isHex(s.Text[i+n]) {
				return s.Fail(i, "want four hex digits")
			}
		}
		return i + 4
	}
	return s.Fail(i, "an unknown escape")
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func (s *Scanner) Word(i int, want string) int {
	if end := i + len(want); end <= len(s.Text) && string(s.Text[i:end]) == want {
		return end
	}
	return s.Fail(i, "want "+want)
}

func (s *Scanner) digits(i int) int {
	for i < len(s.Text) && s.Text[i] >= '0' && s.Text[i] <= '9' {
		i++
	}
	return i
}

// number skips the number at i; whatever begins no other value comes here too.
func (s *Scanner) number(i int) int {
	from := i
	if s.Text[i] == '-' {
		i++
	}
	end := s.digits(i)
	if end == i || s.Text[i] == '0' && end > i+1 {
		return s.Fail(from, "want a value")
	}
	if i = end; i < len(s.Text) && s.Text[i] == '.' {
		if end = s.digits(i + 1); end == i+1 {
			return s.Fail(end, "want a digit")
		}
		i = end
	}
	if i < len(s.Text) && (s.Text[i] == 'e' || s.Text[i] == 'E') {
		if i++; i < len(s.Text) && (s.Text[i] == '+' || s.Text[i] == '-') {
			i++
		}
		if end = s.digits(i); end == i {
			return s.Fail(end, "want a digit")
		}
		i = end
	}
	return i
}

// Document walks a whole text, whose top must be an object.
func (s *Scanner) Document(member func(key []byte, i, depth int) int) error {
	i := s.begin()
	switch {
	case i >= len(s.Text):
		s.Fail(i, "nothing but space")
	case s.Text[i] != '{':
		s.Fail(i, "want an object")
	default:
		s.end(s.Object(i, 0, member))
	}
	return s.bad
}

// Any walks a whole text, whose top may be any value.
func (s *Scanner) Any() error {
	s.end(s.Value(s.begin(), 0))
	return s.bad
}

func (s *Scanner) begin() int {
	s.Deepest = cmp.Or(s.Deepest, deepest)
	return s.space(0)
}

func (s *Scanner) end(i int) {
	if i < 0 {
		return
	}
	if i = s.space(i); i < len(s.Text) {
		s.Fail(i, "text after the end")
	}
}

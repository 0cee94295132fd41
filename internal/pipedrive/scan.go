package pipedrive

import "fmt"

// maxDepth bounds the recursion of a scanner. Records are some five deep.
const maxDepth = 1000

// scanner walks JSON text once: it checks the grammar of RFC 8259 and tells where each value ends, so that records
// can be cut out of a page without decoding it. Offsets go in and come out; -1 means that bad is set.
//
// It is here because checking a page, finding its records and reading their few fields are three passes with the
// libraries that do each: twice the time for the largest part of what reading a page costs (docs/benchmarks.md).
type scanner struct {
	b   []byte
	bad error
}

func (s *scanner) fail(at int, what string) int {
	if s.bad == nil {
		s.bad = fmt.Errorf("%s at byte %d", what, at)
	}
	return -1
}

// space skips white space. It may return len(s.b), like every offset below.
func (s *scanner) space(i int) int {
	for i < len(s.b) && s.b[i] <= ' ' && (s.b[i] == ' ' || s.b[i] == '\n' || s.b[i] == '\r' || s.b[i] == '\t') {
		i++
	}
	return i
}

// value skips the value that begins at i.
func (s *scanner) value(i, depth int) int {
	if i >= len(s.b) {
		return s.fail(i, "the text ends")
	}
	switch s.b[i] {
	case '"':
		return s.text(i)
	case '{':
		return s.object(i, depth, nil)
	case '[':
		return s.array(i, depth, nil)
	case 't':
		return s.word(i, "true")
	case 'f':
		return s.word(i, "false")
	case 'n':
		return s.word(i, "null")
	}
	return s.number(i)
}

// object skips the object at i. A member function gets each key without its quotes and the offset of its value, and
// returns where the value ends; nil skips the values.
func (s *scanner) object(i, depth int, member func(key []byte, i, depth int) int) int {
	if depth++; depth > maxDepth {
		return s.fail(i, "nested too deep")
	}
	if i = s.space(i + 1); i < len(s.b) && s.b[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(s.b) || s.b[i] != '"' {
			return s.fail(i, "want a key")
		}
		from := i + 1
		if i = s.text(i); i < 0 {
			return -1
		}
		key := s.b[from : i-1]
		if i = s.space(i); i >= len(s.b) || s.b[i] != ':' {
			return s.fail(i, "want a colon")
		}
		if i = s.space(i + 1); member != nil {
			i = member(key, i, depth)
		} else {
			i = s.value(i, depth)
		}
		if i < 0 {
			return -1
		}
		if i = s.space(i); i >= len(s.b) {
			return s.fail(i, "the text ends")
		}
		switch s.b[i] {
		case ',':
			i = s.space(i + 1)
		case '}':
			return i + 1
		default:
			return s.fail(i, "want a comma or }")
		}
	}
}

// array skips the array at i. An element function gets the offset of each element and returns where it ends; nil
// skips them.
func (s *scanner) array(i, depth int, element func(i, depth int) int) int {
	if depth++; depth > maxDepth {
		return s.fail(i, "nested too deep")
	}
	if i = s.space(i + 1); i < len(s.b) && s.b[i] == ']' {
		return i + 1
	}
	for {
		if element != nil {
			i = element(i, depth)
		} else {
			i = s.value(i, depth)
		}
		if i < 0 {
			return -1
		}
		if i = s.space(i); i >= len(s.b) {
			return s.fail(i, "the text ends")
		}
		switch s.b[i] {
		case ',':
			i = s.space(i + 1)
		case ']':
			return i + 1
		default:
			return s.fail(i, "want a comma or ]")
		}
	}
}

// plain are the bytes of a string that need no second look.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return t
}()

// text skips the string at i.
func (s *scanner) text(i int) int {
	b := s.b
	for i++; ; i++ {
		for i < len(b) && plain[b[i]] {
			i++
		}
		switch {
		case i >= len(b):
			return s.fail(i, "the text ends inside a string")
		case b[i] == '"':
			return i + 1
		case b[i] < ' ':
			return s.fail(i, "a control character in a string")
		}
		if i = s.escape(i + 1); i < 0 {
			return -1
		}
	}
}

// escape returns the offset of the last byte of the escape sequence whose first byte after the \ is at i.
func (s *scanner) escape(i int) int {
	if i >= len(s.b) {
		return s.fail(i, "the text ends inside a string")
	}
	switch s.b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i
	case 'u':
		for n := 1; n <= 4; n++ {
			if i+n >= len(s.b) || !isHex(s.b[i+n]) {
				return s.fail(i, "want four hex digits")
			}
		}
		return i + 4
	}
	return s.fail(i, "an unknown escape")
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func (s *scanner) word(i int, want string) int {
	if end := i + len(want); end <= len(s.b) && string(s.b[i:end]) == want {
		return end
	}
	return s.fail(i, "want "+want)
}

func (s *scanner) digits(i int) int {
	for i < len(s.b) && s.b[i] >= '0' && s.b[i] <= '9' {
		i++
	}
	return i
}

// number skips the number at i; whatever begins no other value comes here too.
func (s *scanner) number(i int) int {
	from := i
	if s.b[i] == '-' {
		i++
	}
	end := s.digits(i)
	if end == i || s.b[i] == '0' && end > i+1 {
		return s.fail(from, "want a value")
	}
	if i = end; i < len(s.b) && s.b[i] == '.' {
		if end = s.digits(i + 1); end == i+1 {
			return s.fail(end, "want a digit")
		}
		i = end
	}
	if i < len(s.b) && (s.b[i] == 'e' || s.b[i] == 'E') {
		if i++; i < len(s.b) && (s.b[i] == '+' || s.b[i] == '-') {
			i++
		}
		if end = s.digits(i); end == i {
			return s.fail(end, "want a digit")
		}
		i = end
	}
	return i
}

// document walks one whole text, whose top must be an object.
func (s *scanner) document(member func(key []byte, i, depth int) int) error {
	i := s.space(0)
	switch {
	case i >= len(s.b):
		s.fail(i, "nothing but space")
	case s.b[i] != '{':
		s.fail(i, "want an object")
	default:
		if i = s.object(i, 0, member); i >= 0 {
			if i = s.space(i); i < len(s.b) {
				s.fail(i, "text after the end")
			}
		}
	}
	return s.bad
}

// sound refuses what is not one whole JSON object, as every answer of Pipedrive is.
func sound(body []byte) error { return (&scanner{b: body}).document(nil) }

package instance

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// settings is an object of the instance that is being read. What nobody asks for is unknown.
type settings struct {
	*findings
	path    string // of the object, for messages; empty: its keys are known by themselves
	members []member
	asked   map[string]bool
}

func newSettings(f *findings, path string, v *value) *settings {
	s := &settings{findings: f, path: path, asked: map[string]bool{}}
	for _, m := range v.members {
		m.key = strings.TrimSpace(m.key)
		s.members = append(s.members, m)
	}
	return s
}

// name is how a key is called in messages.
func (s *settings) name(key string) string {
	if s.path == "" {
		return key
	}
	return s.path + "." + key
}

// find returns nil when a key is absent, which null and the empty text are as well.
func (s *settings) find(key string) *value {
	s.asked[key] = true
	for i := range s.members {
		if v := &s.members[i].value; s.members[i].key == key {
			if v.kind == null || v.kind == text && strings.TrimSpace(v.scalar) == "" {
				return nil
			}
			return v
		}
	}
	return nil
}

// at is where a key's value is, for a message; -1 when there is none.
func (s *settings) at(key string) int {
	for _, m := range s.members {
		if m.key == key {
			return m.value.at
		}
	}
	return -1
}

// text returns what a key says, whether it is written as a text or not: true and "true" are one, as are 15 and "15".
func (s *settings) text(key string) (string, bool) {
	v := s.find(key)
	switch {
	case v == nil:
		return "", false
	case v.kind == list || v.kind == object:
		s.problem(v.at, s.name(key), "%s and must be a text", v.says())
		return "", false
	case isPlaceholder(v.scalar):
		s.warn(v.at, s.name(key), "is still a placeholder in angle brackets; it is taken as not set")
		return "", false
	}
	return strings.TrimSpace(v.scalar), true
}

var placeholder = regexp.MustCompile(`^\s*<[^<>]*>\s*$`)

func isPlaceholder(text string) bool { return placeholder.MatchString(text) }

// required is text, and a problem when there is none: what to do then is the remedy.
func (s *settings) required(key, remedy string) (string, bool) {
	v := s.find(key)
	switch {
	case v == nil:
		s.problem(s.at(key), s.name(key), "is missing; %s", remedy)
		return "", false
	case isPlaceholder(v.scalar):
		s.problem(v.at, s.name(key), "is still a placeholder in angle brackets; %s", remedy)
		return "", false
	}
	return s.text(key)
}

// count reads a whole number that is not negative; -1 when there is none.
func (s *settings) count(key string) int {
	said, ok := s.text(key)
	if !ok {
		return -1
	}
	n, err := strconv.ParseUint(said, 10, 31)
	if err != nil {
		s.problem(s.at(key), s.name(key), "%s is not a whole number of 0 or more", quoted(said))
		return -1
	}
	return int(n)
}

// seconds reads a duration; nil when there is none.
func (s *settings) seconds(key string) *time.Duration {
	n := s.count(key)
	if n < 0 {
		return nil
	}
	d := time.Duration(n) * time.Second
	return &d
}

// end notes the keys that hold something and that nobody asked for.
func (s *settings) end() {
	for _, m := range s.members {
		if !s.asked[m.key] && m.value.kind != null {
			s.unknown = append(s.unknown, s.name(m.key))
		}
	}
}

// ignore is for keys that are known and change nothing.
func (s *settings) ignore(keys ...string) {
	for _, key := range keys {
		s.asked[key] = true
	}
}

// quoted is a harmless form of what a user wrote, for a message.
func quoted(said string) string { return `"` + printable(said) + `"` }

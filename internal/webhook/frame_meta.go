package webhook

import (
	"fmt"
	"strings"
)

// meta is the member of that name of either version, whose ids come as numbers or as strings.
type meta struct {
	raw value

	version        string
	action         string
	entity, object string // of version 2.0, of 1.0
	entityID, id   string // of version 2.0 the record and the event, of 1.0 id is the record
	company, user  string
	webhook, host  string
	source         string
	correlation    string
	attempt        int
	bulk           bool

	timestamp, micro value
}

func (m *meta) set(key []byte, v value) {
	switch string(key) {
	case "version":
		if m.version = string(v); v.isText() {
			m.version = v.text()
		}
	case "action":
		m.action = v.word()
	case "entity":
		m.entity = v.word()
	case "object":
		m.object = v.word()
	case "entity_id":
		m.entityID = v.word()
	case "id":
		m.id = v.word()
	case "company_id":
		m.company = v.word()
	case "user_id":
		m.user = v.word()
	case "webhook_id":
		m.webhook = v.word()
	case "host":
		m.host = v.word()
	case "change_source":
		m.source = v.word()
	case "correlation_id":
		m.correlation = v.word()
	case "attempt":
		m.attempt = v.count(1)
	case "is_bulk_edit", "is_bulk_update":
		m.bulk = v.isTrue()
	case "timestamp":
		m.timestamp = v
	case "timestamp_micro":
		m.micro = v
	}
}

// needed is a member of meta that a frame cannot do without.
type needed struct{ key, word string }

func (m *meta) need(words ...needed) error {
	for _, w := range words {
		if w.word == "" {
			return fmt.Errorf("expected meta.%s, a number or a string of at most %d printable bytes, got none in meta, %s",
				w.key, longestText, outline(m.raw))
		}
	}
	return nil
}

// snake is a name such as activityType, deal-product or Deal Product in snake_case.
func snake(name string) string {
	if strings.IndexFunc(name, func(r rune) bool { return 'A' <= r && r <= 'Z' || r == '-' || r == ' ' }) < 0 {
		return name
	}
	b := make([]byte, 0, len(name)+4)
	for i := range len(name) {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			if i > 0 && ('a' <= name[i-1] && name[i-1] <= 'z' || '0' <= name[i-1] && name[i-1] <= '9') {
				b = append(b, '_')
			}
			c += 'a' - 'A'
		case c == '-' || c == ' ':
			c = '_'
		}
		b = append(b, c)
	}
	return string(b)
}

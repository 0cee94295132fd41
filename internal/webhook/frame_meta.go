package webhook

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// longestText is the most bytes of an id or a name. Pipedrive's have 40 at most; what is longer counts as absent, so
// that nobody fills the memory with keys.
const longestText = 256

// meta is the member of that name of either version, whose ids come as numbers or as strings.
type meta struct {
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

	timestamp, micro gjson.Result

	raw gjson.Result
}

func readMeta(raw gjson.Result) meta {
	m := meta{raw: raw, attempt: 1}
	raw.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "version":
			m.version = value.Str
			if value.Type == gjson.Number {
				m.version = value.Raw
			}
		case "action":
			m.action = text(value)
		case "entity":
			m.entity = text(value)
		case "object":
			m.object = text(value)
		case "entity_id":
			m.entityID = text(value)
		case "id":
			m.id = text(value)
		case "company_id":
			m.company = text(value)
		case "user_id":
			m.user = text(value)
		case "webhook_id":
			m.webhook = text(value)
		case "host":
			m.host = text(value)
		case "change_source":
			m.source = text(value)
		case "correlation_id":
			m.correlation = text(value)
		case "attempt":
			m.attempt = count(value, 1)
		case "is_bulk_edit", "is_bulk_update":
			m.bulk = value.Bool()
		case "timestamp":
			m.timestamp = value
		case "timestamp_micro":
			m.micro = value
		}
		return true
	})
	return m
}

// word is a member of meta that a frame cannot do without.
type word struct{ key, text string }

func (m *meta) need(words ...word) error {
	for _, w := range words {
		if w.text == "" {
			return fmt.Errorf("expected meta.%s, a number or a string of at most %d printable bytes, got none in meta, %s",
				w.key, longestText, outline(m.raw))
		}
	}
	return nil
}

// text is a value that is fit to be an id or a name: a string of one line, or an integer digit by digit, beyond 2^53
// too. It is empty for everything else.
func text(v gjson.Result) string {
	switch {
	case v.Type == gjson.String && len(v.Str) <= longestText && isPrintable(v.Str):
		return v.Str
	case v.Type == gjson.Number && len(v.Raw) <= longestText && isInteger(v.Raw):
		return v.Raw
	}
	return ""
}

func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
		}
	}
	return true
}

func isInteger(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return digits != ""
}

// count is a small number of at least so much; what is none, or beyond all sense, counts as the least.
func count(v gjson.Result, least int) int {
	const sense = 1 << 20
	if n := v.Int(); n >= int64(least) && n < sense {
		return int(n)
	}
	return least
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

// fingerprint stands in where an event has no name of its own. Attempts differ in their number alone, not in the record.
func (p *parts) fingerprint() string {
	h := sha256.New()
	w := bufio.NewWriter(h) // in pieces: the record may have megabytes. A hash makes no errors
	_, _ = w.WriteString(p.record.Raw)
	_ = w.WriteByte('\n')
	_, _ = w.WriteString(p.previous.Raw)
	_ = w.Flush()
	return hex.EncodeToString(h.Sum(nil)[:16])
}

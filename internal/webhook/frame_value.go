package webhook

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// longestText is the most bytes of an id or a name. Pipedrive's have 40 at most; what is longer counts as absent, so
// that nobody fills the memory with keys.
const longestText = 256

// value is one of a body, as it stands there, without white space around it; empty: there is none.
type value string

func (v value) isObject() bool { return v != "" && v[0] == '{' }
func (v value) isText() bool   { return v != "" && v[0] == '"' }

// text is what a short string says; empty for everything else.
func (v value) text() string {
	const longestEscaped = longestText*len(`\u0000`) + len(`""`)
	switch {
	case !v.isText() || len(v) > longestEscaped:
		return ""
	case strings.IndexByte(string(v), '\\') < 0:
		return string(v[1 : len(v)-1])
	}
	return gjson.Parse(string(v)).Str
}

// word is a value that is fit to be an id or a name: a string of one line, or an integer digit by digit, beyond 2^53
// too. It is empty for everything else.
func (v value) word() string {
	if v.isText() {
		if s := v.text(); len(s) <= longestText && isPrintable(s) {
			return s
		}
		return ""
	}
	if len(v) <= longestText && isInteger(string(v)) {
		return string(v)
	}
	return ""
}

// integer is a whole number, possibly in a string; 0 for everything else.
func (v value) integer() int64 {
	digits := string(v)
	if v.isText() {
		digits = v.text()
	}
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return n
	}
	return gjson.Parse(string(v)).Int()
}

// count is a small number of at least so much; what is none, or beyond all sense, counts as the least.
func (v value) count(least int) int {
	const sense = 1 << 20
	if n := v.integer(); n >= int64(least) && n < sense {
		return int(n)
	}
	return least
}

func (v value) isTrue() bool { return v == "true" || v != "false" && gjson.Parse(string(v)).Bool() }

// member is a member of an object; empty: there is none.
func (v value) member(name string) value { return value(gjson.Get(string(v), name).Raw) }

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

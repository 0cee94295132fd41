package callback

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

const (
	// shortestSecret keeps a "1" in a query from being taken out of every number.
	shortestSecret = 4
	// shortestToken is that of a step of a path with digits in it that is taken for a token.
	shortestToken = 8
	// mostShown is how many characters of a foreign text are shown.
	mostShown = 200
)

// veil hides secrets in texts that come from outside: receivers like to repeat what they were sent.
type veil []string

// secretsOf finds what is secret in the URL and the credentials: the query as a whole and value by value, and as some
// receivers know us by a token in the path, that as a whole and those of its steps that may be one.
func secretsOf(u *url.URL, password, basic string) veil {
	v := veil{u.RawQuery, password, basic, strings.TrimPrefix(basic, "Basic "), u.Path, u.EscapedPath()}
	for step := range strings.SplitSeq(u.Path, "/") {
		if len(step) >= shortestToken && strings.ContainsAny(step, "0123456789") {
			v = append(v, step, url.PathEscape(step))
		}
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		_, value, _ := strings.Cut(pair, "=")
		v = append(v, value)
		if decoded, err := url.QueryUnescape(value); err == nil {
			v = append(v, decoded)
		}
	}
	return v
}

// over returns what may be shown of a text that came from outside, on one line and short. What stands in a message's
// own headers is hidden as well: some carry a token.
func (v veil) over(own http.Header, text string) string {
	hidden := slices.Clone(v)
	for _, values := range own {
		for _, value := range values {
			_, credential, _ := strings.Cut(value, " ") // as in "Bearer …"
			hidden = append(hidden, value, credential)
		}
	}
	hidden = slices.DeleteFunc(hidden, func(s string) bool { return len(s) < shortestSecret })
	for _, secret := range slices.Clone(hidden) {
		inJSON, _ := json.Marshal(secret)
		hidden = append(hidden, url.QueryEscape(secret), string(bytes.Trim(inJSON, `"`)))
	}
	// The longer first: one may begin with another.
	slices.SortFunc(hidden, func(a, b string) int { return len(b) - len(a) })
	for _, secret := range hidden {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return short(clean(text))
}

func short(text string) string {
	if shown := []rune(text); len(shown) > mostShown {
		return string(shown[:mostShown]) + "…"
	}
	return text
}

// clean puts a text on one line.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// excerptOf is what an answer says in a few words.
func excerptOf(h http.Header, head []byte) string {
	head = bytes.TrimSpace(head)
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	if kind == "text/html" || bytes.HasPrefix(head, []byte("<")) {
		return "an HTML page"
	}
	return string(head)
}

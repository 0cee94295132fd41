package instance

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

const (
	keyCallbackURL     = "event.notification.callback.url"
	keyCallbackHeaders = "event.notification.callback.headers"
	keySignature       = "event.notification.signature.key"
	keyBasicUsername   = "event.notification.basic.username"
	keyBasicPassword   = "event.notification.basic.password"
)

func readCallback(conf *settings) (c Callback) {
	const remedy = "set it to the URL of your app that takes the events, like https://app.example.com/events"
	if said, ok := conf.required(keyCallbackURL, remedy); ok {
		if u, wrong := callbackURL(said); wrong != "" {
			// What came is not repeated: it may hold a secret all the same.
			conf.problem(conf.at(keyCallbackURL), keyCallbackURL, "%s; %s", wrong, remedy)
		} else if !holdsSecret(u) {
			c.URL = u.String()
		} else if u.User != nil && conf.find(keyBasicUsername) != nil {
			conf.problem(conf.at(keyCallbackURL), keyCallbackURL, "holds credentials, and so does %s; take one of them out", keyBasicUsername)
		}
	}
	_, c.Signed = conf.text(keySignature)
	username, basic := conf.text(keyBasicUsername)
	if c.Basic = basic; strings.Contains(username, ":") {
		conf.problem(conf.at(keyBasicUsername), keyBasicUsername, "has a colon in it, which HTTP Basic has between user name and password; put what is behind it into %s", keyBasicPassword)
	}
	if _, said := conf.text(keyBasicPassword); said && !c.Basic {
		// An answer masks the password even where there is none.
		if masked := strings.Trim(conf.find(keyBasicPassword).scalar, "*") == ""; !masked {
			conf.warn(conf.at(keyBasicPassword), keyBasicPassword, "stands without %s; neither is carried over", keyBasicUsername)
		}
	}
	c.Headers = readHeaders(conf)
	return c
}

// callbackURL reads a URL that can be posted to, or says what is wrong with it.
func callbackURL(said string) (*url.URL, string) {
	if strings.ContainsFunc(said, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return nil, "has a space or a line break in it"
	}
	if strings.ContainsAny(said, "{}") {
		return nil, "has a { or } in it, which the pipeline would take for a variable"
	}
	u, err := url.Parse(said)
	switch {
	case err != nil:
		return nil, "is not a URL"
	case !strings.EqualFold(u.Scheme, "http") && !strings.EqualFold(u.Scheme, "https"):
		return nil, "does not begin with https:// or http://"
	case u.Hostname() == "":
		return nil, "has no host"
	case !goodPort(u.Port()):
		return nil, "has a port that there is not, they go from 1 to 65535"
	}
	u.Fragment, u.RawFragment = "", "" // never sent
	return u, ""
}

// goodPort takes what stands behind the colon; empty: that of the scheme.
func goodPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// tokenLike is a step of a path that nobody can remember: whoever knows it can post to it.
var tokenLike = regexp.MustCompile(`^[0-9A-Za-z_=~.-]{16,}$`)

// holdsSecret says whether a URL may let in whoever knows it: it has a user, a query, or a step with digits that is
// long enough for a token.
func holdsSecret(u *url.URL) bool {
	return u.User != nil || u.RawQuery != "" || slices.ContainsFunc(strings.Split(u.Path, "/"), func(step string) bool {
		return tokenLike.MatchString(step) && strings.ContainsAny(step, "0123456789")
	})
}

// openly are the headers whose values are no secrets. Of any other nobody can tell.
var openly = []string{"Accept", "Accept-Language", "Cache-Control", "Content-Type", "User-Agent"}

// notTheirs are the headers that frame a request or sign it.
var notTheirs = []string{
	"Connection", "Content-Length", "Host", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	"Elements-Webhook-Id", "Elements-Webhook-Signature",
}

var (
	headerName  = regexp.MustCompile("^[0-9A-Za-z!#$%&'*+.^_`|~-]+$")
	headerValue = regexp.MustCompile(`^[0-9A-Za-z _.,:;/*=+()-]*$`)
)

// readHeaders takes an object, a list of "Name: value", or a text that holds either or has a "Name: value" on each
// line or between commas.
func readHeaders(conf *settings) []Header {
	v := conf.find(keyCallbackHeaders)
	if v == nil || isPlaceholder(v.scalar) {
		return nil
	}
	at := v.at
	if v.kind == text {
		v = headersInText(v.scalar)
	}
	var headers []Header
	for _, m := range v.pairs() {
		name := http.CanonicalHeaderKey(strings.TrimSpace(m.key))
		known := slices.ContainsFunc(headers, func(h Header) bool { return h.Variable() == Header{Name: name}.Variable() })
		if !headerName.MatchString(name) || m.value.kind == object || m.value.kind == list || known {
			conf.problem(at, keyCallbackHeaders, `cannot be read; write it as an object: { "X-Team": "sales" }, each name once`)
			return nil
		}
		if slices.Contains(notTheirs, name) {
			conf.warn(at, keyCallbackHeaders, "names %s, which every request sets itself; it is not carried over", name)
			continue
		}
		if name == "Authorization" && conf.find(keyBasicUsername) != nil {
			conf.problem(at, keyCallbackHeaders, "names Authorization, which %s sets; take one of them out", keyBasicUsername)
			return nil
		}
		h := Header{Name: name}
		if value := strings.TrimSpace(m.value.scalar); slices.Contains(openly, name) && headerValue.MatchString(value) {
			h.Value = value
		}
		headers = append(headers, h)
	}
	return headers
}

// pairs are the names and values of an object, or of a list of "Name: value". What is neither has a name that no
// header can have.
func (v *value) pairs() []member {
	switch v.kind {
	case object:
		return v.members
	case list:
		var pairs []member
		for _, item := range v.items {
			name, said, parted := strings.Cut(item.scalar, ":")
			if !parted {
				name = "" // what stands there may be all secret
			}
			pairs = append(pairs, member{key: name, value: value{kind: text, scalar: said}})
		}
		return pairs
	}
	return []member{{}}
}

// nextHeader is a comma or semicolon with a name and a colon behind it: others belong to a value.
var nextHeader = regexp.MustCompile(`[,;]\s*([0-9A-Za-z_-]+\s*:)`)

func headersInText(said string) *value {
	if inner := (&findings{text: []byte(said)}); strings.IndexAny(strings.TrimSpace(said), "{[") == 0 {
		if v := parse(inner); v != nil {
			return v
		}
		return &value{}
	}
	v := &value{kind: list}
	for line := range strings.SplitSeq(nextHeader.ReplaceAllString(said, "\n$1"), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			v.items = append(v.items, value{kind: text, scalar: line})
		}
	}
	return v
}

package callback

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Result is what became of one attempt. Its text is the value of a metric's label.
type Result string

// The results of an attempt.
const (
	Done        Result = "done"        // 2xx
	Limited     Result = "limited"     // 429: later
	Unavailable Result = "unavailable" // 408, 425, 5xx: later
	Unreachable Result = "unreachable" // no answer: later
	Refused     Result = "refused"     // any other answer: never
)

// LaterError means that the message may be taken at another time.
type LaterError struct {
	Status int           // 0: there was no answer
	After  time.Duration // what Retry-After asks for; 0: nothing
	Text   string        // an excerpt, or what went wrong; nothing secret, one line
}

func (e *LaterError) Error() string { return say(e.Status, e.Text) }

// RefusedError means that the message will never be taken as it is.
type RefusedError struct {
	Status int
	Text   string // an excerpt; nothing secret, one line
}

func (e *RefusedError) Error() string { return say(e.Status, e.Text) }

func say(status int, text string) string {
	if status == 0 {
		return text
	}
	s := strconv.Itoa(status)
	if name := http.StatusText(status); name != "" { // the receiver's own is not to be trusted
		s += " " + name
	}
	if text != "" {
		s += ": " + text
	}
	return s
}

// judge reads the verdict from an answer.
func judge(resp *http.Response, excerpt string, now time.Time) (Result, error) {
	status := resp.StatusCode
	later := func() error {
		return &LaterError{Status: status, After: retryAfter(resp.Header, now), Text: excerpt}
	}
	switch {
	case status >= 200 && status <= 299:
		return Done, nil
	case status == http.StatusTooManyRequests:
		return Limited, later()
	case status == http.StatusRequestTimeout || status == http.StatusTooEarly || status >= 500:
		return Unavailable, later()
	case redirects(status):
		excerpt = notFollowed(resp.Header)
	}
	return Refused, &RefusedError{Status: status, Text: excerpt}
}

func redirects(status int) bool { return status >= 300 && status <= 399 }

func notFollowed(h http.Header) string { return "redirects are not followed" + whither(h) }

// whither names the host that a redirect points to: the rest of a URL may hold secrets.
func whither(h http.Header) string {
	u, err := url.Parse(h.Get("Location"))
	if err != nil || u.Host == "" {
		return ""
	}
	return fmt.Sprintf("; this one points to %s://%s", short(clean(u.Scheme)), short(clean(u.Host)))
}

// retryAfter reads how long the receiver asks to wait: a number of seconds, or a time by the clock of its Date header,
// else by ours. 0: it does not ask.
// https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	seconds, err := strconv.ParseUint(text, 10, 64)
	switch {
	case err == nil || errors.Is(err, strconv.ErrRange):
		return time.Duration(min(seconds, math.MaxInt64/uint64(time.Second))) * time.Second
	case text == "":
		return 0
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return max(until.Sub(now), 0)
}

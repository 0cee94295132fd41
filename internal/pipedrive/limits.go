package pipedrive

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// limits lets a request go when the pause, the daily budget and the burst window allow it, and learns from the
// answer. Answers that refuse for a limit end here as a LaterError, because only here is it known until when.
type limits struct {
	next    http.RoundTripper
	cred    *credential
	budget  func() *budget
	retry   time.Duration // between attempts on a spent budget
	observe Observer
}

func (l *limits) RoundTrip(req *http.Request) (*http.Response, error) {
	what := Answer{Method: req.Method, Path: req.URL.EscapedPath()}
	if left := l.cred.pause.left(time.Now()); left > 0 {
		return nil, blocked(what, left)
	}
	budget := l.budget()
	ticket, kind, after := budget.admit(time.Now(), callOf(req.Context()).tokens, l.retry)
	if kind != "" {
		return nil, exhausted(what, kind, after)
	}
	unsent := func() { budget.settle(time.Now(), ticket, told{free: true, left: -1}, l.retry) }
	if err := l.cred.burst.enter(req.Context()); err != nil {
		unsent()
		return nil, err
	}
	// What closed while this request waited for its turn holds for it too.
	left, after := l.cred.pause.left(time.Now()), budget.closed(time.Now(), ticket)
	if left > 0 || after > 0 {
		l.cred.burst.leave(false)
		unsent()
		if left > 0 {
			return nil, blocked(what, left)
		}
		return nil, exhausted(what, KindDaily, after)
	}

	resp, err := l.next.RoundTrip(req)
	if err != nil {
		l.cred.burst.leave(true)
		budget.settle(time.Now(), ticket, told{left: -1}, l.retry)
		l.observe.Spent(int(ticket.tokens))
		return nil, err
	}
	err = l.learn(resp, what, budget, ticket)
	l.cred.burst.leave(true) // after learn, which may shut the window that this opens
	l.observe.Standing(budget.standing(time.Now()))
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// learn takes in the headers of an answer, and turns a refusal into an error.
func (l *limits) learn(resp *http.Response, what Answer, budget *budget, t ticket) error {
	now, h := time.Now(), resp.Header
	says := told{answered: true, left: -1}
	if n, ok := number(h, "X-Daily-Ratelimit-Token-Limit"); ok {
		says.limit = n
	}
	if n, ok := number(h, "X-Daily-Ratelimit-Token-Remaining"); ok {
		says.left = n
	}
	if n, ok := number(h, "X-Ratelimit-Limit"); ok && n > 0 {
		l.cred.burst.learn(int(n))
	}
	if n, ok := number(h, "X-Ratelimit-Remaining"); ok && n == 0 {
		l.cred.burst.closeFor(windowRest(h))
	}

	what.Status = resp.StatusCode
	var refusal *LaterError
	if status := resp.StatusCode; status == http.StatusTooManyRequests || status == http.StatusForbidden {
		refusal = l.refused(now, resp, what)
	}
	if refusal == nil {
		says.free = resp.StatusCode == http.StatusUnauthorized
		says.answered = resp.StatusCode < http.StatusInternalServerError
		budget.settle(now, t, says, l.retry)
		l.cred.pause.end()
		if !says.free {
			l.observe.Spent(int(t.tokens))
		}
		return nil
	}
	says.free, says.left = true, -1
	if refusal.Kind == KindDaily {
		says.spent, says.again = true, refusal.After
	}
	budget.settle(now, t, says, l.retry)
	if refusal.Kind == KindDaily {
		refusal.After = budget.wait(now)
	}
	l.observe.Limited(refusal.Kind)
	return refusal
}

// refused judges a 429 or a 403 and returns nil when it is about this request alone. The body is read; a nil leaves
// what was read in its place.
func (l *limits) refused(now time.Time, resp *http.Response, what Answer) *LaterError {
	body := peek(resp)
	kind := limitKind(resp, body)
	if kind == "" {
		return nil
	}
	_ = resp.Body.Close()
	what.Text = excerpt(resp.Header, body)
	e := &LaterError{Answer: what, Kind: kind}
	asked := retryAfter(resp.Header, now)
	switch kind {
	case KindBlocked:
		e.Text = "turned away at the edge of Pipedrive with " + e.Text
		e.After = l.cred.pause.begin(now, asked)
	case KindDaily:
		e.After = asked
	default:
		e.After = jitter(max(windowRest(resp.Header), min(asked, burstMost)))
		l.cred.burst.closeFor(e.After)
	}
	return e
}

func blocked(what Answer, left time.Duration) *LaterError {
	what.Text = "not sent, the edge of Pipedrive turned this credential away"
	return &LaterError{Answer: what, Kind: KindBlocked, After: left}
}

func exhausted(what Answer, kind Kind, after time.Duration) *LaterError {
	what.Text = "not sent, the company's daily token budget is spent"
	if kind == KindShare {
		what.Text = "not sent, the share of the daily token budget is spent"
	}
	return &LaterError{Answer: what, Kind: kind, After: after}
}

// number reads a header that counts something.
func number(h http.Header, name string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(h.Get(name)), 10, 64)
	return n, err == nil && n >= 0 && n < 1e12
}

// windowRest is how long the burst window stays full. The header counts seconds from now.
// https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
func windowRest(h http.Header) time.Duration {
	n, ok := number(h, "X-Ratelimit-Reset")
	if d := time.Duration(n) * time.Second; ok && d > 0 && d <= burstMost {
		return d
	}
	return burstLength
}

// retryAfter reads the header in both of its forms; 0: there is none that can be used.
// https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
func retryAfter(h http.Header, now time.Time) time.Duration {
	if n, ok := number(h, "Retry-After"); ok {
		return min(time.Duration(min(n, 1e6))*time.Second, longestRefuse)
	}
	if at, err := http.ParseTime(h.Get("Retry-After")); err == nil && at.After(now) {
		return min(at.Sub(now), longestRefuse)
	}
	return 0
}

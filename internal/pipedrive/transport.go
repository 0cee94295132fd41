package pipedrive

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// call is what the links of the chain have to know about a request. It travels in the request's context.
type call struct {
	object string
	tokens int
}

type callKey struct{}

func withCall(ctx context.Context, c call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

func callOf(ctx context.Context) call {
	c, _ := ctx.Value(callKey{}).(call)
	return c
}

// authenticate puts the credential into a header.
// https://pipedrive.readme.io/docs/core-api-concepts-authentication
type authenticate struct {
	apiToken string     // or
	oauth    *refresher // whichever is set
	next     http.RoundTripper
}

// RoundTrip sends a request a second time when a fresh access token may open what the first did not.
func (a *authenticate) RoundTrip(req *http.Request) (*http.Response, error) {
	if a.oauth == nil {
		return a.send(req, "X-Api-Token", a.apiToken)
	}
	access, err := a.oauth.token(req.Context(), "")
	if err != nil {
		return nil, err
	}
	resp, err := a.send(req, "Authorization", "Bearer "+access)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	discard(resp.Body)
	if access, err = a.oauth.token(req.Context(), access); err != nil {
		return nil, err
	}
	return a.send(req, "Authorization", "Bearer "+access)
}

func (a *authenticate) send(req *http.Request, header, value string) (*http.Response, error) {
	req = req.Clone(req.Context())
	if req.GetBody != nil { // the first sending has read the one that came
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		req.Body = body
	}
	req.Header.Set(header, value)
	return a.next.RoundTrip(req)
}

// discard reads what is left of a short body, so that its connection can be used again.
func discard(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, maxErrorBody)
	_ = body.Close()
}

// measure reports every exchange.
type measure struct {
	next    http.RoundTripper
	observe Observer
}

func (m *measure) RoundTrip(req *http.Request) (*http.Response, error) {
	began, code := time.Now(), 0
	resp, err := m.next.RoundTrip(req)
	if err == nil {
		code = resp.StatusCode
	}
	m.observe.Request(callOf(req.Context()).object, code, time.Since(began))
	return resp, err
}

// deadline bounds one exchange, the body of the answer included.
type deadline struct {
	next    http.RoundTripper
	timeout time.Duration
}

// slowError is a timeout of ours. It is no context error, so that nobody takes it for one of the caller's.
type slowError struct{ timeout time.Duration }

func (e *slowError) Error() string { return fmt.Sprintf("no whole answer within %v", e.timeout) }

func (d *deadline) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), d.timeout)
	body := &timedBody{deadline: d, outer: req.Context(), ctx: ctx, cancel: cancel}
	resp, err := d.next.RoundTrip(req.Clone(ctx))
	if err != nil {
		cancel()
		return nil, body.explain(err)
	}
	body.ReadCloser = resp.Body
	resp.Body = body
	return resp, nil
}

// timedBody ends the exchange's context when it is closed.
type timedBody struct {
	io.ReadCloser
	deadline   *deadline
	outer, ctx context.Context
	cancel     context.CancelFunc
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = b.explain(err)
	}
	return n, err
}

func (b *timedBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// explain tells our timeout from the caller's.
func (b *timedBody) explain(err error) error {
	if b.outer.Err() == nil && context.Cause(b.ctx) == context.DeadlineExceeded {
		return &slowError{b.deadline.timeout}
	}
	return err
}

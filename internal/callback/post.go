package callback

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
)

const (
	// mostExcerpted is how much of an answer's body is looked at for an excerpt.
	mostExcerpted = 4 << 10
	// mostRead is how much of it is read at all: a connection whose answer was read whole is used again.
	mostRead = 64 << 10
)

// Post sends a message once. nil: it was taken. A LaterError: it may be sent again. The context's error: that ended
// first. Anything else: it will never be taken as it is.
func (c *Client) Post(ctx context.Context, m Message) error {
	if err := c.signer.checkID(m.ID); err != nil {
		return err
	}
	began := c.clock.Now()
	within, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := c.request(within, http.MethodPost, m)
	if err != nil {
		return err
	}
	c.signer.sign(req.Header, m.ID, began, m.Body)
	result, err := c.exchange(ctx, req, m)
	if result != "" {
		c.observer.Attempted(result, c.clock.Now().Sub(began))
	}
	return err
}

func (c *Client) request(ctx context.Context, method string, m Message) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.target, bytes.NewReader(m.Body))
	if err != nil {
		return nil, errors.New("url: cannot be asked") // the error repeats it
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", c.agent)
	for name, values := range m.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	if c.basic != "" {
		req.Header.Set("Authorization", c.basic)
	}
	return req, nil
}

// exchange sends a request, which holds a context within ctx, and judges the answer. No result: ctx has ended.
func (c *Client) exchange(ctx context.Context, req *http.Request, m Message) (Result, error) {
	// The transport itself follows no redirects and wraps no URL into its errors.
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return Unreachable, &LaterError{Text: c.explain(req, m, err)}
	}
	defer resp.Body.Close()
	// A 2xx is the receiver's word, whatever becomes of the rest of its answer.
	return judge(resp, c.read(resp, m), c.clock.Now())
}

// explain says why an exchange came to no end.
func (c *Client) explain(req *http.Request, m Message, err error) string {
	switch {
	case errors.Is(req.Context().Err(), context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %v", c.timeout)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection ended before an answer"
	}
	return c.veil.over(m.Header, err.Error())
}

// read reads an answer's body and returns what may be shown of it.
func (c *Client) read(resp *http.Response, m Message) string {
	if resp.StatusCode < http.StatusOK { // what follows a 101 need not end
		return ""
	}
	head, _ := io.ReadAll(io.LimitReader(resp.Body, mostExcerpted))
	_, _ = io.CopyN(io.Discard, resp.Body, mostRead-mostExcerpted)
	if resp.StatusCode < http.StatusMultipleChoices {
		return ""
	}
	return c.veil.over(m.Header, excerptOf(resp.Header, head))
}

// Answer is what the receiver says to a Probe.
type Answer struct {
	Status   int
	Redirect string // that it is one, and whither; nothing secret. Empty: it is none
}

func (a Answer) String() string { return say(a.Status, a.Redirect) }

// Unauthorized tells whether the receiver asks who we are. It may be for the signature alone, which a Probe has not.
func (a Answer) Unauthorized() bool {
	return a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden
}

// Probe asks for the URL's head without posting anything, with the headers that every message has. Any answer will do to
// show that name, address and certificate are right.
func (c *Client) Probe(ctx context.Context, header http.Header) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	m := Message{Header: header}
	req, err := c.request(ctx, http.MethodHead, m)
	if err != nil {
		return Answer{}, err
	}
	req.Header.Del("Content-Type")
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return Answer{}, fmt.Errorf("asking %s: %s", c.host, c.explain(req, m, err))
	}
	a := Answer{Status: resp.StatusCode}
	if redirects(a.Status) {
		a.Redirect = notFollowed(resp.Header)
	}
	return a, resp.Body.Close()
}

// Host is all that is shown of the URL.
func (c *Client) Host() string { return c.host }

// Close gives back connections that nobody uses.
func (c *Client) Close() {
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

func basicAuth(username, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
}

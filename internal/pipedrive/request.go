package pipedrive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// reply is an answer that holds what was asked for.
type reply struct {
	Answer
	body []byte
	at   time.Time // what the server's clock said when it was asked, in whole seconds; zero: there was no Date header
}

// order is what is asked for.
type order struct {
	method  string
	path    string // escaped
	query   string
	body    []byte   // JSON; nil: none
	secrets []string // that stand in the body
}

// get asks for a path, which is escaped already, and judges the answer.
func (c *Client) get(ctx context.Context, k call, path, query string) (*reply, error) {
	return c.ask(ctx, k, order{method: http.MethodGet, path: path, query: query})
}

// ask sends an order and judges the answer.
func (c *Client) ask(ctx context.Context, k call, o order) (*reply, error) {
	r, err := c.exchange(ctx, k, o)
	return r, c.masked(err, o.secrets...)
}

func (c *Client) exchange(ctx context.Context, k call, o order) (*reply, error) {
	what := Answer{Method: o.method, Path: o.path}
	target, err := c.target(ctx, what, o.query)
	if err != nil {
		return nil, noAnswer(ctx, what, err)
	}
	req, err := http.NewRequestWithContext(withCall(ctx, k), what.Method, target.String(), bytes.NewReader(o.body))
	if err != nil {
		return nil, errors.New(what.String() + ": the request cannot be written") // its own words repeat the query
	}
	req.Header.Set("Accept", "application/json")
	if o.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.agent != "" {
		req.Header.Set("User-Agent", c.agent)
	}
	asked := time.Now()
	resp, err := c.chain.RoundTrip(req) // and not an http.Client: it would follow redirects
	took := time.Since(asked)
	if err != nil {
		return nil, noAnswer(ctx, what, err)
	}
	defer func() { _ = resp.Body.Close() }()
	what.Status = resp.StatusCode

	var body []byte
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusCreated {
		body, err = readBody(resp, c.hint(k.object), maxBody)
	} else if body, err = io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)); err != nil && ctx.Err() == nil {
		err = nil // the status says enough
	}
	if errors.Is(err, errTooLarge) {
		return nil, garbled(what, err)
	}
	if err != nil {
		return nil, noAnswer(ctx, what, err)
	}
	if err := verdict(what, resp.Header, body, time.Now()); err != nil {
		return nil, err
	}
	c.sizes.Store(k.object, len(body))
	return &reply{Answer: what, body: body, at: whenAsked(resp.Header, took)}, nil
}

// whenAsked is the Date of an answer less the seconds that it took: a slow answer may tell of no later moment than that
// of the question.
func whenAsked(h http.Header, took time.Duration) time.Time {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return at.UTC().Add(-took.Truncate(time.Second))
}

// target is where a path lies. It never leaves the origin.
func (c *Client) target(ctx context.Context, what Answer, query string) (*url.URL, error) {
	origin := c.origin
	if origin == nil {
		var err error
		if origin, err = c.oauth.domain(ctx); err != nil {
			return nil, err
		}
	}
	u, err := url.Parse(origin.String() + what.Path)
	if err != nil || !strings.HasPrefix(what.Path, "/") { // without the slash it would go on with the host's name
		what.Text = "not sent, a path must begin with a slash"
		return nil, &RefusedError{what}
	}
	u.RawQuery = query
	return u, nil
}

// hint is how large the last answer about an object was, and a little more for one that grew.
func (c *Client) hint(object string) int {
	last, _ := c.sizes.Load(object)
	n, _ := last.(int)
	return n + n/16
}

// garbled is the error of an answer that cannot be read.
func garbled(what Answer, err error) error {
	what.Text = clean(err.Error())
	return &LaterError{Answer: what, Kind: KindGarbled}
}

// masked takes the credential, and what else was secret in the request, out of an error's words, should the far side
// have repeated it.
func (c *Client) masked(err error, secrets ...string) error {
	if decided := decision(nil); errors.As(err, &decided) {
		a := decided.about()
		a.Text = mask(a.Text, slices.Concat(c.secrets(), secrets))
	}
	return err
}

// Package callback posts events to somebody's application: one signed POST, and its verdict: done, later, or never.
package callback

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Config is where callbacks go and how. New checks it; its errors name the fields of the configuration, and never
// repeat what may be a secret.
type Config struct {
	URL       string // absolute, http or https. Credentials in it are sent as HTTP Basic; they and the query are secrets
	Username  string // HTTP Basic; empty, with Password: what the URL has
	Password  string
	Signer    *Signer
	Timeout   time.Duration // of one request, its answer included
	Retry     Retry
	UserAgent string
	Transport http.RoundTripper
	Clock     Clock    // nil: the machine's
	Observer  Observer // may be nil
}

// Message is one callback.
type Message struct {
	ID     string // the same whenever the message is sent again: by this it is recognised
	Body   []byte
	Header http.Header // besides those of every callback; may replace Content-Type and User-Agent
}

// Observer is told what happens. Its methods are called by many goroutines and must not block.
type Observer interface {
	// Attempted is one request; took ends with its verdict.
	Attempted(result Result, took time.Duration)
	// Waiting is a message that failed for the nth time and is sent again after a while.
	Waiting(try int, wait time.Duration, err error)
}

// Client posts callbacks. Its methods may be called by many goroutines.
type Client struct {
	target    string // the URL without credentials
	host      string // all that is shown of it
	basic     string // the Authorization header; empty: none
	veil      veil
	signer    *Signer
	timeout   time.Duration
	retry     Retry
	agent     string
	transport http.RoundTripper
	clock     Clock
	observer  Observer
}

// New makes a client. Nothing is sent yet.
func New(c Config) (*Client, error) {
	u, err := parseTarget(c.URL)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	if c.Timeout <= 0 {
		return nil, fmt.Errorf("timeout: %v is not above zero", c.Timeout)
	}
	if err := c.Retry.check(); err != nil {
		return nil, fmt.Errorf("retry.%w", err)
	}
	client := &Client{
		host:      u.Host,
		signer:    c.Signer,
		timeout:   c.Timeout,
		retry:     c.Retry,
		agent:     c.UserAgent,
		transport: c.Transport,
		clock:     c.Clock,
		observer:  c.Observer,
	}
	if client.clock == nil {
		client.clock = machineClock{}
	}
	if client.observer == nil {
		client.observer = silence{}
	}
	username, password := c.Username, c.Password
	if u.User != nil {
		if username != "" || password != "" {
			return nil, errors.New("url, basic_auth: both hold credentials, one of them must not")
		}
		username = u.User.Username()
		password, _ = u.User.Password()
	}
	if username != "" || password != "" {
		if strings.Contains(username, ":") {
			return nil, errors.New("basic_auth.username: HTTP Basic has no user names with a colon")
		}
		client.basic = basicAuth(username, password)
	}
	client.veil = secretsOf(u, password, client.basic)
	u.User = nil
	client.target = u.String()
	return client, nil
}

// parseTarget reads the URL. Its errors do not repeat it.
func parseTarget(text string) (*url.URL, error) {
	const want = "want an absolute one like https://app.example.com/events"
	if text == "" {
		return nil, errors.New("is empty, " + want + "; is an environment variable unset?")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("is not a URL, " + want)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("is neither http nor https, " + want)
	case !goodPort(u.Port()):
		return nil, errors.New("has a port that there is not, they go from 1 to 65535")
	case u.Fragment != "":
		return nil, errors.New("has a fragment (#), which is never sent, " + want)
	}
	return u, nil
}

// goodPort takes what stands behind the colon; empty: that of the scheme.
func goodPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// reserved are the headers that are not the user's to set: they frame the request.
var reserved = []string{"Connection", "Content-Length", "Host", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// CheckHeader tells whether a user may set a header of this name; the error says why not.
func (c *Client) CheckHeader(name string) error {
	canonical := http.CanonicalHeaderKey(name)
	switch {
	case name == "" || strings.ContainsFunc(name, notToken):
		return fmt.Errorf("%q is not the name of a header", name)
	case slices.Contains(reserved, canonical):
		return fmt.Errorf("%s belongs to the request itself and cannot be set", name)
	case slices.Contains(c.signer.Headers(), canonical):
		return fmt.Errorf("%s is set by signature", name)
	case canonical == "Authorization" && c.basic != "":
		return fmt.Errorf("%s is set by the credentials", name)
	}
	return nil
}

// CheckHeaderValue refuses what would end the header or cannot stand in it.
func CheckHeaderValue(value string) error {
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return errors.New("has a line break or another control character, which no header can hold")
	}
	return nil
}

// notToken finds what cannot stand in the name of a header.
// https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2
func notToken(r rune) bool {
	letterOrDigit := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	return !letterOrDigit && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// Deliver posts a message until it is taken, refused for good, or has had all its tries. The context's end is returned
// as such; any other error is final.
func (c *Client) Deliver(ctx context.Context, m Message) error {
	for try := 1; ; try++ {
		err := c.Post(ctx, m)
		var later *LaterError
		if !errors.As(err, &later) {
			return c.about(m, err)
		}
		if try >= c.retry.MaxAttempts {
			return c.about(m, fmt.Errorf("given up after try %d: %w", try, err))
		}
		wait := c.retry.wait(try, later.After)
		c.observer.Waiting(try, wait, c.about(m, err))
		if err := c.clock.Wait(ctx, wait); err != nil {
			return err
		}
	}
}

// about says which message an error is about, and to whom it went.
func (c *Client) about(m Message, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("posting %s to %s: %w", m.ID, c.host, err)
}

type silence struct{}

func (silence) Attempted(Result, time.Duration)   {}
func (silence) Waiting(int, time.Duration, error) {}

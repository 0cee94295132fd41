package pipedrive

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The hosts of Pipedrive that hold for every company.
// https://pipedrive.readme.io/docs/core-api-concepts-requests, https://pipedrive.readme.io/docs/marketplace-oauth-authorization
const (
	DefaultBaseURL  = "https://api.pipedrive.com"
	DefaultTokenURL = "https://oauth.pipedrive.com/oauth/token"
)

// Config is what a component knows when it makes its client. New checks it.
type Config struct {
	BaseURL       string            // empty: DefaultBaseURL, or with OAuth the api_domain of the token answer
	APIToken      string            // exactly one of APIToken and OAuth
	OAuth         *OAuth            //
	Timeout       time.Duration     // of one request, its body included; waiting for the burst window is not
	Transport     http.RoundTripper // carries TLS and proxy; nil: one of the client's own
	UserAgent     string            // names the program and its version
	DailyShare    float64           // part of the company's daily token budget, in (0,1]
	ProbeInterval time.Duration     // how often a spent daily budget is tried when no Retry-After says when; 0: 15 minutes
	Shared        *Shared           // what the components of one process count together; nil: one of its own
	Observer      Observer          // may be nil
	Log           Logger            // may be nil
}

// OAuth is the credential of an installed app.
type OAuth struct {
	ClientID     string
	ClientSecret string
	RefreshToken string     // the configured one; what Pipedrive answers later goes to Store
	TokenURL     string     // empty: DefaultTokenURL
	Store        TokenStore // may be nil: the newest refresh token lives in memory only
}

// TokenStore keeps one small text over restarts: the newest refresh token and which configured one it descends from.
type TokenStore interface {
	Load(ctx context.Context) (string, error) // "" and nil: nothing stored yet
	Save(ctx context.Context, text string) error
}

// Logger takes what a person should know although no call went wrong for it.
type Logger interface {
	Warnf(format string, args ...any)
	Infof(format string, args ...any)
	Debugf(format string, args ...any)
}

// Observer counts what happens. Its methods are called by many goroutines and must not block.
type Observer interface {
	// Request is one exchange: object is the catalogue's name, "me" or "webhooks", took ends with the answer's
	// headers, and code 0 means that no answer came.
	Request(object string, code int, took time.Duration)
	// Limited is an answer that refused for a limit: KindBurst, KindDaily or KindBlocked.
	Limited(kind Kind)
	// Spent is what one request took from the daily budget.
	Spent(tokens int)
	// Standing is how the daily budget stands after an answer.
	Standing(s Standing)
}

const defaultProbeInterval = 15 * time.Minute

// check names the first field that cannot be used, in the words of the configuration.
func (c *Config) check() error {
	switch {
	case c.APIToken == "" && c.OAuth == nil:
		return errors.New("api_token, oauth2: neither is set, exactly one must be: is an environment variable unset?")
	case c.APIToken != "" && c.OAuth != nil:
		return errors.New("api_token, oauth2: both are set, exactly one must be")
	case c.OAuth != nil:
		if err := c.OAuth.check(); err != nil {
			return err
		}
	case strings.ContainsFunc(c.APIToken, notPrintable):
		return errors.New("api_token: has a blank, a line break or another character that a token cannot hold")
	}
	if c.BaseURL != "" {
		if _, err := parseOrigin(c.BaseURL); err != nil {
			return fmt.Errorf("base_url: %w", err)
		}
	}
	if c.Timeout <= 0 {
		return fmt.Errorf("timeout: %v came, it must be more than 0", c.Timeout)
	}
	if !(c.DailyShare > 0 && c.DailyShare <= 1) { // written so that NaN is refused
		return fmt.Errorf("daily_token_share: %v came, it must be more than 0 and at most 1", c.DailyShare)
	}
	if c.ProbeInterval < 0 {
		return fmt.Errorf("budget_probe_interval: %v came, it must be more than 0", c.ProbeInterval)
	}
	return nil
}

func (o *OAuth) check() error {
	for _, f := range []struct{ name, value string }{
		{"client_id", o.ClientID}, {"client_secret", o.ClientSecret}, {"refresh_token", o.RefreshToken},
	} {
		if f.value == "" {
			return fmt.Errorf("oauth2.%s: is empty, it must be set", f.name)
		}
	}
	if o.TokenURL != "" {
		if _, err := parseOrigin(o.TokenURL); err != nil {
			return fmt.Errorf("oauth2.token_url: %w", err)
		}
	}
	return nil
}

func notPrintable(r rune) bool { return r <= ' ' || r >= 0x7f }

// parseOrigin reads an absolute http or https URL without credentials, query and fragment. Its errors do not repeat
// the text, which may hold a secret.
func parseOrigin(text string) (*url.URL, error) {
	const want = "want an absolute URL such as " + DefaultBaseURL
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return nil, errors.New("is not a URL, " + want)
	case u.User != nil:
		return nil, errors.New("holds credentials, " + want)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("holds a query or a fragment, " + want)
	case u.Scheme == "http" && (u.Hostname() == "pipedrive.com" || strings.HasSuffix(u.Hostname(), ".pipedrive.com")):
		return nil, errors.New("is http, Pipedrive answers https only")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	return u, nil
}

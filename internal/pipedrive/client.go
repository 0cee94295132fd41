package pipedrive

import (
	"cmp"
	"crypto/sha256"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Client asks Pipedrive on behalf of one component. Its methods may be called by many goroutines.
type Client struct {
	origin  *url.URL // nil: the one that came with the access token
	agent   string
	chain   http.RoundTripper
	oauth   *refresher // nil with an API token
	secrets func() []string
	shared  *Shared
	cred    *credential
	cost    cost
	sizes   sync.Map // object name to the size of its last body
	idle    func()   // closes connections that nobody uses
	close   sync.Once
}

// New makes a client. Nothing is sent yet; an error names the field that cannot be used and what is allowed.
func New(cfg Config) (*Client, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &Client{agent: cfg.UserAgent, shared: cfg.Shared}
	if c.shared == nil {
		c.shared = NewShared()
	}
	if cfg.BaseURL != "" || cfg.OAuth == nil {
		var err error
		if c.origin, err = parseOrigin(cmp.Or(cfg.BaseURL, DefaultBaseURL)); err != nil {
			return nil, err
		}
	}
	observe, log := cfg.Observer, cfg.Log
	if observe == nil {
		observe = silence{}
	}
	c.cost.Observer = observe
	if log == nil {
		log = silence{}
	}
	transport := cfg.Transport
	if transport == nil {
		transport = NewTransport()
	}
	c.idle = (&http.Client{Transport: transport}).CloseIdleConnections // knows which transports can
	measured := &measure{next: &deadline{next: transport, timeout: cfg.Timeout}, observe: observe}

	c.cred = c.shared.acquire(key(cfg), c, cfg.DailyShare)
	auth := &authenticate{apiToken: cfg.APIToken, next: &limits{
		next:    measured,
		cred:    c.cred,
		budget:  c.budget,
		retry:   cmp.Or(cfg.ProbeInterval, defaultProbeInterval),
		observe: &c.cost,
	}}
	c.secrets = func() []string { return []string{cfg.APIToken} }
	if cfg.OAuth != nil {
		c.oauth = newRefresher(*cfg.OAuth, &c.cred.tokens, measured, cfg.Timeout, cfg.UserAgent, log)
		auth.oauth, c.secrets = c.oauth, c.oauth.secrets
	}
	c.chain = auth
	return c, nil
}

// Close gives back what the client shares with others. It is safe to call twice.
func (c *Client) Close() {
	c.close.Do(func() {
		c.shared.release(c.cred, c)
		c.idle()
	})
}

func (c *Client) budget() *budget { return c.shared.budgetOf(c.cred) }

// key names a credential without holding it.
func key(cfg Config) [sha256.Size]byte {
	if o := cfg.OAuth; o != nil {
		return sha256.Sum256([]byte("oauth2\x00" + o.ClientID + "\x00" + o.RefreshToken))
	}
	return sha256.Sum256([]byte("api_token\x00" + cfg.APIToken))
}

// NewTransport is the standard one with bounds on what a server can make us hold.
func NewTransport() *http.Transport {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	if std, ok := http.DefaultTransport.(*http.Transport); ok {
		t = std.Clone()
	}
	t.MaxIdleConnsPerHost = 8
	t.IdleConnTimeout = 90 * time.Second
	t.MaxResponseHeaderBytes = 64 << 10
	return t
}

// silence observes and logs nothing.
type silence struct{}

func (silence) Request(string, int, time.Duration) {}
func (silence) Limited(Kind)                       {}
func (silence) Spent(int)                          {}
func (silence) Standing(Standing)                  {}
func (silence) Warnf(string, ...any)               {}
func (silence) Infof(string, ...any)               {}
func (silence) Debugf(string, ...any)              {}

package pipedrive

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// refresher gets access tokens for one component. What it learns lives in tokens, which the components of a process
// share.
//
// Whether Pipedrive hands out a new refresh token each time or repeats the old one is not certain: whatever comes
// back is kept and used next time. https://pipedrive.readme.io/docs/marketplace-oauth-authorization
type refresher struct {
	OAuth
	configured string // what the stored token has to descend from: the hash of the configured one, in hex
	target     *url.URL
	tokens     *tokens
	send       http.RoundTripper
	timeout    time.Duration
	agent      string
	log        Logger
}

func newRefresher(o OAuth, t *tokens, send http.RoundTripper, timeout time.Duration, agent string, log Logger) *refresher {
	if o.TokenURL == "" {
		o.TokenURL = DefaultTokenURL
	}
	sum := sha256.Sum256([]byte(o.RefreshToken))
	target, _ := parseOrigin(o.TokenURL) // checked with the configuration
	return &refresher{
		OAuth: o, configured: hex.EncodeToString(sum[:]), target: target,
		tokens: t, send: send, timeout: timeout, agent: agent, log: log,
	}
}

// secrets is what no text may show.
func (r *refresher) secrets() []string {
	basic := base64.StdEncoding.EncodeToString([]byte(r.ClientID + ":" + r.ClientSecret))
	return append(r.tokens.secrets(), r.ClientSecret, r.RefreshToken, basic)
}

// token returns an access token that is not the stale one. Many callers cause one refresh.
func (r *refresher) token(ctx context.Context, stale string) (string, error) {
	g, err := r.grant(ctx, stale)
	return g.access, err
}

// domain returns where the API of the account lies.
func (r *refresher) domain(ctx context.Context) (*url.URL, error) {
	g, err := r.grant(ctx, "")
	if err == nil && g.domain == nil {
		err = garbled(r.what(http.StatusOK, ""), errors.New("the answer's api_domain cannot be used, set base_url"))
	}
	return g.domain, err
}

func (r *refresher) grant(ctx context.Context, stale string) (grant, error) {
	for {
		g, f, lead := r.tokens.current(stale, time.Now())
		switch {
		case f == nil:
			return g, nil
		case lead:
			g, err := r.refresh(ctx)
			r.tokens.land(f, g, err, ctx.Err() != nil)
			return g, err
		}
		select {
		case <-ctx.Done():
			return grant{}, ctx.Err()
		case <-f.done:
		}
		if !f.abandoned {
			return f.grant, f.err
		}
	}
}

// landing is how long a refresh goes on after its caller gave up: an answer that nobody reads may hold the only
// refresh token that is still valid.
const landing = 5 * time.Second

// refresh gets an access token with the newest refresh token, and keeps the one that comes back before the access
// token is used. One that was refused as invalid is not sent again, by anybody in this process.
func (r *refresher) refresh(ctx context.Context) (grant, error) {
	ctx, cancel := outlive(ctx, landing)
	defer cancel()
	for {
		using, err := r.newest(ctx)
		if err != nil {
			return grant{}, err
		}
		if r.tokens.refused(using) {
			return grant{}, &CredentialError{Answer: r.what(0, "not sent again"), Remedy: remedyInstall}
		}
		g, err := r.ask(ctx, using)
		if invalid := (*invalidGrant)(nil); errors.As(err, &invalid) {
			// Another process may have been handed a new one at this moment: look once more. The loop ends, since
			// what was refused is not asked with again.
			r.tokens.refuse(using)
			if next, err := r.newest(ctx); err == nil && !r.tokens.refused(next) {
				continue
			}
			return grant{}, &CredentialError{Answer: invalid.Answer, Remedy: remedyInstall}
		}
		if err != nil {
			return grant{}, err
		}
		if g.refresh == "" {
			g.refresh = using
		}
		r.tokens.keep(g.refresh, r.save(ctx, g))
		return g, nil
	}
}

// outlive returns a context that ends a while after ctx does.
func outlive(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-longer.Done():
		}
	})
	return longer, func() { stop(); cancel() }
}

// invalidGrant is the answer that no refresh token survives.
type invalidGrant struct{ Answer }

func (e *invalidGrant) Error() string { return e.String() }

func (r *refresher) what(status int, text string) Answer {
	return Answer{Method: http.MethodPost, Path: r.target.EscapedPath(), Status: status, Text: text}
}

// ask is one request to the token endpoint. It costs no budget tokens.
func (r *refresher) ask(ctx context.Context, refreshToken string) (grant, error) {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}}.Encode()
	ctx = withCall(ctx, call{object: "oauth_token"})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.target.String(), strings.NewReader(form))
	if err != nil {
		return grant{}, errors.New(r.what(0, "the request cannot be written").String())
	}
	req.SetBasicAuth(r.ClientID, r.ClientSecret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if r.agent != "" {
		req.Header.Set("User-Agent", r.agent)
	}
	asked := time.Now()
	resp, err := r.send.RoundTrip(req)
	if err != nil {
		return grant{}, noAnswer(ctx, r.what(0, ""), err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := readBody(resp, 0, maxErrorBody)
	if err != nil {
		return grant{}, noAnswer(ctx, r.what(resp.StatusCode, ""), err)
	}
	if err := r.judge(resp, body, refreshToken); err != nil {
		return grant{}, err
	}
	return r.read(body, asked)
}

// judge goes by the status and two words, because the form of these errors is not documented.
// https://pipedrive.readme.io/docs/marketplace-oauth-api-status-codes
func (r *refresher) judge(resp *http.Response, body []byte, refreshToken string) error {
	status := resp.StatusCode
	what := r.what(status, mask(excerpt(resp.Header, body), append(r.secrets(), refreshToken)))
	switch {
	case status == http.StatusOK:
		return nil
	case status >= http.StatusInternalServerError, status < http.StatusBadRequest,
		status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return &LaterError{Answer: what, Kind: KindServer, After: retryAfter(resp.Header, time.Now())}
	case strings.Contains(string(body), "invalid_grant"), strings.Contains(string(body), "Invalid grant"):
		return &invalidGrant{what}
	case sound(body) != nil: // something in between
		return &LaterError{Answer: what, Kind: KindGarbled}
	}
	return &CredentialError{Answer: what, Remedy: remedyOAuthApp}
}

// read takes the answer apart:
//
//	{"access_token":"…","token_type":"Bearer","expires_in":3600,"refresh_token":"…","scope":"…","api_domain":"https://acme.pipedrive.com"}
func (r *refresher) read(body []byte, asked time.Time) (grant, error) {
	const usual = time.Hour // of an answer that does not say
	frame := gjson.ParseBytes(body)
	g := grant{access: frame.Get("access_token").String(), refresh: frame.Get("refresh_token").String()}
	if sound(body) != nil || g.access == "" || strings.ContainsFunc(g.access, notPrintable) {
		return grant{}, garbled(r.what(http.StatusOK, ""), errors.New("the answer holds no access token"))
	}
	life := time.Duration(min(frame.Get("expires_in").Int(), 1e7)) * time.Second
	if life <= 0 {
		life = usual
	}
	g.renew = asked.Add(life - min(time.Minute, life/5)) // early, so that no request meets the end
	u, err := parseOrigin(cmp.Or(frame.Get("api_domain").String(), DefaultBaseURL))
	if err == nil && u.Scheme == r.target.Scheme { // the simulator's are both http
		g.domain = u
	}
	return g, nil
}

// stored is what lies in the store.
type stored struct {
	Configured   string `json:"configured"` // hash of the configured refresh token that this one descends from
	RefreshToken string `json:"refresh_token"`
}

// newest returns the refresh token to use: the one in the store, which another process may have written, unless the
// one in memory could not be stored. A stored one counts only if it descends from the configured one.
func (r *refresher) newest(ctx context.Context) (string, error) {
	held, unsaved := r.tokens.newest()
	if r.Store == nil || unsaved && !r.tokens.refused(held) {
		return cmp.Or(held, r.RefreshToken), nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	text, err := r.Store.Load(ctx)
	if err != nil && held == "" {
		text := mask("loading the refresh token from oauth2.token_cache: "+clean(err.Error()), r.secrets())
		return "", &LaterError{Answer: r.what(0, "not sent, "+text), Kind: KindStore}
	}
	if err != nil {
		r.warn("loading the refresh token from oauth2.token_cache, the one in memory is used: %v", err)
		return held, nil
	}
	var was stored
	if text != "" && (json.Unmarshal([]byte(text), &was) != nil || was.RefreshToken == "") {
		r.log.Warnf("oauth2.token_cache holds something that is not a refresh token of ours: it is ignored")
	} else if was.Configured == r.configured {
		return was.RefreshToken, nil
	}
	return cmp.Or(held, r.RefreshToken), nil
}

// save tells whether the refresh token is safe over a restart.
func (r *refresher) save(ctx context.Context, g grant) bool {
	if r.Store == nil {
		return true
	}
	text, err := json.Marshal(stored{r.configured, g.refresh})
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, r.timeout)
		defer cancel()
		err = r.Store.Save(ctx, string(text))
	}
	if err != nil {
		r.warn("saving the refresh token to oauth2.token_cache, it is kept in memory and saved with the next one: %v", err,
			g.access, g.refresh)
	}
	return err == nil
}

// warn logs an error of the store without what it may repeat of the value.
func (r *refresher) warn(format string, err error, secrets ...string) {
	r.log.Warnf("%s", mask(fmt.Sprintf(format, clean(err.Error())), append(secrets, r.secrets()...)))
}

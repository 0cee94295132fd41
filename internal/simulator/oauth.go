package simulator

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Where OAuth clients go. https://pipedrive.readme.io/docs/marketplace-oauth-authorization
const (
	tokenPath  = "/oauth/token"
	revokePath = "/oauth/revoke"

	refreshLife = 60 * 24 * time.Hour // without use
	codeLife    = 5 * time.Minute
	mostForm    = 64 << 10 // bytes of a form
)

// code is an authorization code that has not been exchanged.
type code struct {
	redirectURI string
	end         time.Time
}

// refreshToken looks like Pipedrive's: user, company and a random part.
func refreshToken(seed uint64, company int64, n uint64) string {
	return fmt.Sprintf("%d:%d:%s", company, company+1_000_000, hex(seed, "refresh", n, 40))
}

// OAuth is the app and its first refresh token, with all defaults filled in.
func (s *Simulator) OAuth() OAuth { return s.opts.OAuth }

// IssueCode is a user's consent: an authorization code, to be exchanged within five minutes.
func (s *Simulator) IssueCode(redirectURI string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	word := s.secret("code", 40)
	s.keys.codes[word] = code{redirectURI, s.clock.now().Add(codeLife)}
	return word
}

// Uninstall makes all refresh and access tokens invalid: only a new authorization code helps.
func (s *Simulator) Uninstall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.keys.refresh)
	clear(s.keys.access)
}

// ExpireAccessTokens ends the life of all access tokens; the refresh tokens stay.
func (s *Simulator) ExpireAccessTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.keys.access)
}

func oauthFailure(kind, text string) answer {
	body := appendJSON(nil, struct {
		Success bool   `json:"success"`
		Message string `json:"message"`
		Error   string `json:"error"`
	}{false, text, kind})
	return answer{status: http.StatusBadRequest, body: body}
}

func badGrant(what string) answer { return oauthFailure("invalid_grant", "Invalid grant: "+what) }

func isOAuth(r *http.Request) bool { return r.URL.Path == tokenPath || r.URL.Path == revokePath }

// readForm takes the form out of an OAuth request; nil means that there is none that can be read.
func readForm(r *http.Request) url.Values {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" || r.Body == nil {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, mostForm))
	if err != nil {
		return nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil
	}
	return form
}

// oauthAnswer serves both paths. It is called under the lock.
func (s *Simulator) oauthAnswer(r *http.Request, form url.Values, now time.Time) answer {
	if r.Method != http.MethodPost {
		return fail(noMethod)
	}
	if form == nil {
		return oauthFailure("invalid_request", "Invalid request: content must be application/x-www-form-urlencoded")
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	if id == "" || secret == "" {
		return oauthFailure("invalid_client", "Invalid client: cannot retrieve client credentials")
	}
	if id != s.opts.OAuth.ClientID || secret != s.opts.OAuth.ClientSecret {
		return oauthFailure("invalid_client", "Invalid client: client is invalid")
	}
	if r.URL.Path == revokePath {
		return s.revoke(form.Get("token"))
	}
	switch form.Get("grant_type") {
	case "refresh_token":
		return s.refresh(form.Get("refresh_token"), now)
	case "authorization_code":
		return s.exchange(form.Get("code"), form.Get("redirect_uri"), now)
	case "exchange_api_token":
		if token := form.Get("api_token"); token == "" || token != s.keys.token {
			return badGrant("api_token is invalid")
		}
		return s.issue(s.nextRefresh(), now)
	case "":
		return oauthFailure("invalid_request", "Missing parameter: grant_type")
	}
	return oauthFailure("unsupported_grant_type", "Unsupported grant type: grant_type is invalid")
}

func (s *Simulator) refresh(shown string, now time.Time) answer {
	end, known := s.keys.refresh[shown]
	if !known || !end.IsZero() && !now.Before(end) {
		return badGrant("refresh_token is invalid")
	}
	next := shown
	if s.opts.OAuth.Rotate {
		delete(s.keys.refresh, shown)
		next = s.nextRefresh()
	}
	return s.issue(next, now)
}

func (s *Simulator) exchange(word, redirectURI string, now time.Time) answer {
	c, known := s.keys.codes[word]
	switch {
	case !known:
		return badGrant("authorization_code is invalid")
	case !now.Before(c.end):
		return badGrant("authorization_code has expired")
	case redirectURI != c.redirectURI:
		return oauthFailure("invalid_request", "Invalid request: redirect_uri is invalid")
	}
	delete(s.keys.codes, word)
	return s.issue(s.nextRefresh(), now)
}

func (s *Simulator) nextRefresh() string {
	s.keys.issued++
	return refreshToken(s.opts.Seed, s.opts.CompanyID, s.keys.issued)
}

// secret is a word that no other company issues.
func (s *Simulator) secret(what string, length int) string {
	s.keys.issued++
	return hex(s.opts.Seed^mix(uint64(s.opts.CompanyID)), what, s.keys.issued, length)
}

// issue makes an access token and starts the life of the refresh token anew.
func (s *Simulator) issue(refresh string, now time.Time) answer {
	for word, end := range s.keys.access {
		if !now.Before(end) {
			delete(s.keys.access, word)
			delete(s.burst.users, credential{word, true})
		}
	}
	access := "v1u:" + strings.ToUpper(s.secret("access", 200))
	s.keys.access[access] = now.Add(s.opts.OAuth.ExpiresIn)
	s.keys.refresh[refresh] = now.Add(refreshLife)
	return answer{status: http.StatusOK, body: appendJSON(nil, struct {
		AccessToken  string `json:"access_token"`
		TokenType    string `json:"token_type"`
		ExpiresIn    int    `json:"expires_in"`
		RefreshToken string `json:"refresh_token"`
		Scope        string `json:"scope"`
		APIDomain    string `json:"api_domain"`
	}{access, "Bearer", int(s.opts.OAuth.ExpiresIn / time.Second), refresh, allScopes(), s.front.url()})}
}

// revoke takes either sort of token; of a refresh token it is the end of the installation.
func (s *Simulator) revoke(token string) answer {
	if _, known := s.keys.refresh[token]; known {
		clear(s.keys.refresh)
		clear(s.keys.access)
	}
	delete(s.keys.access, token)
	return answer{status: http.StatusOK, body: []byte(`{"success":true}`)}
}

func allScopes() string {
	scopes := []string{"base"}
	for _, l := range lists {
		if !slices.Contains(scopes, l.scope) {
			scopes = append(scopes, l.scope)
		}
	}
	return strings.Join(scopes, ",")
}

// knows tells whether the form is about a token of this company.
func (s *Simulator) knows(form url.Values) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, refresh := s.keys.refresh[form.Get("refresh_token")]
	_, exchange := s.keys.codes[form.Get("code")]
	_, revokeRefresh := s.keys.refresh[form.Get("token")]
	_, revokeAccess := s.keys.access[form.Get("token")]
	token := form.Get("api_token")
	return refresh || exchange || revokeRefresh || revokeAccess || token != "" && token == s.keys.token
}

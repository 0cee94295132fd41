package simulator

import (
	"net/http"
	"strings"
	"time"
)

// credential is what a request shows.
type credential struct {
	word   string
	bearer bool
}

// credentialOf takes the header before the query. https://pipedrive.readme.io/docs/core-api-concepts-authentication
func credentialOf(r *http.Request) credential {
	if word := r.Header.Get("x-api-token"); word != "" {
		return credential{word: word}
	}
	scheme, word, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") && word != "" {
		return credential{word: word, bearer: true}
	}
	return credential{word: r.URL.Query().Get("api_token")}
}

// credentials are what a company accepts.
type credentials struct {
	token   string               // the API token; "" when it was revoked
	access  map[string]time.Time // OAuth access tokens and when they end
	refresh map[string]time.Time // OAuth refresh tokens and when they end without use
	codes   map[string]code      // OAuth authorization codes
	issued  uint64               // numbers what is issued
}

func newCredentials(o Options) credentials {
	return credentials{
		token: o.Token, access: map[string]time.Time{}, codes: map[string]code{},
		refresh: map[string]time.Time{o.OAuth.RefreshToken: {}}, // of its first use
	}
}

func (c *credentials) accept(shown credential, now time.Time) bool {
	if shown.bearer {
		end, known := c.access[shown.word]
		return known && now.Before(end)
	}
	return shown.word != "" && shown.word == c.token
}

func (s *Simulator) accepts(shown credential) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys.accept(shown, s.clock.now())
}

// Token is the API token that is valid now, "" after RevokeToken.
func (s *Simulator) Token() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys.token
}

// SetToken makes another API token, the only one that is valid from now on.
func (s *Simulator) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys.token = token
}

// RevokeToken leaves the company without an API token: every use of it is 401 from now on.
func (s *Simulator) RevokeToken() { s.SetToken("") }

// DenyScope has every request for the named list, for its records and for the definitions of its fields refused with
// 403.
func (s *Simulator) DenyScope(name string) { s.setDenied(name, true) }

// GrantScope takes back DenyScope.
func (s *Simulator) GrantScope(name string) { s.setDenied(name, false) }

func (s *Simulator) setDenied(name string, deny bool) {
	l := listNamed(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[l] = deny
}

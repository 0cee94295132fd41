package pipedrive

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// app is an installed app as Pipedrive sees it: a token endpoint and one list.
type app struct {
	mu        sync.Mutex
	rotate    bool
	valid     string // refresh token
	serial    int
	refreshes []string // the refresh tokens that came
	asked     int      // lists
	access    string   // the one that opens
	down      int      // status of the token endpoint; 0: up
	late      time.Duration
}

func newApp(rotate bool) *app { return &app{rotate: rotate, valid: "refresh-0"} }

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/oauth/token" {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.asked++
		if r.Header.Get("Authorization") != "Bearer "+a.access || a.access == "" {
			say(401, `{"success":false,"error":"Invalid token: access_token is invalid `+r.Header.Get("Authorization")+`"}`)(w, r)
			return
		}
		fine(w, r)
		return
	}
	<-time.After(a.late)
	a.mu.Lock()
	defer a.mu.Unlock()
	id, password, _ := r.BasicAuth()
	came := r.PostFormValue("refresh_token")
	a.refreshes = append(a.refreshes, came)
	switch {
	case a.down != 0:
		say(a.down, `{"success":false,"message":"down `+came+`"}`)(w, r)
	case id != "client" || password != secret:
		say(400, `{"success":false,"message":"Invalid client: client is invalid `+password+`"}`)(w, r)
	case r.PostFormValue("grant_type") != "refresh_token" || came != a.valid:
		say(400, `{"success":false,"message":"Invalid grant: refresh_token is invalid `+came+`","error":"invalid_grant"}`)(w, r)
	default:
		a.serial++
		a.access = fmt.Sprintf("v1u:access-%d", a.serial)
		if a.rotate {
			a.valid = fmt.Sprintf("refresh-%d", a.serial)
		}
		say(200, fmt.Sprintf(`{"access_token":%q,"token_type":"bearer","expires_in":3600,"refresh_token":%q,"api_domain":"https://acme.example"}`, a.access, a.valid))(w, r)
	}
}

func (a *app) install(refreshToken string, store TokenStore) func(*Config) {
	return func(cfg *Config) {
		cfg.APIToken, cfg.BaseURL, cfg.Transport = "", "", inProcess{a}
		cfg.OAuth = &OAuth{
			ClientID: "client", ClientSecret: secret, RefreshToken: refreshToken,
			TokenURL: "https://oauth.example/oauth/token", Store: store,
		}
	}
}

// shelf is a store in memory that can be out of order.
type shelf struct {
	mu      sync.Mutex
	text    string
	loadErr error
	saveErr error
}

func (s *shelf) Load(context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text, s.loadErr
}

func (s *shelf) Save(_ context.Context, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.saveErr == nil {
		s.text = text
	}
	return s.saveErr
}

func (s *shelf) token(t *testing.T) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var v struct {
		Configured   string `json:"configured"`
		RefreshToken string `json:"refresh_token"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.text), &v))
	require.Len(t, v.Configured, 64)
	return v.RefreshToken
}

func requireCredential(t *testing.T, err error, contains string) {
	t.Helper()
	var cred *CredentialError
	require.ErrorAs(t, err, &cred)
	require.ErrorContains(t, err, contains)
}

func TestManyCallersCauseOneRefreshBeforeTheTokenExpires(t *testing.T) {
	t.Parallel()
	for _, rotate := range []bool{false, true} {
		t.Run(fmt.Sprintf("rotate %v", rotate), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, store, shared, notes := newApp(rotate), &shelf{}, NewShared(), &diary{}
				a.late = time.Second
				share := func(cfg *Config) { cfg.Shared, cfg.Observer = shared, notes }
				one, two := dial(t, "", a.install("refresh-0", store), share), dial(t, "", a.install("refresh-0", store), share)
				for hour := range 3 {
					var callers sync.WaitGroup
					for range 5 {
						callers.Go(func() { assert.NoError(t, list(t, one)) })
						callers.Go(func() { assert.NoError(t, list(t, two)) })
					}
					callers.Wait()
					assert.Len(t, a.refreshes, hour+1)
					assert.Equal(t, a.valid, store.token(t))
					<-time.After(59*time.Minute + time.Second)
				}
				assert.NotContains(t, notes.codes, 401)
			})
		})
	}
}

func TestA401IsRepeatedOnceWithAFreshToken(t *testing.T) {
	t.Parallel()
	a := newApp(false)
	c := dial(t, "", a.install("refresh-0", nil))
	require.NoError(t, list(t, c))
	a.access = "v1u:revoked-elsewhere"
	require.NoError(t, list(t, c))
	assert.Len(t, a.refreshes, 2)
	assert.Equal(t, 3, a.asked)
}

func TestA401ThatStaysIsNoLoop(t *testing.T) {
	t.Parallel()
	a := newApp(false)
	c := dial(t, "", a.install("refresh-0", nil), func(cfg *Config) {
		cfg.Transport = inProcess{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/oauth/token" {
				r.Header.Set("Authorization", "Bearer spoiled")
			}
			a.ServeHTTP(w, r)
		})}
	})
	requireCredential(t, list(t, c), "the credential was refused")
	assert.Equal(t, 2, a.asked)
	assert.Len(t, a.refreshes, 2)
}

func TestAnInvalidGrantIsFinal(t *testing.T) {
	t.Parallel()
	a, shared := newApp(true), NewShared()
	c := dial(t, "", a.install("refresh-old", nil), func(cfg *Config) { cfg.Shared = shared })
	requireCredential(t, list(t, c), "re-install the app")
	requireCredential(t, list(t, c), "not sent again")
	c.Close()
	c = dial(t, "", a.install("refresh-old", nil), func(cfg *Config) { cfg.Shared = shared })
	requireCredential(t, list(t, c), "re-install the app")
	assert.Len(t, a.refreshes, 1)
	assert.Zero(t, a.asked)
}

func TestTheTokenEndpointsTroublesAreToldApart(t *testing.T) {
	t.Parallel()
	for _, status := range []int{408, 429, 500, 503} {
		a := newApp(false)
		a.down = status
		requireLater(t, list(t, dial(t, "", a.install("refresh-0", nil))), KindServer)
	}
	a := newApp(false)
	wrong := dial(t, "", a.install("refresh-0", nil), func(cfg *Config) { cfg.OAuth.ClientID = "other" })
	requireCredential(t, list(t, wrong), "check oauth2.client_id")
	requireCredential(t, list(t, wrong), "check oauth2.client_id")
	assert.Len(t, a.refreshes, 2, "a person may mend that on the other side")

	for body, want := range map[string]string{
		`<html>`:                 "no access token",
		`{"access_token":""}`:    "no access token",
		`{"access_token":"a b"}`: "no access token",
		`{"access_token":"x"`:    "no access token",
		`{"access_token":"x","api_domain":"http://evil.example"}`: "api_domain",
	} {
		c := dial(t, "", a.install("refresh-0", nil), via(say(200, body)))
		assert.ErrorContains(t, requireLater(t, list(t, c), KindGarbled), want, body)
	}
}

// A caller that gives up in the middle of a refresh neither spoils it for the others nor loses the token that is
// already on its way.
func TestARefreshOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, store := newApp(true), &shelf{}
		a.late = 2 * time.Second
		c := dial(t, "", a.install("refresh-0", store))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var other sync.WaitGroup
		other.Go(func() {
			<-time.After(500 * time.Millisecond)
			assert.NoError(t, list(t, c))
		})
		_, err := c.List(ctx, row("deals"), Query{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		other.Wait()
		assert.Equal(t, []string{"refresh-0"}, a.refreshes)
		assert.Equal(t, "refresh-1", store.token(t))
	})
}

func TestSomebodyElseRefreshesWhenACallerGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newApp(false)
		a.late = landing + 2*time.Second
		c := dial(t, "", a.install("refresh-0", nil))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var other sync.WaitGroup
		other.Go(func() {
			<-time.After(500 * time.Millisecond)
			assert.NoError(t, list(t, c))
		})
		_, err := c.List(ctx, row("deals"), Query{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		other.Wait()
		assert.Len(t, a.refreshes, 2)
	})
}

func TestTheAPIDomainOfTheTokenIsUsedWithoutABaseURL(t *testing.T) {
	t.Parallel()
	a := newApp(false)
	var hosts []string
	spy := func(cfg *Config) {
		cfg.Transport = inProcess{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			hosts = append(hosts, r.URL.Host)
			a.ServeHTTP(w, r)
		})}
	}
	require.NoError(t, list(t, dial(t, "", a.install("refresh-0", nil), spy)))
	require.NoError(t, list(t, dial(t, "", a.install("refresh-0", nil), spy, func(cfg *Config) { cfg.BaseURL = "https://mine.example/x/" })))
	assert.Equal(t, "oauth.example acme.example oauth.example mine.example", strings.Join(hosts, " "))
}

package simulator_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// grant posts a form as the app.
func grant(t *testing.T, s *simulator.Simulator, path string, form url.Values) reply {
	t.Helper()
	app := s.OAuth()
	return send(t, s, http.MethodPost, path, func(r *http.Request) {
		r.SetBasicAuth(app.ClientID, app.ClientSecret)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Body = io.NopCloser(strings.NewReader(form.Encode()))
	})
}

func refresh(t *testing.T, s *simulator.Simulator, token string) reply {
	t.Helper()
	return grant(t, s, "/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func TestOAuthRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{Deals: 1, OAuth: simulator.OAuth{ExpiresIn: time.Minute}})
		res := refresh(t, s, s.OAuth().RefreshToken)
		require.Equal(t, http.StatusOK, res.status, res.body)
		assert.Equal(t, "Bearer", res.json("token_type").Str)
		assert.Equal(t, int64(60), res.json("expires_in").Int())
		assert.Equal(t, s.OAuth().RefreshToken, res.json("refresh_token").Str)
		assert.Equal(t, s.URL(), res.json("api_domain").Str)
		assert.Contains(t, res.json("scope").Str, "deals:read")
		assert.Zero(t, s.TokensSpent())

		access := bearer(res.json("access_token").Str)
		api := send(t, s, http.MethodGet, "/api/v2/deals", access)
		assert.Equal(t, http.StatusOK, api.status)
		assert.Equal(t, "400", api.header.Get("x-ratelimit-limit"), "four times that of an API token")
		assert.Equal(t, http.StatusForbidden, send(t, s, http.MethodGet, "/api/v2/users/1", access).status, "no scope covers it")
		s.Advance(time.Minute)
		assert.Equal(t, http.StatusUnauthorized, send(t, s, http.MethodGet, "/api/v2/deals", access).status)
	})
}

func TestOAuthRotation(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{OAuth: simulator.OAuth{Rotate: true}})
	first := s.OAuth().RefreshToken
	res := refresh(t, s, first)
	second := res.json("refresh_token").Str
	require.NotEqual(t, first, second)
	res = refresh(t, s, first)
	assert.Equal(t, http.StatusBadRequest, res.status)
	assert.JSONEq(t, `{"success":false,"message":"Invalid grant: refresh_token is invalid","error":"invalid_grant"}`, res.body)
	assert.Equal(t, http.StatusOK, refresh(t, s, second).status)
}

func TestOAuthRefreshTokenEndsAfterSixtyDaysWithoutUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{})
		for range 3 {
			assert.Equal(t, http.StatusOK, refresh(t, s, s.OAuth().RefreshToken).status)
			s.Advance(59 * 24 * time.Hour)
		}
		assert.Equal(t, http.StatusOK, refresh(t, s, s.OAuth().RefreshToken).status)
		s.Advance(60 * 24 * time.Hour)
		assert.Equal(t, http.StatusBadRequest, refresh(t, s, s.OAuth().RefreshToken).status)
	})
}

func TestOAuthRevocation(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{})
	access := refresh(t, s, s.OAuth().RefreshToken).json("access_token").Str
	assert.Equal(t, http.StatusOK, grant(t, s, "/oauth/revoke", url.Values{"token": {access}}).status)
	assert.Equal(t, http.StatusUnauthorized, send(t, s, http.MethodGet, "/v1/users", bearer(access)).status)
	access = refresh(t, s, s.OAuth().RefreshToken).json("access_token").Str
	s.ExpireAccessTokens()
	assert.Equal(t, http.StatusUnauthorized, send(t, s, http.MethodGet, "/v1/users", bearer(access)).status)
	access = refresh(t, s, s.OAuth().RefreshToken).json("access_token").Str
	assert.Equal(t, http.StatusOK, grant(t, s, "/oauth/revoke", url.Values{"token": {s.OAuth().RefreshToken}}).status)
	assert.Equal(t, http.StatusBadRequest, refresh(t, s, s.OAuth().RefreshToken).status)
	assert.Equal(t, http.StatusUnauthorized, send(t, s, http.MethodGet, "/v1/users", bearer(access)).status)
	assert.Equal(t, http.StatusOK, grant(t, s, "/oauth/revoke", url.Values{"token": {"unknown"}}).status)
}

func TestOAuthCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{})
		s.Uninstall()
		require.Equal(t, http.StatusBadRequest, refresh(t, s, s.OAuth().RefreshToken).status)
		const home = "https://app.example.com/back"
		exchange := func(code, uri string) reply {
			return grant(t, s, "/oauth/token", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {uri}})
		}
		code := s.IssueCode(home)
		assert.Contains(t, exchange(code, "https://elsewhere.example.com").body, "redirect_uri is invalid")
		res := exchange(code, home)
		require.Equal(t, http.StatusOK, res.status, res.body)
		assert.Equal(t, http.StatusOK, refresh(t, s, res.json("refresh_token").Str).status)
		assert.Contains(t, exchange(code, home).body, "authorization_code is invalid")
		code = s.IssueCode(home)
		s.Advance(5 * time.Minute)
		assert.Contains(t, exchange(code, home).body, "authorization_code has expired")
	})
}

func TestOAuthRefusals(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{})
	app := s.OAuth()
	form := func(body string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Body = io.NopCloser(strings.NewReader(body))
		}
	}
	asApp := func(body string) func(*http.Request) {
		return func(r *http.Request) { form(body)(r); r.SetBasicAuth(app.ClientID, app.ClientSecret) }
	}
	for _, tc := range []struct {
		name, errContains string
		set               func(*http.Request)
	}{
		{"no grant type", "Missing parameter: grant_type", asApp("x=1")},
		{"other grant type", "Unsupported grant type: grant_type is invalid", asApp("grant_type=password")},
		{"no client", "Invalid client: cannot retrieve client credentials", form("grant_type=refresh_token")},
		{"wrong client", "Invalid client: client is invalid", form("client_id=a&client_secret=b&grant_type=refresh_token")},
		{"not a form", "content must be application/x-www-form-urlencoded", func(r *http.Request) { r.SetBasicAuth(app.ClientID, app.ClientSecret) }},
		{"api token", "Invalid grant: api_token is invalid", asApp("grant_type=exchange_api_token&api_token=wrong")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := send(t, s, http.MethodPost, "/oauth/token", tc.set)
			assert.Equal(t, http.StatusBadRequest, res.status)
			assert.Contains(t, res.json("message").Str, tc.errContains)
		})
	}
}

func TestOAuthTellsCompaniesApart(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{})
	other := s.AddCompany(simulator.Options{})
	require.NotEqual(t, s.OAuth().RefreshToken, other.OAuth().RefreshToken)
	a := refresh(t, s, s.OAuth().RefreshToken).json("access_token").Str
	b := refresh(t, s, other.OAuth().RefreshToken).json("access_token").Str
	require.NotEqual(t, a, b)
	assert.Equal(t, int64(10400001), send(t, s, http.MethodGet, "/v1/users/me", bearer(a)).json("data.company_id").Int())
	assert.Equal(t, int64(10400002), send(t, s, http.MethodGet, "/v1/users/me", bearer(b)).json("data.company_id").Int())
}

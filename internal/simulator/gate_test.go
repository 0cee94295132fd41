package simulator_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

const frame401 = `{"success":false,"error":"unauthorized access","errorCode":401,"error_info":"Please check developers.pipedrive.com"}`

func TestCredentialIsCheckedBeforeThePath(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 1})
	for _, path := range []string{"/api/v2/deals", "/v1/nothing", "/nothing", "/v2/deals"} {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			res := send(t, s, method, path, func(r *http.Request) { r.Header.Set("x-api-token", "wrong") })
			assert.Equal(t, http.StatusUnauthorized, res.status, path)
			assert.JSONEq(t, frame401, res.body)
			assert.Equal(t, "true", res.header.Get("x-401-by-gw"))
			assert.Regexp(t, "^[0-9a-f-]{36}$", res.header.Get("x-correlation-id"))
			assert.Empty(t, res.header.Get("x-ratelimit-limit"))
		}
	}
	assert.Zero(t, s.TokensSpent())
}

func TestCredentialInEachPlace(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 1})
	for _, tc := range []struct {
		name, path string
		set        func(*http.Request)
		status     int
	}{
		{"header", "/api/v2/deals", func(r *http.Request) { r.Header.Set("x-api-token", s.Token()) }, 200},
		{"query", "/api/v2/deals?api_token=" + s.Token(), func(*http.Request) {}, 200},
		{"query, v1", "/v1/users?api_token=" + s.Token(), func(*http.Request) {}, 200},
		{"header wins", "/api/v2/deals?api_token=" + s.Token(), func(r *http.Request) { r.Header.Set("x-api-token", "wrong") }, 401},
		{"nothing", "/api/v2/deals", func(*http.Request) {}, 401},
		{"an API token is no bearer", "/api/v2/deals", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+s.Token()) }, 401},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.status, send(t, s, http.MethodGet, tc.path, tc.set).status)
		})
	}
}

func TestRevokedTokenIsRefused(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{})
	old := s.Token()
	s.RevokeToken()
	assert.Equal(t, http.StatusUnauthorized, get(t, s, "/v1/users/me").status)
	s.SetToken("another")
	assert.Equal(t, http.StatusOK, get(t, s, "/v1/users/me").status)
	res := send(t, s, http.MethodGet, "/v1/users/me", func(r *http.Request) { r.Header.Set("x-api-token", old) })
	assert.Equal(t, http.StatusUnauthorized, res.status)
}

func TestDeniedScope(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(2))
	s.DenyScope("leads")
	res := get(t, s, "/v1/leads")
	assert.Equal(t, http.StatusForbidden, res.status)
	assert.JSONEq(t, `{"success":false,"error":"Scope and URL mismatch","errorCode":403,"error_info":"Please check developers.pipedrive.com"}`, res.body)
	assert.Equal(t, http.StatusForbidden, get(t, s, "/v1/leads/"+s.IDs("leads")[0]).status)
	assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/deals").status)
	s.GrantScope("leads")
	assert.Equal(t, http.StatusOK, get(t, s, "/v1/leads").status)
}

func TestEachRequestCostsItsTokens(t *testing.T) {
	t.Parallel()
	s := simulator.New(func() simulator.Options { o := everything(2); o.DailyBudget = 10_000; return o }())
	for _, tc := range []struct {
		path string
		cost int
	}{
		{"/api/v2/deals", 10},
		{"/api/v2/deals/archived", 20},
		{"/api/v2/deals/1", 1},
		{"/api/v2/persons", 10},
		{"/api/v2/pipelines", 5},
		{"/api/v2/stages", 5},
		{"/api/v2/projects/archived", 10},
		{"/api/v2/tasks", 10},
		{"/v1/leads", 20},
		{"/v1/leads/archived", 40},
		{"/v1/notes/1", 2},
		{"/v1/users", 20},
		{"/v1/users/me", 2},
		{"/v1/callLogs", 20},
		{"/v1/activityTypes", 20},
		{"/api/v2/deals?limit=0", 10},
		{"/v1/nothing", 0},
	} {
		before := s.TokensSpent()
		res := get(t, s, tc.path)
		assert.Equal(t, tc.cost, s.TokensSpent()-before, tc.path)
		assert.Equal(t, "10000", res.header.Get("x-daily-ratelimit-token-limit"))
		assert.Equal(t, itoa(10_000-before), res.header.Get("x-daily-ratelimit-token-remaining"), "what was left before the charge")
	}
}

func TestDailyBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tallinn := time.FixedZone("two hours east", 2*60*60)
		s := simulator.New(simulator.Options{Deals: 1, DailyBudget: 25, ResetZone: tallinn}) // it is 02:00 there
		for range 3 {
			assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/deals").status, "the last one may overdraw")
		}
		res := get(t, s, "/api/v2/deals")
		assert.Equal(t, http.StatusTooManyRequests, res.status)
		assert.JSONEq(t, `{"success":false,"error":"daily request budget exceeded","errorCode":429,"error_info":"Please check developers.pipedrive.com"}`, res.body)
		assert.Equal(t, "0", res.header.Get("x-daily-ratelimit-token-remaining"))
		assert.NotEqual(t, "0", res.header.Get("x-ratelimit-remaining"))
		assert.Equal(t, itoa(22*60*60), res.header.Get("retry-after"))
		assert.Equal(t, 30, s.TokensSpent())

		s.SetQuirks(func(q *simulator.Quirks) { q.NoRetryAfter = true })
		s.Advance(22*time.Hour - time.Second)
		res = get(t, s, "/api/v2/deals")
		assert.Equal(t, http.StatusTooManyRequests, res.status)
		assert.Empty(t, res.header.Get("retry-after"))
		s.Advance(time.Second)
		assert.Equal(t, "25", get(t, s, "/api/v2/deals").header.Get("x-daily-ratelimit-token-remaining"))

		s.Spend(15)
		assert.Equal(t, 0, s.TokensLeft())
		assert.Equal(t, 40, s.TokensSpent())
		s.SetBudget(-1)
		res = get(t, s, "/api/v2/deals")
		assert.Equal(t, http.StatusOK, res.status)
		assert.Empty(t, res.header.Get("x-daily-ratelimit-token-limit"))
	})
}

func TestBurstWindowRolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{Deals: 1, Burst: 3})
		for left := 2; left >= 0; left-- {
			res := get(t, s, "/api/v2/deals")
			assert.Equal(t, "3", res.header.Get("x-ratelimit-limit"))
			assert.Equal(t, itoa(left), res.header.Get("x-ratelimit-remaining"))
			assert.Equal(t, "2", res.header.Get("x-ratelimit-reset"))
			s.Advance(500 * time.Millisecond)
		}
		res := get(t, s, "/api/v2/deals")
		assert.Equal(t, http.StatusTooManyRequests, res.status)
		assert.JSONEq(t, `{"success":false,"error":"request over limit","errorCode":429,"error_info":"Please check developers.pipedrive.com"}`, res.body)
		assert.Equal(t, "0", res.header.Get("x-ratelimit-remaining"))
		assert.Empty(t, res.header.Get("retry-after"))
		assert.Equal(t, 30, s.TokensSpent(), "what is refused costs nothing")

		s.SetQuirks(func(q *simulator.Quirks) { q.BurstRetryAfter = true })
		assert.Equal(t, "2", get(t, s, "/api/v2/deals").header.Get("retry-after"))
		s.Advance(500 * time.Millisecond) // two seconds after the first
		assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/deals").status)
		assert.Equal(t, http.StatusTooManyRequests, get(t, s, "/api/v2/deals").status)
		s.SetBurst(-1)
		assert.Empty(t, get(t, s, "/api/v2/deals").header.Get("x-ratelimit-limit"))
	})
}

func TestCloudflareBlocksWhoDoesNotHeed429(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{Deals: 1, Burst: 1, BlockAfter: 5, BlockFor: time.Minute})
		get(t, s, "/api/v2/deals")
		for range 20 { // who waits is not blocked
			require.Equal(t, http.StatusTooManyRequests, get(t, s, "/api/v2/deals").status)
			s.Advance(2 * time.Second)
			require.Equal(t, http.StatusOK, get(t, s, "/api/v2/deals").status)
		}
		s.Advance(2 * time.Second)
		get(t, s, "/api/v2/deals")
		for range 6 {
			require.Equal(t, http.StatusTooManyRequests, get(t, s, "/api/v2/deals").status)
		}
		res := get(t, s, "/api/v2/deals")
		assert.Equal(t, http.StatusForbidden, res.status)
		assert.Contains(t, res.header.Get("Content-Type"), "text/html")
		assert.Contains(t, res.body, "Cloudflare")
		s.Advance(time.Minute)
		assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/deals").status)
		for range 7 {
			get(t, s, "/api/v2/deals")
		}
		assert.Equal(t, http.StatusForbidden, get(t, s, "/api/v2/deals").status)
		s.Unblock()
		s.Advance(2 * time.Second)
		assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/deals").status)
	})
}

func TestCloudflareSparesOAuth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{Deals: 1, Burst: 1, BlockAfter: 3})
		access := bearer(refresh(t, s, s.OAuth().RefreshToken).json("access_token").Str)
		for range 20 {
			send(t, s, http.MethodGet, "/api/v2/deals", access)
		}
		assert.Equal(t, http.StatusTooManyRequests, send(t, s, http.MethodGet, "/api/v2/deals", access).status)
	})
}

func TestHeadersCanBeHidden(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{})
	names := []string{"x-ratelimit-limit", "x-daily-ratelimit-token-remaining", "Date", "x-correlation-id"}
	for _, name := range names {
		assert.NotEmpty(t, get(t, s, "/v1/users").header.Get(name))
	}
	s.HideHeaders(names...)
	res := get(t, s, "/v1/users")
	for _, name := range names {
		assert.Empty(t, res.header.Get(name))
	}
	assert.NotEmpty(t, res.header.Get("x-ratelimit-reset"))
	s.ShowHeaders("Date")
	assert.NotEmpty(t, get(t, s, "/v1/users").header.Get("Date"))
}

func TestSecondCompany(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 3, DailyBudget: 100})
	other := s.AddCompany(simulator.Options{Deals: 5, DailyBudget: 1000})
	require.NotEqual(t, s.Token(), other.Token())
	asOther := func(r *http.Request) { r.Header.Set("x-api-token", other.Token()) }
	assert.Len(t, get(t, s, "/api/v2/deals").json("data").Array(), 3)
	assert.Len(t, send(t, s, http.MethodGet, "/api/v2/deals", asOther).json("data").Array(), 5)
	assert.Len(t, get(t, other, "/api/v2/deals").json("data").Array(), 5)
	assert.Equal(t, 10, s.TokensSpent())
	assert.Equal(t, 20, other.TokensSpent())
	me, otherMe := get(t, s, "/v1/users/me"), get(t, other, "/v1/users/me")
	assert.NotEqual(t, me.json("data.company_id").Raw, otherMe.json("data.company_id").Raw)
	assert.Equal(t, "acme-sandbox", me.json("data.company_domain").Str)
	assert.Equal(t, "acme-sandbox2", otherMe.json("data.company_domain").Str)
	s.Advance(time.Hour)
	assert.WithinDuration(t, s.Now(), other.Now(), time.Minute)
}

package simulator_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// Each fault looks the same in process and on a socket.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		fault  simulator.Fault
		status int
		check  func(t *testing.T, res *http.Response, body string)
		tokens int
	}{
		{"500", simulator.Status(500), 500, isFrame, 10},
		{"502", simulator.Status(502), 502, isFrame, 0},
		{"503", simulator.Status(503), 503, isFrame, 0},
		{"504", simulator.Status(504), 504, isFrame, 0},
		{"402", simulator.Status(402), 402, isFrame, 10},
		{"415", simulator.Status(415), 415, isFrame, 10},
		{"401", simulator.Unauthorized401(), 401, isFrame, 0},
		{"scope", simulator.Scope403(), 403, isFrame, 0},
		{"burst", simulator.Burst429(), 429, func(t *testing.T, res *http.Response, body string) {
			isFrame(t, res, body)
			assert.Equal(t, "0", res.Header.Get("x-ratelimit-remaining"))
			assert.NotEqual(t, "0", res.Header.Get("x-daily-ratelimit-token-remaining"))
		}, 0},
		{"daily", simulator.Daily429(), 429, func(t *testing.T, res *http.Response, body string) {
			isFrame(t, res, body)
			assert.Equal(t, "0", res.Header.Get("x-daily-ratelimit-token-remaining"))
			assert.NotEmpty(t, res.Header.Get("retry-after"))
			assert.Contains(t, body, "daily request budget exceeded")
		}, 0},
		{"cloudflare", simulator.Cloudflare403(), 403, func(t *testing.T, res *http.Response, body string) {
			assert.Contains(t, res.Header.Get("Content-Type"), "text/html")
			assert.Contains(t, body, "<html")
		}, 0},
		{"truncated", simulator.Truncated(), 200, func(t *testing.T, _ *http.Response, body string) {
			assert.NotEmpty(t, body)
			assert.False(t, gjson.Valid(body))
		}, 10},
		{"empty", simulator.Empty(), 200, func(t *testing.T, _ *http.Response, body string) { assert.Empty(t, body) }, 10},
		{"unsuccessful", simulator.Unsuccessful(), 200, isFrame, 10},
		{"empty list", simulator.EmptyList(), 200, func(t *testing.T, _ *http.Response, body string) {
			assert.JSONEq(t, `{"success":true,"data":[]}`, body)
		}, 10},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := simulator.RunT(t, simulator.Options{Deals: 5})
			for i, client := range []*http.Client{{Transport: s.Transport()}, {Transport: &http.Transport{DisableKeepAlives: true}}} {
				s.FailNext(tc.fault)
				res, body := ask(t, client, s)
				assert.Equal(t, tc.status, res.StatusCode)
				tc.check(t, res, body)
				assert.NotEmpty(t, res.Header.Get("Date"))
				assert.Equal(t, i*10+(i+1)*tc.tokens, s.TokensSpent())
				res, body = ask(t, client, s)
				assert.Equal(t, http.StatusOK, res.StatusCode, "it happens once")
				assert.True(t, gjson.Valid(body))
			}
		})
	}
}

func isFrame(t *testing.T, _ *http.Response, body string) {
	t.Helper()
	assert.True(t, gjson.Valid(body))
	assert.False(t, gjson.Get(body, "success").Bool())
	assert.NotEmpty(t, gjson.Get(body, "error").Str)
}

func request(t *testing.T, ctx context.Context, s *simulator.Simulator, path string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+path, http.NoBody)
	require.NoError(t, err)
	req.Header.Set("x-api-token", s.Token())
	return req
}

func ask(t *testing.T, client *http.Client, s *simulator.Simulator) (*http.Response, string) {
	t.Helper()
	res, err := client.Do(request(t, t.Context(), s, "/api/v2/deals"))
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(body)
}

func TestLostConnections(t *testing.T) {
	t.Parallel()
	s := simulator.RunT(t, simulator.Options{Deals: 100, CloseConnections: true})
	for name, client := range map[string]*http.Client{
		"in process": {Transport: s.Transport()},
		"socket":     {Transport: &http.Transport{}},
	} {
		ask(t, client, s)
		s.FailNext(simulator.Reset())
		_, err := client.Do(request(t, t.Context(), s, "/api/v2/deals"))
		require.ErrorIs(t, err, syscall.ECONNRESET, name)

		s.FailNext(simulator.Cut())
		res, err := client.Do(request(t, t.Context(), s, "/api/v2/deals"))
		require.NoError(t, err, name)
		body, err := io.ReadAll(res.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, name)
		assert.NotEmpty(t, body)
		assert.NoError(t, res.Body.Close())
		ask(t, client, s)
	}
	assert.Zero(t, s.Requests()[1].Status)
	assert.Equal(t, 2*4, s.Count(""), "the client has repeated none by itself")
}

func TestFaultsOnOnePathInOrderAndForEver(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 200})
	s.FailNext(simulator.Status(500).On("/api/v2/deals").Times(2))
	s.FailNext(simulator.Status(503).On("/api/v2/deals"))
	assert.Equal(t, 200, get(t, s, "/api/v2/persons").status)
	for _, want := range []int{500, 500, 503, 200} {
		assert.Equal(t, want, get(t, s, "/api/v2/deals").status)
	}
	s.FailNext(simulator.BadCursor())
	first := get(t, s, "/api/v2/deals")
	assert.Equal(t, 200, first.status)
	next := "/api/v2/deals?cursor=" + first.json("additional_data.next_cursor").Str
	refused := get(t, s, next)
	assert.Equal(t, 400, refused.status)
	assert.Equal(t, "ERR_SCHEMA_VALIDATION_FAILED", refused.json("code").Str)
	assert.Equal(t, 200, get(t, s, next).status)

	s.FailAlways(simulator.Status(500))
	for range 20 {
		assert.Equal(t, 500, get(t, s, "/api/v2/deals").status)
	}
	assert.Equal(t, 200, refresh(t, s, s.OAuth().RefreshToken).status, "OAuth is not meant")
	s.Heal()
	assert.Equal(t, 200, get(t, s, "/api/v2/deals").status)
	s.FailNext(simulator.Status(503).On("/oauth/token"))
	assert.Equal(t, 503, refresh(t, s, s.OAuth().RefreshToken).status)
	assert.Equal(t, 200, refresh(t, s, s.OAuth().RefreshToken).status)
}

func TestSlowAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{Deals: 1})
		client := &http.Client{Transport: s.Transport()}
		begin := time.Now()
		s.FailNext(simulator.Slow(10 * time.Second))
		res, _ := ask(t, client, s)
		assert.Equal(t, 10*time.Second, time.Since(begin))
		assert.Equal(t, time.Now().UTC().Format(http.TimeFormat), res.Header.Get("Date"), "the Date is that of the end")

		s.FailNext(simulator.Status(503).After(time.Second))
		res, _ = ask(t, client, s)
		assert.Equal(t, 503, res.StatusCode)
		assert.Equal(t, 11*time.Second, time.Since(begin))

		s.FailNext(simulator.Slow(time.Hour))
		client.Timeout = time.Minute
		_, err := client.Do(request(t, t.Context(), s, "/api/v2/deals"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 71*time.Second, time.Since(begin))

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = client.Do(request(t, ctx, s, "/api/v2/deals"))
		require.True(t, errors.Is(err, context.Canceled))
	})
}

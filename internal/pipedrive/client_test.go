package pipedrive

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// secret is a credential that no text may show.
const secret = "5ec4e700aa11bb22cc33dd44ee55ff6677889900"

// diary keeps what a client tells its observer and its logger.
type diary struct {
	mu      sync.Mutex
	codes   []int
	limited []Kind
	spent   int
	lines   []string
}

func (d *diary) Request(_ string, code int, _ time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.codes = append(d.codes, code)
}

func (d *diary) Limited(kind Kind) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.limited = append(d.limited, kind)
}

func (d *diary) Spent(tokens int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spent += tokens
}

func (d *diary) Standing(Standing) {}

func (d *diary) Warnf(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}
func (d *diary) Infof(format string, args ...any)  { d.Warnf(format, args...) }
func (d *diary) Debugf(format string, args ...any) { d.Warnf(format, args...) }

func (d *diary) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.lines, "\n")
}

// serve answers on a socket until the test ends.
func serve(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server.URL
}

// dial makes a client with an API token.
func dial(t *testing.T, url string, change ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{BaseURL: url, APIToken: secret, Timeout: 10 * time.Second, DailyShare: 1, UserAgent: "test/1"}
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// say answers with a status, headers as `Name: value` and a body.
func say(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestListSendsWhatTheCatalogueSays(t *testing.T) {
	t.Parallel()
	var got *http.Request
	c := dial(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(context.Background())
		say(200, `{"success":true,"data":[{"id":1}],"additional_data":{"next_cursor":"n"}}`, "Date: Tue, 24 Nov 2026 09:15:00 GMT")(w, r)
	}))
	since := time.Date(2026, 11, 20, 11, 15, 0, 987654321, time.FixedZone("", 7200))

	page, err := c.List(t.Context(), row("deals"), Query{Since: since, Order: OldestFirst, Cursor: "a+b=", Start: 9})
	require.NoError(t, err)
	assert.Equal(t, "n", page.Next)
	assert.Equal(t, time.Date(2026, 11, 24, 9, 15, 0, 0, time.UTC), page.Time)
	assert.Equal(t, "/api/v2/deals", got.URL.Path)
	assert.Equal(t, "cursor=a%2Bb%3D&limit=500&sort_by=update_time&sort_direction=asc&status=open%2Cwon%2Clost%2Cdeleted&updated_since=2026-11-20T09%3A15%3A00Z", got.URL.Query().Encode())
	assert.Equal(t, secret, got.Header.Get("X-Api-Token"))
	assert.Equal(t, "test/1", got.UserAgent())

	_, err = c.List(t.Context(), row("notes"), Query{Order: NewestFirst, Start: 200, Limit: 100, Cursor: "x"})
	require.NoError(t, err)
	assert.Equal(t, "limit=100&sort=add_time+DESC&start=200", got.URL.Query().Encode())

	_, err = c.List(t.Context(), row("users"), Query{Start: 200, Limit: 100, Cursor: "x", Since: since, Order: OldestFirst})
	require.NoError(t, err)
	assert.Empty(t, got.URL.RawQuery)
}

func TestRecordReadsOne(t *testing.T) {
	t.Parallel()
	c := dial(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != "/v1/leads/a%2Fb" {
			say(404, `{"success":false,"error":"not this one"}`)(w, r)
			return
		}
		say(200, `{"success":true,"data":{"id":"a/b","update_time":"2026-11-20T09:15:00.123Z"}}`)(w, r)
	}))
	r, err := c.Record(t.Context(), row("leads"), "a/b")
	require.NoError(t, err)
	assert.Equal(t, "a/b", r.ID)
	assert.Equal(t, 123*time.Millisecond, time.Duration(r.Updated.Nanosecond()))
	_, err = c.Record(t.Context(), row("activity_types"), "1")
	assert.ErrorContains(t, err, "no such request")
}

func TestMeSaysWhoseTheCredentialIs(t *testing.T) {
	t.Parallel()
	shared := NewShared()
	c := dial(t, serve(t, say(200, `{"success":true,"data":{"id":9007199254740993,"company_id":77,"company_name":"Acme \u00d6","company_domain":"acme"}}`,
		"Date: Tue, 24 Nov 2026 09:15:00 GMT")), func(cfg *Config) { cfg.Shared = shared })
	me, err := c.Me(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Account{
		CompanyID: "77", CompanyName: "Acme Ö", Host: "acme.pipedrive.com", UserID: "9007199254740993",
		ServerTime: time.Date(2026, 11, 24, 9, 15, 0, 0, time.UTC),
	}, me)
	assert.Same(t, shared.companies["77"], c.budget())
	assert.EqualValues(t, 2, c.Spend().Tokens)
}

func TestTheTimeoutHoldsForTheBodyToo(t *testing.T) {
	t.Parallel()
	c := dial(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"success":true,"data":[`))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}), func(cfg *Config) { cfg.Timeout = 50 * time.Millisecond })
	_, err := c.List(t.Context(), row("deals"), Query{})
	var later *LaterError
	require.ErrorAs(t, err, &later)
	assert.Equal(t, KindNetwork, later.Kind)
	assert.ErrorContains(t, err, "no whole answer within 50ms")
	assert.NotErrorIs(t, err, context.DeadlineExceeded, "that is for the caller's own context")
}

func TestTheCallersContextComesThrough(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c := dial(t, serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	_, err := c.List(ctx, row("deals"), Query{})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "listing deals: GET /api/v2/deals: context canceled")
	var later *LaterError
	assert.NotErrorAs(t, err, &later)
}

func TestAnAnswerLargerThanTheLimitIsRefused(t *testing.T) {
	t.Parallel()
	for name, told := range map[string]bool{"told": true, "chunked": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if told {
					w.Header().Set("Content-Length", fmt.Sprint(maxBody+1))
				}
				chunk := bytes.Repeat([]byte(" "), 1<<20)
				for range 65 {
					if _, err := w.Write(chunk); err != nil {
						return
					}
				}
			}))
			_, err := c.List(t.Context(), row("deals"), Query{})
			require.ErrorContains(t, err, "answer larger than 64MiB")
			var later *LaterError
			require.ErrorAs(t, err, &later)
			assert.Equal(t, KindGarbled, later.Kind)
		})
	}
}

func TestAPathNeverLeadsToAnotherHost(t *testing.T) {
	t.Parallel()
	asked := false
	c := dial(t, serve(t, func(http.ResponseWriter, *http.Request) { asked = true }))
	for _, path := range []string{"@evil.example/x", ".evil.example/x", "x", ""} {
		_, err := c.List(t.Context(), &entity.Object{Name: "custom", Path: path, ID: "id"}, Query{})
		var refused *RefusedError
		require.ErrorAs(t, err, &refused, path)
	}
	assert.False(t, asked)
}

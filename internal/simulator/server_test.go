package simulator_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

func TestDateIsTheSimulatorsClock(t *testing.T) {
	t.Parallel()
	s := simulator.RunT(t, simulator.Options{Deals: 1})
	s.Advance(1000 * time.Hour)
	for _, client := range []*http.Client{{Transport: s.Transport()}, {Transport: &http.Transport{DisableKeepAlives: true}}} {
		res, _ := ask(t, client, s)
		require.Len(t, res.Header.Values("Date"), 1)
		date, err := http.ParseTime(res.Header.Get("Date"))
		require.NoError(t, err)
		assert.WithinDuration(t, s.Now(), date, 10*time.Second)
	}
	s.HideHeaders("Date")
	for _, client := range []*http.Client{{Transport: s.Transport()}, {Transport: &http.Transport{DisableKeepAlives: true}}} {
		res, _ := ask(t, client, s)
		assert.Empty(t, res.Header.Values("Date"))
	}
}

func TestCloseEndsSlowAnswersAndMayBeCalledTwice(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{})
	require.NoError(t, s.Close(), "before Start")
	assert.Equal(t, "http://pipedrive.invalid", s.URL())
	require.NoError(t, s.Start("127.0.0.1:0"))
	require.ErrorContains(t, s.Start("127.0.0.1:0"), "runs already")
	arrived := make(chan struct{})
	s.OnRequest(func(*http.Request) { close(arrived) })
	s.FailNext(simulator.Slow(time.Hour))
	ended := make(chan error)
	req := request(t, t.Context(), s, "/v1/users")
	go func() {
		res, err := (&http.Transport{}).RoundTrip(req)
		if err == nil {
			res.Body.Close()
		}
		ended <- err
	}()
	<-arrived
	begin := time.Now()
	require.NoError(t, s.Close())
	require.Error(t, <-ended)
	assert.Less(t, time.Since(begin), time.Second)
	require.NoError(t, s.Close())
	require.ErrorContains(t, s.Start("nowhere.invalid:1"), "listening on nowhere.invalid:1")
	require.NoError(t, s.Start("127.0.0.1:0"), "it can be started again")
	require.NoError(t, s.Close())
}

func TestRequestsAreRemembered(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 3, RequestLog: 3})
	get(t, s, "/api/v2/deals/1")
	get(t, s, "/api/v2/deals/2")
	get(t, s, "/api/v2/deals?limit=2")
	send(t, s, http.MethodGet, "/v1/users?api_token=wrong", func(*http.Request) {})
	last := s.Requests()
	require.Len(t, last, 3, "the log is bounded")
	assert.Equal(t, "/api/v2/deals/2", last[0].Path)
	assert.Equal(t, []string{"X-Api-Token"}, last[1].Headers)
	assert.Equal(t, "2", last[1].Query.Get("limit"))
	assert.Equal(t, 10, last[1].Tokens)
	assert.Equal(t, http.StatusUnauthorized, last[2].Status)
	assert.Equal(t, "wrong", last[2].Query.Get("api_token"))
	assert.Equal(t, 4, s.Count(""))
	assert.Equal(t, 2, s.Count("/api/v2/deals/{id}"))
	assert.Equal(t, 3, s.Count("/api/v2/deals"))
	get(t, s, "/api/v1/leads")
	assert.Equal(t, 1, s.Count("/v1/leads"), "one path, two prefixes")
	s.ForgetRequests()
	assert.Zero(t, s.Count(""))
	assert.Empty(t, s.Requests())
}

func TestPathsAndHosts(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(2))
	for _, tc := range []struct {
		path          string
		status, onAPI int
	}{
		{"/v1/leads", 200, 200},
		{"/api/v1/leads", 200, 404},
		{"/api/v1/leads/archived", 200, 404},
		{"/api/v1/notes", 200, 200},
		{"/api/v1/leadLabels", 404, 404},
		{"/v2/deals", 404, 404},
		{"/api/v2/nothing", 404, 404},
		{"/v1/deals", 404, 404},
		{"/v1/activityTypes/1", 404, 404},
		{"/api/v1/users/me", 200, 200},
	} {
		s.SetQuirks(func(q *simulator.Quirks) { q.APIHost = false })
		assert.Equal(t, tc.status, get(t, s, tc.path).status, tc.path)
		s.SetQuirks(func(q *simulator.Quirks) { q.APIHost = true })
		assert.Equal(t, tc.onAPI, get(t, s, tc.path).status, tc.path)
	}
	assert.JSONEq(t, `{"status":false,"error":"Unknown method ."}`, get(t, s, "/v1/nothing").body)
	res := send(t, s, http.MethodDelete, "/api/v2/deals/1", func(r *http.Request) { r.Header.Set("x-api-token", s.Token()) })
	assert.Equal(t, http.StatusMethodNotAllowed, res.status)
}

func TestSingleRecords(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(3))
	for name, path := range paths {
		if len(s.IDs(name)) == 0 || name == "activity_types" {
			continue
		}
		id := s.IDs(name)[1]
		res := get(t, s, path+"/"+id)
		require.Equal(t, http.StatusOK, res.status, path)
		assert.JSONEq(t, string(s.State(name)[id]), res.json("data").Raw)
		assert.Equal(t, []string{"success", "data"}, keysOf(res.json("@this")))
		assert.Equal(t, http.StatusNotFound, get(t, s, path+"/999").status)
	}
	for path, text := range map[string]string{
		"/api/v2/deals/9": "Entity was not found", "/v1/leads/9": "requested lead not found",
		"/v1/users/9": "User not found or not accessible.", "/v1/notes/9": "Note not found",
	} {
		assert.Equal(t, text, get(t, s, path).json("error").Str)
	}
	assert.Contains(t, get(t, s, "/v1/leads").header.Get("Content-Type"), "charset=utf-8")
	assert.Equal(t, "application/json", get(t, s, "/v1/notes").header.Get("Content-Type"))
	me := get(t, s, "/v1/users/me")
	assert.Equal(t, "1", me.json("data.id").Raw)
	assert.Equal(t, "10400001", me.json("data.company_id").Raw)
	assert.Equal(t, "en", me.json("data.language.language_code").Str)
}

// A hook may write: the page that was asked for shows it, and pages before it do not.
func TestOnRequestWritesBetweenPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{Deals: 4})
		s.OnRequest(func(r *http.Request) {
			if r.URL.Query().Has("cursor") {
				s.OnRequest(nil)
				s.Add("deals", simulator.Fields{"title": "New"})
			}
		})
		first := get(t, s, "/api/v2/deals?limit=2")
		assert.Len(t, first.json("data").Array(), 2)
		assert.Len(t, s.IDs("deals"), 4)
		second := get(t, s, "/api/v2/deals?limit=9&cursor="+first.json("additional_data.next_cursor").Str)
		assert.Equal(t, "New", second.json("data.2.title").Str)
	})
}

func TestReadersAndWritersTogether(t *testing.T) {
	t.Parallel()
	s := simulator.RunT(t, simulator.Options{Deals: 500, Persons: 20, Organizations: 20, DailyBudget: -1, Burst: -1, CachePages: true})
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			client := &http.Client{Transport: s.Transport()}
			for i := range 30 {
				switch worker {
				case 0:
					s.Touch("deals", itoa(1+i))
				case 1:
					s.AddMany("deals", 3)
					s.Advance(time.Second)
				default:
					ask(t, client, s)
				}
			}
		})
	}
	all.Wait()
	assert.Len(t, s.State("deals"), 590)
	assert.Equal(t, 60, s.Count("/api/v2/deals"))
}

package simulator_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

func sortedNames(h http.Header) []string { return slices.Sorted(maps.Keys(h)) }

// wish asks for a webhook; the fields are added to those that are needed, or replace them.
func wish(t *testing.T, s *simulator.Simulator, fields string) reply {
	t.Helper()
	body := `{"name":"ours","subscription_url":"https://hooks.example.com/pd","event_action":"*","event_object":"deal"` + fields + `}`
	return send(t, s, http.MethodPost, "/v1/webhooks", func(r *http.Request) {
		r.Header.Set("x-api-token", s.Token())
		r.Body = io.NopCloser(strings.NewReader(body))
	})
}

func remove(t *testing.T, s *simulator.Simulator, id string) reply {
	t.Helper()
	return send(t, s, http.MethodDelete, "/api/v1/webhooks/"+id, func(r *http.Request) { r.Header.Set("x-api-token", s.Token()) })
}

func TestWebhooksAreManaged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(everything(2))
		defer func() { require.NoError(t, s.Close()) }()
		assert.JSONEq(t, `{"status":"ok","success":true,"data":[]}`, get(t, s, "/v1/webhooks").body)
		made := wish(t, s, `,"http_auth_user":"hook","http_auth_password":"geheim"`)
		require.Equal(t, http.StatusCreated, made.status, made.body)
		assert.Equal(t, []string{
			"id", "name", "company_id", "owner_id", "user_id", "event_action", "event_object", "subscription_url", "is_active",
			"add_time", "remove_time", "type", "http_auth_user", "http_auth_password", "remove_reason", "version",
		}, keysOf(made.json("data")))
		assert.JSONEq(t, `["ok",true]`, made.json("[status,success]").Raw)
		assert.JSONEq(t, `[1900001,"2.0",1,"general",1,null]`, made.json("data.[id,version,is_active,type,user_id,remove_time]").Raw)
		for _, key := range []string{"http_auth_user", "http_auth_password"} {
			assert.Regexp(t, `^v1u:[A-Za-z0-9_-]{340}$`, made.json("data."+key).Str)
		}
		r := &receiver{status: 401}
		s.Deliver(r)
		s.Touch("deals", "1")
		drain(t, s)
		assert.Equal(t, "Basic aG9vazpnZWhlaW0=", r.got[0].header.Get("Authorization"))
		s.Ban(1900001)
		listed := get(t, s, "/api/v1/webhooks").json("data.0")
		assert.Equal(t, append(keysOf(made.json("data")), "admin_id", "last_delivery_time", "last_http_status"), keysOf(listed))
		assert.JSONEq(t, `[0,401]`, listed.Get("[is_active,last_http_status]").Raw)
		assert.Equal(t, s.Now().Format("2006-01-02T15:04:05.000Z"), listed.Get("last_delivery_time").Str)

		twin := wish(t, s, "")
		assert.Equal(t, "1900002", twin.json("data.id").Raw, "the same URL may be registered twice")
		assert.Equal(t, "null", twin.json("data.http_auth_user").Raw)
		assert.JSONEq(t, `{"status":"ok","success":true}`, remove(t, s, "1900001").body)
		gone := remove(t, s, "1900001")
		assert.Equal(t, http.StatusNotFound, gone.status)
		assert.JSONEq(t, `{"status":"error","success":false,"errors":{"id":["not found"]}}`, gone.body)
		assert.Equal(t, "[1900002]", get(t, s, "/v1/webhooks").json("data.#.id").Raw)
		assert.False(t, s.Webhooks()[0].Removed.IsZero())
	})
}

func TestWebhookCalls(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(2))
	require.Equal(t, http.StatusCreated, wish(t, s, "").status)
	get(t, s, "/v1/webhooks")
	remove(t, s, "1900001")
	assert.Equal(t, 26, s.TokensSpent(), "10, 10 and 6")
	assert.Equal(t, 2, s.Count("/v1/webhooks")-s.Count("/v1/webhooks/{id}"))
	assert.Equal(t, http.StatusNotFound, get(t, s, "/api/v2/webhooks").status)
	assert.Equal(t, http.StatusMethodNotAllowed, get(t, s, "/v1/webhooks/1900001").status)
	s.FailNext(simulator.Status(503).On("/v1/webhooks"))
	assert.Equal(t, 503, get(t, s, "/v1/webhooks").status)
	res := send(t, s, http.MethodPost, "/v1/webhooks", func(*http.Request) {})
	assert.Equal(t, http.StatusUnauthorized, res.status)
}

func TestWebhooksThatAreRefused(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(2))
	for _, tc := range []struct{ fields, field, text string }{
		{`,"event_action":""`, "event_action", "can't be blank"},
		{`,"event_object":""`, "event_object", "can't be blank"},
		{`,"subscription_url":""`, "subscription_url", "can't be blank"},
		{`,"name":""`, "name", "can't be blank"},
		{`,"name":"` + strings.Repeat("x", 256) + `"`, "name", "is too long (maximum is 255 characters)"},
		{`,"event_action":"updated"`, "event_action", "is not included in the list"},
		{`,"version":"1.0","event_action":"change"`, "event_action", "is not included in the list"},
		{`,"version":"1.0","event_object":"lead"`, "event_object", "is not included in the list"},
		{`,"event_object":"deals"`, "event_object", "is not included in the list"},
		{`,"version":"3.0"`, "version", "is not included in the list"},
		{`,"user_id":99`, "user_id", "not found"},
		{`,"subscription_url":"/pd"`, "subscription_url", "invalid or non-reachable URL"},
		{`,"subscription_url":"ftp://hooks.example.com"`, "subscription_url", "invalid or non-reachable URL"},
		{`,"subscription_url":"https://api.pipedrive.com/v1/deals"`, "subscription_url", "invalid or non-reachable URL"},
	} {
		res := wish(t, s, tc.fields)
		assert.Equal(t, http.StatusBadRequest, res.status, tc.fields)
		assert.JSONEq(t, fmt.Sprintf(`{"status":"error","success":false,"errors":{%q:[%q]}}`, tc.field, tc.text), res.body)
	}
	for _, fields := range []string{`,"version":"1.0","event_object":"activityType"`, `,"event_object":"deal_product"`, `,"user_id":2`, `,"event_object":"*"`} {
		assert.Equal(t, http.StatusCreated, wish(t, s, fields).status, fields)
	}
	assert.Equal(t, "1.0", s.Webhooks()[0].Version)
	assert.EqualValues(t, 2, s.Webhooks()[2].UserID)
	res := send(t, s, http.MethodPost, "/v1/webhooks", func(r *http.Request) { r.Header.Set("x-api-token", s.Token()) })
	assert.Len(t, keysOf(res.json("errors")), 4)
}

func TestFortyWebhooksPerUser(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(2))
	for range 40 {
		require.Equal(t, http.StatusCreated, wish(t, s, "").status)
	}
	assert.Equal(t, http.StatusUnprocessableEntity, wish(t, s, "").status)
	assert.Equal(t, http.StatusOK, remove(t, s, "1900007").status)
	assert.Equal(t, http.StatusCreated, wish(t, s, "").status)
}

func TestWebhooksOfOthersAreNotTouched(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(2))
	other := s.Subscribe(simulator.Webhook{URL: "https://hooks.example.com/x", OwnerID: 2})
	app := s.Subscribe(simulator.Webhook{URL: "https://hooks.example.com/x", Type: "application"})
	assert.Equal(t, "[]", get(t, s, "/v1/webhooks").json("data").Raw)
	for _, id := range []int64{other, app} {
		res := remove(t, s, itoa(int(id)))
		assert.Equal(t, http.StatusForbidden, res.status)
		assert.JSONEq(t, `{"success":false,"message":"Forbidden"}`, res.body)
	}
	access := refresh(t, s, s.OAuth().RefreshToken).json("access_token").Str
	listed := send(t, s, http.MethodGet, "/v1/webhooks", bearer(access))
	assert.Equal(t, fmt.Sprintf("[%d]", app), listed.json("data.#.id").Raw)
}

// With CheckURLs the URL is called before the webhook is made.
func TestURLsThatAreCalled(t *testing.T) {
	t.Parallel()
	s := simulator.RunT(t, simulator.Options{Quirks: simulator.Quirks{CheckURLs: true}})
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer hook.Close()
	for path, status := range map[string]int{"/": 201, "/moved": 400} {
		assert.Equal(t, status, wish(t, s, `,"subscription_url":"`+hook.URL+path+`"`).status, path)
	}
	hook.Close()
	assert.Equal(t, 400, wish(t, s, `,"subscription_url":"`+hook.URL+`"`).status)
}

// Over sockets: real requests, several at once, retries by Advance, and nothing left behind.
func TestDeliveriesOverTheNetwork(t *testing.T) {
	t.Parallel()
	r := &receiver{status: http.StatusOK}
	hook := httptest.NewServer(r)
	defer hook.Close()
	s := simulator.RunT(t, everything(200))
	s.Subscribe(simulator.Webhook{URL: hook.URL + "/pd"})
	s.BulkUpdate("deals", s.IDs("deals"), simulator.Fields{"value": 1})
	drain(t, s)
	assert.Len(t, r.all(), 200)
	assert.Equal(t, map[simulator.Outcome]int{simulator.Delivered: 200}, outcomes(s))
	assert.Contains(t, r.got[0].header, "Content-Length")

	r.answer(302)
	tried := make(chan simulator.Delivery, 9)
	s.OnDelivery(func(d simulator.Delivery) { tried <- d })
	s.Touch("deals", "1")
	assert.Equal(t, 302, (<-tried).Tries[0].Status)
	r.answer(204)
	s.Advance(3 * time.Second)
	assert.Equal(t, simulator.Delivered, (<-tried).Outcome)
	hook.Close()
	s.Touch("deals", "1")
	require.Error(t, (<-tried).Tries[0].Err)

	require.NoError(t, s.Close())
	require.NoError(t, s.Start("127.0.0.1:0"), "what is pending goes on")
	s.DeliverTo(&http.Transport{DisableKeepAlives: true})
	s.Advance(3 * time.Second)
	assert.Len(t, (<-tried).Tries, 2)
}

func TestPersonsOfADeal(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(8))
	s.Update("deals", "3", simulator.Fields{"person_id": 5})
	s.Update("deals", "4", simulator.Fields{"person_id": nil})
	assert.Equal(t, "[5]", get(t, s, "/api/v2/persons?deal_id=3").json("data.#.id").Raw)
	for _, deal := range []string{"4", "99"} {
		assert.Equal(t, "[]", get(t, s, "/api/v2/persons?deal_id="+deal).json("data").Raw)
	}
	assert.Equal(t, http.StatusBadRequest, get(t, s, "/api/v2/persons?deal_id=x").status)
}

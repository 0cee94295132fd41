package pipedrive

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

const hookRow = `{"id":90071992547409931,"company_id":77,"owner_id":11,"user_id":12,"admin_id":11,"event_action":"change",
	"event_object":"deal","subscription_url":"https://hooks.example.com/in","version":"2.0","is_active":1,"type":"general",
	"name":"ours","add_time":"2026-11-20T08:00:00.000Z","remove_time":null,"remove_reason":null,
	"last_delivery_time":"2026-11-20T09:00:00.000Z","last_http_status":401,"http_auth_user":"v1u:opaque","http_auth_password":"v1u:opaque"}`

var hookOfRow = Webhook{
	ID: "90071992547409931", Name: "ours", URL: "https://hooks.example.com/in", Action: "change", Object: "deal",
	Version: "2.0", Type: "general", OwnerID: "11", UserID: "12", Active: true, LastStatus: 401,
	LastDelivery: "2026-11-20T09:00:00.000Z", Added: "2026-11-20T08:00:00.000Z",
}

func TestWebhooksAreListed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body  string
		want        []Webhook
		errContains string
	}{
		{"one", `{"status":"ok","success":true,"data":[` + hookRow + `]}`, []Webhook{hookOfRow}, ""},
		{"none", `{"status":"ok","success":true,"data":[]}`, []Webhook{}, ""},
		{"null", `{"status":"ok","success":true,"data":null}`, []Webhook{}, ""},
		{
			"as old accounts have them", `{"success":true,"data":[{"id":1,"is_active":0,"last_http_status":null}],"additional_data":{}}`,
			[]Webhook{{ID: "1"}},
			"",
		},
		{"removed ones are none", `{"success":true,"data":[{"id":1,"remove_time":"2026-11-20T08:00:00.000Z"}]}`, []Webhook{}, ""},
		{"no data", `{"status":"ok","success":true}`, nil, "data is no list"},
		{"an object", `{"success":true,"data":{}}`, nil, "data is no list"},
		{"a row without an id", `{"success":true,"data":[` + hookRow + `,{"name":"x"}]}`, nil, "row 1: the id is no number"},
		{"a row that is null", `{"success":true,"data":[null]}`, nil, "row 0: the id is no number"},
		{"an id that is a path", `{"success":true,"data":[{"id":"1/2"}]}`, nil, "row 0: the id is no number"},
		{"no success", `{"status":"error","success":false}`, nil, "success is not true"},
		{"cut", `{"success":true,"data":[`, nil, "the text ends"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := dial(t, serve(t, say(200, test.body))).Webhooks(t.Context())
			assert.Equal(t, test.want, got)
			if test.errContains == "" {
				assert.NoError(t, err)
				return
			}
			requireLater(t, err, KindGarbled)
			assert.ErrorContains(t, err, "listing webhooks: GET /v1/webhooks")
			assert.ErrorContains(t, err, test.errContains)
		})
	}
}

// sent is what a server was asked.
type sent struct {
	method, path, kind string
	body               map[string]any
}

// keep answers and writes down the request.
func keep(t *testing.T, to *[]sent, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s := sent{method: r.Method, path: r.URL.RequestURI(), kind: r.Header.Get("Content-Type")}
		if body, err := io.ReadAll(r.Body); assert.NoError(t, err) && len(body) > 0 {
			assert.NoError(t, json.Unmarshal(body, &s.body))
		}
		*to = append(*to, s)
		answer(w, r)
	}
}

func TestAWebhookIsMadeAsAsked(t *testing.T) {
	t.Parallel()
	var asked []sent
	c := dial(t, serve(t, keep(t, &asked, say(201, `{"status":"ok","success":true,"data":`+hookRow+`}`))))
	made, err := c.CreateWebhook(t.Context(), NewWebhook{
		URL: "https://hooks.example.com/in", Name: `"ours" & theirs`, Action: "change", Object: "deal", Version: "2.0",
		UserID: "12", Username: "hook", Password: `p"ß<`,
	})
	require.NoError(t, err)
	assert.Equal(t, hookOfRow, made)
	_, err = c.CreateWebhook(t.Context(), NewWebhook{URL: "u", Name: "n", Action: "*", Object: "*"})
	require.NoError(t, err)
	_, err = c.CreateWebhook(t.Context(), NewWebhook{UserID: "1,2"})
	require.ErrorContains(t, err, `user_id: "1,2" came`)
	assert.Equal(t, []sent{
		{http.MethodPost, "/v1/webhooks", "application/json", map[string]any{
			"subscription_url": "https://hooks.example.com/in", "name": `"ours" & theirs`, "event_action": "change",
			"event_object": "deal", "version": "2.0", "user_id": 12.0, "http_auth_user": "hook", "http_auth_password": `p"ß<`,
		}},
		{http.MethodPost, "/v1/webhooks", "application/json", map[string]any{
			"subscription_url": "u", "name": "n", "event_action": "*", "event_object": "*",
		}},
	}, asked)
}

func TestEveryRefusalOfAWebhookIsADecision(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		answer      http.HandlerFunc
		want        any
		errContains string
	}{
		{
			"a URL that cannot be reached",
			say(400, `{"status":"error","success":false,"errors":{"subscription_url":["invalid or non-reachable URL"]}}`),
			new(*RefusedError), "POST /v1/webhooks: 400 Bad Request: subscription_url: invalid or non-reachable URL",
		},
		{
			"several fields",
			say(400, `{"status":"error","success":false,"errors":{"event_action":["can't be blank"],"name":["a","b"]}}`),
			new(*RefusedError), "event_action: can't be blank, name: a, b",
		},
		{"forbidden", say(403, `{"success":false,"message":"Forbidden"}`), new(*ForbiddenError), "403 Forbidden"},
		{"one too many", say(422, `{"status":"error","success":false,"errors":{"user_id":["limit"]}}`), new(*WebhookLimitError), "422 Unprocessable Entity: user_id: limit"},
		{"401", say(401, `{"success":false,"error":"unauthorized access","errorCode":401}`), new(*CredentialError), "unauthorized access"},
		{"503", say(503, ``), new(*LaterError), "503"},
		{"201 cut", say(201, `{"success":true,"data":{"id":1`), new(*LaterError), "the text ends"},
		{"201 cut on the wire", say(201, `{"success":true`, "Content-Length: 5000"), new(*LaterError), "the answer was cut"},
		{"201 without one", say(201, `{"success":true,"data":null}`), new(*LaterError), "the id is no number"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := dial(t, serve(t, test.answer)).CreateWebhook(t.Context(), NewWebhook{URL: "u"})
			require.ErrorAs(t, err, test.want)
			assert.ErrorContains(t, err, "creating a webhook: POST /v1/webhooks: ")
			assert.ErrorContains(t, err, test.errContains)
		})
	}
}

func TestAWebhookIsDeleted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		want   any // nil: it is deleted
	}{
		{"deleted", say(200, `{"status":"ok","success":true}`), nil},
		{"deleted, with 410", say(410, `{"success":true,"data":{"id":7}}`), nil},
		{"gone already", say(404, `{"status":"error","success":false,"errors":{"id":["not found"]}}`), new(*GoneError)},
		{"somebody else's", say(403, `{"success":false,"message":"Forbidden"}`), new(*ForbiddenError)},
		{"200 that failed", say(200, `{"status":"error","success":false}`), new(*LaterError)},
		{"200 empty", say(200, ``), new(*LaterError)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var asked []sent
			err := dial(t, serve(t, keep(t, &asked, test.answer))).DeleteWebhook(t.Context(), "7")
			assert.Equal(t, []sent{{method: http.MethodDelete, path: "/v1/webhooks/7"}}, asked)
			if test.want == nil {
				assert.NoError(t, err)
				return
			}
			require.ErrorAs(t, err, test.want)
			assert.ErrorContains(t, err, "deleting webhook 7: DELETE /v1/webhooks/7")
		})
	}
}

func TestAWebhooksPasswordIsNotRepeated(t *testing.T) {
	t.Parallel()
	const password = `5ec4e7"of/the hook`
	for _, status := range []int{200, 201, 302, 400, 403, 404, 422, 500} {
		for _, shape := range []string{"error", "message"} {
			body, err := json.Marshal(map[string]any{"success": false, shape: "sent " + password})
			require.NoError(t, err)
			_, err = dial(t, serve(t, say(status, string(body)))).CreateWebhook(t.Context(), NewWebhook{Password: password})
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "5ec4e7")
		}
		body, err := json.Marshal(map[string]any{"success": false, "errors": map[string]any{"http_auth_password": []string{password}}})
		require.NoError(t, err)
		_, err = dial(t, serve(t, say(status, string(body)))).CreateWebhook(t.Context(), NewWebhook{Password: password})
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "5ec4e7")
	}
}

// An access token may run out between the look and the repair: what is sent again carries its body again.
func TestAWebhookIsMadeThoughTheAccessTokenHasExpired(t *testing.T) {
	t.Parallel()
	tokens := 0
	var asked []sent
	c := dial(t, "https://acme.example", func(cfg *Config) {
		cfg.APIToken = ""
		cfg.OAuth = &OAuth{ClientID: "c", ClientSecret: secret, RefreshToken: "r", TokenURL: "https://oauth.example/t"}
	}, via(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Host == "oauth.example" {
			tokens++
			say(200, fmt.Sprintf(`{"access_token":"access-%d","refresh_token":"r","expires_in":3600}`, tokens))(w, r)
			return
		}
		answer := say(201, `{"success":true,"data":`+hookRow+`}`)
		if r.Header.Get("Authorization") == "Bearer access-1" {
			answer = say(401, `{"success":false,"error":"expired"}`)
		}
		keep(t, &asked, answer)(w, r)
	})))
	_, err := c.CreateWebhook(t.Context(), NewWebhook{URL: "https://hooks.example.com/in", Name: "ours", Action: "*", Object: "*"})
	require.NoError(t, err)
	require.Len(t, asked, 2)
	require.NotEmpty(t, asked[0].body)
	assert.Equal(t, asked[0], asked[1])
}

func TestManagingWebhooksCostsWhatPipedriveCharges(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{})
	c := dial(t, sim.URL(), as(sim))
	made, err := c.CreateWebhook(t.Context(), NewWebhook{URL: "https://hooks.example.com/in", Name: "ours", Action: "change", Object: "deal", Username: "hook", Password: secret})
	require.NoError(t, err)
	listed, err := c.Webhooks(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []Webhook{made}, listed)
	require.NoError(t, c.DeleteWebhook(t.Context(), made.ID))
	require.ErrorAs(t, c.DeleteWebhook(t.Context(), made.ID), new(*GoneError))
	assert.EqualValues(t, 10+10+6+6, c.Spend().Tokens)
	assert.EqualValues(t, sim.TokensSpent(), c.Spend().Tokens)

	for range WebhooksPerUser {
		sim.Subscribe(simulator.Webhook{URL: "https://other.example.com"})
	}
	_, err = c.CreateWebhook(t.Context(), NewWebhook{URL: "https://hooks.example.com/in", Name: "ours", Action: "*", Object: "*"})
	require.ErrorAs(t, err, new(*WebhookLimitError))
}

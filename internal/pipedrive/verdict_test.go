package pipedrive

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each row of the table of refusals is one decision.
func TestEveryAnswerHasItsOwnTreatment(t *testing.T) {
	t.Parallel()
	const frame = `{"success":false,"error":"in their words","error_info":"x","data":null}`
	const html = `<!DOCTYPE html><html><head><title>Access denied</title>`
	later := func(kind Kind) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			var e *LaterError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, kind, e.Kind)
		}
	}
	kind := func(target any) func(*testing.T, error) {
		return func(t *testing.T, err error) { require.ErrorAs(t, err, target) }
	}
	for _, test := range []struct {
		name        string
		answer      http.HandlerFunc
		check       func(*testing.T, error)
		errContains string
	}{
		{"400", say(400, frame), kind(new(*RefusedError)), "400 Bad Request: in their words"},
		{"400 with errors by field", say(400, `{"status":"error","success":false,"errors":{"limit":["too big"]}}`), kind(new(*RefusedError)), "too big"},
		{"401", say(401, `{"success":false,"error":"unauthorized access","errorCode":401}`), kind(new(*CredentialError)), "unauthorized access: the credential was refused"},
		{"402", say(402, frame), kind(new(*ForbiddenError)), "402"},
		{"403 permission", say(403, frame), kind(new(*ForbiddenError)), "403 Forbidden: in their words"},
		{"403 Cloudflare", say(403, html, "Content-Type: text/html; charset=UTF-8"), later(KindBlocked), "an HTML page (blocked, again in 5m0s)"},
		{"404", say(404, frame), kind(new(*GoneError)), "404 Not Found: in their words"},
		{"404 unknown path", say(404, `{"status":false,"error":"Unknown method ."}`), kind(new(*RefusedError)), "Unknown method"},
		{"404 of something in between", say(404, html, "Content-Type: text/html"), later(KindGarbled), "an HTML page"},
		{"405", say(405, frame), kind(new(*RefusedError)), "405"},
		{"408", say(408, frame), later(KindServer), "408"},
		{"410", say(410, frame), kind(new(*GoneError)), "410"},
		{"415", say(415, frame), kind(new(*ForbiddenError)), "415"},
		{"422", say(422, frame), kind(new(*RefusedError)), "422"},
		{"429 burst", say(429, `{"success":false,"error":"request over limit","errorCode":429}`), later(KindBurst), "(burst, again in 2"},
		{"429 burst, its own window", say(429, `{"success":false,"error":"request over limit"}`, "X-RateLimit-Reset: 7"), later(KindBurst), "(burst, again in 7"},
		{"429 burst, an epoch for a window", say(429, `{"success":false,"error":"request over limit"}`, "X-RateLimit-Reset: 1795000000"), later(KindBurst), "(burst, again in 2"},
		{"429 daily", say(429, `{"success":false,"error":"daily request budget exceeded","errorCode":429}`, "Retry-After: 3939"), later(KindDaily), "again in 1h5m39s"},
		{"429 daily by its header", say(429, frame, "X-Daily-RateLimit-Token-Remaining: 0"), later(KindDaily), "(daily"},
		{"429 daily since the window is open", say(429, frame, "X-RateLimit-Remaining: 12"), later(KindDaily), "(daily"},
		{"429 daily by a long wait", say(429, frame, "Retry-After: 600"), later(KindDaily), "(daily"},
		{"429 Cloudflare", say(429, html, "Content-Type: text/html"), later(KindBlocked), "(blocked"},
		{"500", say(500, frame), later(KindServer), "500 Internal Server Error: in their words"},
		{"502 HTML", say(502, html, "Content-Type: text/html"), later(KindServer), "502 Bad Gateway: an HTML page"},
		{"503", say(503, frame, "Retry-After: 30"), later(KindServer), "again in 30s"},
		{"504 empty", say(504, ``), later(KindServer), "no body"},
		{"redirect", say(302, ``, "Location: https://elsewhere.example/?api_token=x"), later(KindGarbled), "a redirect to elsewhere.example is not followed"},
		{"204", say(204, ``), later(KindGarbled), "204"},
		{"200 empty", say(200, ``), later(KindGarbled), "nothing but space"},
		{"200 null", say(200, `null`), later(KindGarbled), "want an object"},
		{"200 HTML", say(200, html, "Content-Type: text/html"), later(KindGarbled), "want an object"},
		{"200 success false", say(200, frame), later(KindGarbled), "success is not true"},
		{"200 cut", say(200, `{"success":true,"data":[{"id":1},{"i`), later(KindGarbled), "the text ends"},
		{"200 cut on the wire", say(200, `{"success":true`, "Content-Length: 5000"), later(KindGarbled), "the answer was cut"},
		{"connection closed", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, later(KindNetwork), "EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, serve(t, test.answer))
			_, err := c.List(t.Context(), row("deals"), Query{})
			require.Error(t, err)
			test.check(t, err)
			assert.ErrorContains(t, err, "listing deals: GET /api/v2/deals")
			assert.ErrorContains(t, err, test.errContains)
			assert.NotContains(t, err.Error(), "status=open", "no query in an error")
		})
	}
}

func TestAnAnswerShorterThanItSaysIsCutThoughItLooksWhole(t *testing.T) {
	t.Parallel()
	c := dial(t, "https://acme.example", via(say(200, `{"success":true,"data":[]}`, "Content-Length: 5000")))
	assert.ErrorContains(t, requireLater(t, list(t, c), KindGarbled), "the answer was cut")
}

// API v1 answers some deletions like that; a record that is read like that is gone all the same.
func TestA410IsGoneWhateverItsBodySays(t *testing.T) {
	t.Parallel()
	c := dial(t, serve(t, say(410, `{"success":true,"data":{"id":11}}`)))
	_, err := c.Record(t.Context(), row("persons"), "11")
	var gone *GoneError
	require.ErrorAs(t, err, &gone)
}

func TestNobodyListening(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, err := dial(t, server.URL).List(t.Context(), row("deals"), Query{})
	var later *LaterError
	require.ErrorAs(t, err, &later)
	assert.Equal(t, KindNetwork, later.Kind)
	assert.ErrorContains(t, err, "refused")
}

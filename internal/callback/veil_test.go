package callback

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// No secret in an error, whatever the receiver repeats of what it was sent.
func TestNoSecretIsRepeated(t *testing.T) {
	t.Parallel()
	const query, password, bearer, header = "s3cret/query+1", `s3cret"pass`, "s3cret-bearer", "s3cret-header"
	basic := base64.StdEncoding.EncodeToString([]byte("hook:" + password))
	echo := []string{
		query, "s3cret%2Fquery%2B1", password, `s3cret\"pass`, "s3cret%22pass", basic, "Basic " + basic, bearer, "Bearer " + bearer, header,
		"token=s3cret%2Fquery%2B1&v=1", `token=s3cret%2Fquery%2B1\u0026v=1`, strings.Repeat("x", 190) + query,
	}
	for _, code := range []int{301, 400, 401, 404, 500, 503} {
		for _, text := range echo {
			for _, frame := range []string{"%s", `{"you sent":"%s"}`} {
				far := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Location", "https://elsewhere.example/?t="+bearer)
					w.WriteHeader(code)
					_, _ = fmt.Fprintf(w, frame, text)
				})
				client, _, told := newClient(t, far.URL+"/events?token=s3cret%2Fquery%2B1&v=1", func(c *Config) {
					c.Username, c.Password, c.Retry.MaxAttempts = "hook", password, 2
				})
				m := deal
				m.Header = http.Header{"X-Token": {"Bearer " + bearer}, "X-Key": {header}}
				err := client.Deliver(t.Context(), m)
				require.Error(t, err)
				for _, text := range append(told.waiting, err.Error(), fmt.Sprintf("%+v %#v", err, err)) {
					assert.NotContains(t, text, "s3cret")
					assert.NotContains(t, text, basic)
				}
			}
		}
	}
}

// A malformed answer is quoted by the transport's error.
func TestNoSecretIsRepeatedByTheTransport(t *testing.T) {
	t.Parallel()
	url, _ := raw(t, "HTTP/1.1 token=s3cret-query\r\n\r\n")
	client, _, told := newClient(t, url+"/?token=s3cret-query", func(c *Config) { c.Retry.MaxAttempts = 2 })
	err := client.Deliver(t.Context(), deal)
	require.ErrorContains(t, err, "malformed HTTP")
	assert.NotContains(t, err.Error()+told.waiting[0], "s3cret")
}

func TestAnExcerptIsShortAndOnOneLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, kind, body, want string }{
		{"nothing", "", "", ""},
		{"spaces and lines", "text/plain", " a\t\tb\r\nc \u2028 d\u202e ", "a b c d"},
		{"an HTML page", "text/html; charset=utf-8", "Oops", "an HTML page"},
		{"an HTML page that does not say so", "", "\n<!DOCTYPE html><html>", "an HTML page"},
		{"not UTF-8", "text/plain", "caf\xe9 au lait", "caf au lait"},
		{"long", "text/plain", strings.Repeat("ä", 300), strings.Repeat("ä", mostShown) + "…"},
	} {
		h := http.Header{"Content-Type": {test.kind}}
		assert.Equal(t, test.want, veil{}.over(nil, excerptOf(h, []byte(test.body))), test.name)
	}
}

// Some receivers know us by a token in the path, and like to repeat the path that they do not know.
func TestATokenInThePathIsNotRepeated(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprintf(w, `{"error":"no hook s3cret-t0ken","path":"%s","asked":"%s"}`, r.URL.Path, r.URL.EscapedPath())
	})
	client, _, _ := newClient(t, far.URL+"/hooks/s3cret-t0ken/a%20b")
	err := client.Deliver(t.Context(), deal)
	require.ErrorContains(t, err, `404 Not Found: {"error":"no hook ***","path":"***","asked":"***"}`)
}

// A receiver cannot fill the log by the host that it points to.
func TestWhitherARedirectPointsIsShort(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://"+strings.Repeat("x", 20_000)+"/")
		w.WriteHeader(http.StatusFound)
	})
	client, _, _ := newClient(t, far.URL)
	err := client.Deliver(t.Context(), deal)
	require.ErrorContains(t, err, "this one points to https://xxx")
	assert.Less(t, len(err.Error()), 500)
}

// A version in the query is no secret that would be taken out of every number.
func TestWhatIsNoSecretStays(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "object 101 is unknown")
	})
	client, _, _ := newClient(t, far.URL+"?v=1")
	require.ErrorContains(t, client.Deliver(t.Context(), deal), "400 Bad Request: object 101 is unknown")
}

func FuzzWhatIsShownIsOneShortLineWithoutSecrets(f *testing.F) {
	f.Add("you sent s3cret-query", "text/plain")
	f.Add("\x1b[2J\r\n<html>", "text/html")
	f.Add(strings.Repeat("s3cret-query", 30), "")
	f.Fuzz(func(t *testing.T, body, kind string) {
		shown := veil{"s3cret-query"}.over(nil, excerptOf(http.Header{"Content-Type": {kind}}, []byte(body)))
		assert.NotContains(t, shown, "s3cret-query")
		assert.LessOrEqual(t, utf8.RuneCountInString(shown), mostShown+1)
		assert.True(t, utf8.ValidString(shown))
		assert.Equal(t, strings.Join(strings.Fields(shown), " "), shown)
		_, err := json.Marshal(shown)
		assert.NoError(t, err)
	})
}

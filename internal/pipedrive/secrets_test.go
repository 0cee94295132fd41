package pipedrive

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// No secret in an error, a log line or a URL, not even when the far side repeats what it was sent.
func TestNoSecretIsRepeated(t *testing.T) {
	t.Parallel()
	const client, refresh, rotated, access = "client", "refresh-5ec4e7-0", "rotated-5ec4e7-1", "v1u:5ec4e7/access+1"
	secrets := []string{
		secret, refresh, rotated, access, url.QueryEscape(access),
		base64.StdEncoding.EncodeToString([]byte(client + ":" + secret)),
	}
	all := strings.Join(secrets, " ")
	padding := strings.Repeat("x", 180) // puts a secret across the place where an excerpt is cut

	type far struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
	}
	fars := []far{
		{"redirect", say(302, all, "Location: https://elsewhere.example/?t="+secret)},
		{"not JSON", say(200, all)},
		{"plain text", say(404, all, "Content-Type: text/plain")},
		{"success false", say(200, `{"success":false,"error":"`+all+`"}`)},
		{"strange row", say(200, `{"success":true,"data":[{"`+secret+`":1}]}`)},
	}
	for _, status := range []int{400, 401, 402, 403, 404, 405, 408, 410, 415, 422, 429, 500, 503} {
		for _, text := range []string{all, padding + secret, padding + access, padding + rotated} {
			fars = append(fars, far{fmt.Sprint(status), say(status, `{"success":false,"error":"`+text+`"}`)})
		}
	}
	check := func(t *testing.T, err error, notes *diary, sent ...string) {
		t.Helper()
		require.Error(t, err)
		for _, s := range sent {
			for n := len(s); n >= 12; n-- { // no long beginning of one either
				assert.NotContains(t, err.Error(), s[:n])
				assert.NotContains(t, fmt.Sprintf("%+v %#v", err, err), s[:n])
				assert.NotContains(t, notes.text(), s[:n])
			}
		}
	}
	watch := func(answer func(http.ResponseWriter, *http.Request)) func(*Config) {
		return via(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, s := range secrets {
				assert.NotContains(t, r.URL.String(), s)
			}
			answer(w, r)
		}))
	}
	for _, far := range fars {
		t.Run(far.name, func(t *testing.T) {
			t.Parallel()
			notes := &diary{}
			store := &shelf{saveErr: errors.New(all)}
			log := func(cfg *Config) { cfg.Log = notes }
			check(t, list(t, dial(t, "https://acme.example", watch(far.answer), log)), notes, secret)

			// The API repeats it, with OAuth.
			app := func(cfg *Config) {
				cfg.APIToken = ""
				cfg.OAuth = &OAuth{ClientID: client, ClientSecret: secret, RefreshToken: refresh, TokenURL: "https://oauth.example/t", Store: store}
			}
			check(t, list(t, dial(t, "https://acme.example", watch(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Host == "oauth.example" {
					say(200, `{"access_token":"`+access+`","refresh_token":"`+rotated+`"}`)(w, r)
					return
				}
				far.answer(w, r)
			}), log, app)), notes, secrets...)

			// The token endpoint repeats it.
			check(t, list(t, dial(t, "https://acme.example", watch(far.answer), log, app)), &diary{}, secret, refresh, secrets[len(secrets)-1])
		})
	}
	t.Run("transport", func(t *testing.T) {
		t.Parallel()
		notes := &diary{}
		broken := func(cfg *Config) {
			cfg.Transport = failing{&url.Error{Op: "Get", URL: "https://acme.example/?cursor=" + secret, Err: errors.New("broken, sent " + padding + secret)}}
		}
		err := list(t, dial(t, "https://acme.example", broken))
		check(t, err, notes, secret)
		assert.NotContains(t, err.Error(), "cursor=", "a query tells too much")
		_, err = dial(t, "https://acme.example", broken).Me(context.Background())
		check(t, err, notes, secret)
	})
}

// failing is a transport that gets no answer.
type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

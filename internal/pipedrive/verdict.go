package pipedrive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/tidwall/gjson"
)

const (
	maxErrorBody   = 64 << 10 // bytes that are looked at when an answer is an error
	maxExcerpt     = 200      // bytes of it that an error repeats
	remedyToken    = "the credential was refused: check api_token or oauth2, and that its user may use the API"
	remedyInstall  = "the refresh token is no longer valid: re-install the app and configure the new refresh token"
	remedyOAuthApp = "the app was refused: check oauth2.client_id, oauth2.client_secret and oauth2.token_url"
)

// verdict is the error that an answer means; nil: its body holds what was asked for. Limits were judged before.
// https://pipedrive.readme.io/docs/core-api-concepts-http-status-codes
func verdict(what Answer, h http.Header, body []byte, now time.Time) error {
	status := what.Status
	if status == http.StatusOK || status == http.StatusCreated {
		return nil
	}
	what.Text = excerpt(h, body)
	frame := sound(body) == nil
	switch {
	case status == http.StatusUnauthorized:
		return &CredentialError{Answer: what, Remedy: remedyToken}
	case status == http.StatusRequestTimeout || status >= http.StatusInternalServerError:
		return &LaterError{Answer: what, Kind: KindServer, After: retryAfter(h, now)}
	case status < http.StatusBadRequest:
		if to, err := url.Parse(h.Get("Location")); err == nil && to.Host != "" {
			what.Text = "a redirect to " + to.Host + " is not followed"
		}
		return &LaterError{Answer: what, Kind: KindGarbled}
	case status == http.StatusGone && what.Method != http.MethodGet && frame && gjson.GetBytes(body, "success").Type == gjson.True:
		return nil
	case !frame:
		// Every refusal of Pipedrive's is a JSON object. Anything else was written by something in between, and must
		// not pass for the news that a record is gone.
		return &LaterError{Answer: what, Kind: KindGarbled}
	case status == http.StatusForbidden, status == http.StatusUnsupportedMediaType, status == http.StatusPaymentRequired:
		// 402 is an account that is not open as well as one that has not paid for projects.
		return &ForbiddenError{what}
	case status == http.StatusNotFound || status == http.StatusGone:
		if !gjson.GetBytes(body, "success").Exists() {
			return &RefusedError{what} // an unknown path: {"status":false,"error":"Unknown method ."}
		}
		return &GoneError{what}
	}
	return &RefusedError{what}
}

// limitKind tells the refusals apart that look alike; "" is a 403 about this request alone.
func limitKind(resp *http.Response, body []byte) Kind {
	h := resp.Header
	if resp.StatusCode == http.StatusForbidden {
		if sound(body) == nil {
			return ""
		}
		return KindBlocked
	}
	if isHTML(h, body) {
		return KindBlocked
	}
	company, told := number(h, "X-Daily-Ratelimit-Token-Remaining")
	window, windowTold := number(h, "X-Ratelimit-Remaining")
	switch {
	case told && company == 0,
		strings.Contains(strings.ToLower(excerpt(h, body)), "budget"),
		windowTold && window > 0,
		retryAfter(h, time.Now()) >= time.Minute:
		return KindDaily
	}
	return KindBurst
}

// excerpt is what an answer says about itself in a few words: the error field of Pipedrive's frames, in whichever of
// its forms.
func excerpt(h http.Header, body []byte) string {
	var text string
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return "no body"
	case sound(body) == nil:
		for _, name := range []string{"error", "message", "errors"} {
			if v := gjson.GetBytes(body, name); v.Exists() && v.String() != "" {
				text = words(v)
				break
			}
		}
	case isHTML(h, body):
		return "an HTML page"
	default:
		return "not JSON"
	}
	return clean(text)
}

// words are the texts in a value, decoded: an errors object names each field before what is wrong with it.
func words(v gjson.Result) string {
	if !v.IsObject() && !v.IsArray() {
		return v.String()
	}
	var parts []string
	v.ForEach(func(field, inner gjson.Result) bool {
		text := words(inner)
		if v.IsObject() {
			text = field.String() + ": " + text
		}
		parts = append(parts, text)
		return true
	})
	return strings.Join(parts, ", ")
}

// clean makes a text fit for one line.
func clean(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text))
}

// mask takes secrets out of a text, as they are and as they stand in a query, and then cuts it to a length that a
// log can hold: in this order, so that no half of a secret is left.
func mask(text string, secrets []string) string {
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "***")
			text = strings.ReplaceAll(text, url.QueryEscape(s), "***")
		}
	}
	if len(text) > maxExcerpt {
		text = strings.ToValidUTF8(text[:maxExcerpt], "") + "…"
	}
	return text
}

func isHTML(h http.Header, body []byte) bool {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return kind == "text/html" || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
}

// noAnswer is the error of an exchange that came to no end. The caller's own context comes through as such, and what
// a link of the chain decided as that.
func noAnswer(ctx context.Context, what Answer, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s %s: %w", what.Method, what.Path, ctx.Err())
	}
	if decided := decision(nil); errors.As(err, &decided) {
		return err
	}
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err // the wrapping repeats the whole URL
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		what.Text = "the answer was cut"
		return &LaterError{Answer: what, Kind: KindGarbled}
	}
	what.Text = clean(err.Error())
	return &LaterError{Answer: what, Kind: KindNetwork}
}

package callback

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func signedBy(t *testing.T, scheme Scheme, keys ...string) func(*Config) {
	t.Helper()
	signer, err := NewSigner(scheme, keys)
	require.NoError(t, err)
	return func(c *Config) { c.Signer = signer }
}

// The body as it came is signed: receivers compute over the raw bytes.
func TestElementsSignsTheBodyWithTheFirstKey(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, nil)
	client, _, _ := newClient(t, far.URL, signedBy(t, Elements, "first key", "second key"))
	require.NoError(t, client.Deliver(t.Context(), deal))
	got := far.requests()[0]
	h := hmac.New(sha256.New, []byte("first key"))
	h.Write(got.body)
	assert.Equal(t, "sha256="+base64.StdEncoding.EncodeToString(h.Sum(nil)), got.Get("Elements-Webhook-Signature"))
	assert.Equal(t, deal.ID, got.Get("Elements-Webhook-Id"))
	assert.Equal(t, deal.Body, got.body)
}

// A figure that openssl gave: printf '%s' '{"object":"deal","object_id":"101"}' | openssl dgst -sha256 -hmac hush -binary | base64
func TestElementsSignatureIsThatOfOthers(t *testing.T) {
	t.Parallel()
	signer, err := NewSigner(Elements, []string{"hush"})
	require.NoError(t, err)
	h := http.Header{}
	signer.sign(h, deal.ID, time.Time{}, deal.Body)
	assert.Equal(t, "sha256=ezYgHc6b3KPubq506IESSFm9/A+h/LdDKSAXDdEXd0g=", h.Get("Elements-Webhook-Signature"))
}

func TestStandardWebhooksAreVerifiedByTheOfficialLibrary(t *testing.T) {
	t.Parallel()
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte("a key of twenty-four byte"))
	far := newReceiver(t, nil)
	client, _, _ := newClient(t, far.URL, signedBy(t, StandardWebhooks, secret), func(c *Config) { c.Clock = nil })
	require.NoError(t, client.Deliver(t.Context(), deal))
	got := far.requests()[0]

	receiver, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	require.NoError(t, receiver.Verify(got.body, got.Header))
	assert.Equal(t, deal.ID, got.Get("webhook-id"))
	require.Error(t, receiver.Verify(append(got.body, ' '), got.Header), "another body")
	forged := got.Clone()
	forged.Set("webhook-id", "pd1_another")
	require.Error(t, receiver.Verify(got.body, forged), "another id")
}

func TestARawKeySignsWithItsBytes(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, nil)
	client, _, _ := newClient(t, far.URL, signedBy(t, StandardWebhooks, "not base64 at all"), func(c *Config) { c.Clock = nil })
	require.NoError(t, client.Deliver(t.Context(), deal))
	receiver, err := standardwebhooks.NewWebhookRaw([]byte("not base64 at all"))
	require.NoError(t, err)
	require.NoError(t, receiver.Verify(far.requests()[0].body, far.requests()[0].Header))
}

// While a key is rotated there are two: a receiver verifies with whichever it has.
func TestRotationSignsWithEveryKey(t *testing.T) {
	t.Parallel()
	oldKey := "whsec_" + base64.StdEncoding.EncodeToString([]byte("the old key, soon gone"))
	newKey := "whsec_" + base64.StdEncoding.EncodeToString([]byte("the new key, come to stay"))
	far := newReceiver(t, nil)
	client, _, _ := newClient(t, far.URL, signedBy(t, StandardWebhooks, newKey, oldKey), func(c *Config) { c.Clock = nil })
	require.NoError(t, client.Deliver(t.Context(), deal))
	got := far.requests()[0]
	for _, key := range []string{oldKey, newKey} {
		receiver, err := standardwebhooks.NewWebhook(key)
		require.NoError(t, err)
		require.NoError(t, receiver.Verify(got.body, got.Header))
	}
	stranger, err := standardwebhooks.NewWebhookRaw([]byte("neither"))
	require.NoError(t, err)
	require.ErrorIs(t, stranger.Verify(got.body, got.Header), standardwebhooks.ErrNoMatchingSignature)
}

// A receiver refuses timestamps that are minutes old, so each attempt has its own; the id stays.
func TestEveryAttemptIsSignedAnewUnderTheSameID(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, status(500, 500, 200))
	client, _, _ := newClient(t, far.URL, signedBy(t, StandardWebhooks, "key"))
	require.NoError(t, client.Deliver(t.Context(), deal))
	receiver, err := standardwebhooks.NewWebhookRaw([]byte("key"))
	require.NoError(t, err)
	var times []string
	for _, got := range far.requests() {
		assert.Equal(t, deal.ID, got.Get("webhook-id"))
		assert.Equal(t, deal.Body, got.body)
		require.NoError(t, receiver.VerifyIgnoringTimestamp(got.body, got.Header))
		times = append(times, got.Get("webhook-timestamp"))
	}
	assert.Equal(t, []string{"1795166100", "1795166104", "1795166120"}, times)
}

func TestUnsignedHasNoSignature(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, nil)
	client, _, _ := newClient(t, far.URL)
	require.NoError(t, client.Deliver(t.Context(), deal))
	for name := range far.requests()[0].Header {
		assert.NotContains(t, strings.ToLower(name), "webhook")
	}
}

func TestABadKeyIsRefusedWithoutBeingRepeated(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		scheme      Scheme
		keys        []string
		errContains string
	}{
		{"no scheme", "", []string{"hunter2"}, `scheme: "" came, it must be elements, standard_webhooks or none`},
		{"another scheme", "sha1", []string{"hunter2"}, `scheme: "sha1" came`},
		{"no keys", Elements, nil, "keys: there are none; add the one that the receiver verifies with, or choose the scheme none"},
		{"keys for nothing", Unsigned, []string{"hunter2"}, "keys: there are some, but scheme is none"},
		{"an unset variable", Elements, []string{""}, "keys[0]: is empty: is an environment variable unset?"},
		{"an unset second variable", StandardWebhooks, []string{"hunter2", ""}, "keys[1]: is empty"},
		{"a line break from a file", Elements, []string{"hunter2\n"}, "keys[0]: begins or ends with a blank or a line break"},
		{"no base64", StandardWebhooks, []string{"whsec_hunter2"}, "keys[0]: has no base64"},
		{"base64 without padding", StandardWebhooks, []string{"whsec_aHVudGVyMg"}, "keys[0]: has no base64"},
		{"nothing behind the prefix", StandardWebhooks, []string{"whsec_"}, "keys[0]: has no base64"},
		{"a key of the other kind", StandardWebhooks, []string{"whsk_aHVudGVyMg=="}, "keys[0]: is a key for ed25519"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := NewSigner(test.scheme, test.keys)
			require.ErrorContains(t, err, test.errContains)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, err.Error(), "aHVudGVyMg")
		})
	}
}

func TestAnIDThatCannotBeSentIsFinal(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, nil)
	client, _, told := newClient(t, far.URL, signedBy(t, StandardWebhooks, "key"))
	for _, test := range []struct{ name, id, errContains string }{
		{"empty", "", "message_id: came out empty"},
		{"a line break", "a\r\nX-Evil: 1", "message_id: has a blank, a line break"},
		{"not ASCII", "åäö", "message_id: has a blank, a line break"},
		{"a full stop", "a.b", "message_id: has a full stop"},
		{"too long", strings.Repeat("a", 257), "message_id: has 257 bytes, it may have 256"},
	} {
		require.ErrorContains(t, client.Deliver(t.Context(), Message{ID: test.id, Body: deal.Body}), test.errContains, test.name)
	}
	assert.Empty(t, far.requests(), "nothing was sent")
	assert.Empty(t, told.results)
}

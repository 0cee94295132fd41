package output

import (
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/callback"

	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
)

// open makes the output as the host does; ParseYAML does not lint.
func open(t *testing.T, yaml string) (*callbackOutput, error) {
	t.Helper()
	conf, err := callbackSpec().ParseYAML(yaml, nil)
	if err != nil {
		return nil, err
	}
	out, err := newCallbackOutput(conf, service.MockResources())
	if err == nil {
		t.Cleanup(func() { assert.NoError(t, out.Close(t.Context())) })
	}
	return out, err
}

func TestBadConfigurationIsRefusedInWords(t *testing.T) {
	const right = "url: 'https://app.example.com/?key=hunter2'\nsignature: { keys: [ hunter2 ] }\n"
	for _, test := range []struct{ name, yaml, errContains string }{
		{"no URL", "signature: { keys: [ hunter2 ] }", "url"},
		{"an unset variable", "url: ''\nsignature: { keys: [ hunter2 ] }", "url: is empty"},
		{"a URL that is none", "url: '/?key=hunter2'\nsignature: { keys: [ hunter2 ] }", "url: is not a URL"},
		{"no signature", "url: 'https://app.example.com'", "signature.keys: there are none; add the one that the receiver verifies with, or choose the scheme none"},
		{"another scheme", "url: 'https://app.example.com'\nsignature: { scheme: sha1, keys: [ hunter2 ] }", `signature.scheme: "sha1" came, it must be elements, standard_webhooks or none`},
		{"an unset key", "url: 'https://app.example.com'\nsignature: { keys: [ '' ] }", "signature.keys[0]: is empty: is an environment variable unset?"},
		{"a malformed key", "url: 'https://app.example.com'\nsignature: { keys: [ whsec_hunter2 ] }", "signature.keys[0]: has no base64"},
		{"no time", right + "timeout: 0s", "timeout: 0s is not above zero"},
		{"a time in words", right + "timeout: soon", "timeout"},
		{"no try", right + "retry: { max_attempts: 0 }", "retry.max_attempts: 0 is not at least 1"},
		{"no interval", right + "retry: { initial_interval: 0s }", "retry.initial_interval: 0s is not above zero"},
		{"shorter and shorter", right + "retry: { multiplier: 0.5 }", "retry.multiplier: 0.5 is not at least 1"},
		{"the longest is shorter", right + "retry: { max_interval: 1s }", "retry.max_interval: 1s is less than the initial_interval of 4s"},
		{"nothing in flight", right + "max_in_flight: 0", "max_in_flight: 0 is not at least 1"},
		{"empty credentials", right + "basic_auth: { enabled: true }", "basic_auth.username, password: both are empty: is an environment variable unset?"},
		{"credentials twice", "url: 'https://a:hunter2@app.example.com'\nsignature: { scheme: none }\nbasic_auth: { enabled: true, username: b }", "url, basic_auth: both hold credentials"},
		{"a header of the signature", right + "headers: { webhook-id: hunter2 }", "headers: webhook-id is set by signature"},
		{"a header of the request", right + "headers: { Content-Length: '1' }", "headers: Content-Length belongs to the request itself"},
		{"no header", right + "headers: { 'X Team': sales }", `headers: "X Team" is not the name of a header`},
		{"one header twice", right + "headers: { X-Team: sales, x-team: hunter2 }", "headers: X-Team is there twice"},
		{"a header of two lines", right + `headers: { X-Team: "hunter2\r\nX-Evil: 1" }`, "headers.X-Team: has a line break"},
		{"no interpolation", right + "headers: { X-Team: '${! nonsense( }' }", "headers"},
		{"no interpolation in the id", right + "message_id: '${! nonsense( }'", "message_id"},
		{"TLS for http", "url: 'HTTP://app.example.com'\nsignature: { scheme: none }\ntls: { enabled: true }", "url, tls: the url is http"},
		{"TLS with a file that is not there", "url: 'https://app.example.com'\nsignature: { scheme: none }\ntls: { enabled: true, root_cas_file: /nowhere/ca.pem }", "tls: open /nowhere/ca.pem"},
		{"a proxy that is none", right + "proxy_url: 'hunter2'", "proxy_url: not a URL with a host"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := open(t, test.yaml)
			require.ErrorContains(t, err, test.errContains)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestTheDefaultsAreAsDocumented(t *testing.T) {
	out, err := open(t, "url: 'https://app.example.com/events'\nsignature: { scheme: none }")
	require.NoError(t, err)
	assert.Equal(t, callback.Retry{MaxAttempts: 10, InitialInterval: 4 * time.Second, Multiplier: 4, MaxInterval: time.Hour}, out.conf.engine.Retry)
	assert.Equal(t, 10*time.Second, out.conf.engine.Timeout)
	assert.Equal(t, 8, out.conf.maxInFlight)
	assert.True(t, out.conf.batching.IsNoop())
	assert.Nil(t, out.conf.messageID)
}

func TestBatchingIsTheHosts(t *testing.T) {
	out, err := open(t, `
url: https://app.example.com/events
signature: { scheme: none }
batching: { count: 10, byte_size: 1000, period: 1s, check: this.last, processors: [ { archive: { format: json_array } } ] }
`)
	require.NoError(t, err)
	assert.Equal(t, 10, out.conf.batching.Count)
	assert.Equal(t, 1000, out.conf.batching.ByteSize)
	assert.Equal(t, "1s", out.conf.batching.Period)
	assert.Equal(t, "this.last", out.conf.batching.Check)
}

func TestWhereARefusedMessageIsReplayedForEver(t *testing.T) {
	for _, test := range []struct {
		path []string
		want bool
	}{
		{[]string{"output"}, true},
		{[]string{"output", "broker", "outputs", "0"}, true},
		{[]string{"output", "fallback", "0"}, false},
		{[]string{"output", "broker", "outputs", "0", "fallback", "0", "reject_errored"}, false},
		{[]string{"output", "drop_on", "output"}, false},
		{[]string{"output_resources"}, false},
		{nil, false},
	} {
		assert.Equal(t, test.want, replayedForEver(test.path), "%v", test.path)
	}
}

package callback

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBadConfigurationIsRefusedInWords(t *testing.T) {
	t.Parallel()
	signer, err := NewSigner(Unsigned, nil)
	require.NoError(t, err)
	for _, test := range []struct {
		name        string
		change      func(*Config)
		errContains string
	}{
		{"no URL", func(c *Config) { c.URL = "" }, "url: is empty, want an absolute one like https://app.example.com/events; is an environment variable unset?"},
		{"a path", func(c *Config) { c.URL = "/events?key=hunter2" }, "url: is not a URL"},
		{"no host", func(c *Config) { c.URL = "https://:443/?key=hunter2" }, "url: is not a URL"},
		{"port 0", func(c *Config) { c.URL = "https://app.example.com:0/?key=hunter2" }, "url: has a port that there is not"},
		{"a port beyond the last", func(c *Config) { c.URL = "https://app.example.com:65536/?key=hunter2" }, "url: has a port that there is not"},
		{"odd escapes", func(c *Config) { c.URL = "https://app.example.com/%zz?key=hunter2" }, "url: is not a URL"},
		{"another scheme", func(c *Config) { c.URL = "ftp://user:hunter2@app.example.com/" }, "url: is neither http nor https"},
		{"no scheme", func(c *Config) { c.URL = "app.example.com:8080/?key=hunter2" }, "url: is not a URL"},
		{"a fragment", func(c *Config) { c.URL = "https://app.example.com/#hunter2" }, "url: has a fragment"},
		{"credentials twice", func(c *Config) { c.URL = "https://a:hunter2@app.example.com/"; c.Username = "b" }, "url, basic_auth: both hold credentials"},
		{"a colon in a user name", func(c *Config) { c.Username = "a:b" }, "basic_auth.username: HTTP Basic has no user names with a colon"},
		{"no time", func(c *Config) { c.Timeout = 0 }, "timeout: 0s is not above zero"},
		{"no try", func(c *Config) { c.Retry.MaxAttempts = 0 }, "retry.max_attempts: 0 is not at least 1"},
		{"no interval", func(c *Config) { c.Retry.InitialInterval = 0 }, "retry.initial_interval: 0s is not above zero"},
		{"shorter and shorter", func(c *Config) { c.Retry.Multiplier = 0.5 }, "retry.multiplier: 0.5 is not at least 1"},
		{"not a number", func(c *Config) { c.Retry.Multiplier = math.NaN() }, "retry.multiplier: NaN is not at least 1"},
		{"the longest is shorter", func(c *Config) { c.Retry.MaxInterval = time.Second }, "retry.max_interval: 1s is less than the initial_interval of 4s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config := Config{URL: "https://app.example.com/events", Signer: signer, Timeout: time.Second, Retry: asDesigned}
			test.change(&config)
			_, err := New(config)
			require.ErrorContains(t, err, test.errContains)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestHeadersThatFrameOrSignTheRequestCannotBeSet(t *testing.T) {
	t.Parallel()
	client, _, _ := newClient(t, "https://hook:hunter2@app.example.com/", signedBy(t, StandardWebhooks, "key"))
	for _, test := range []struct{ name, errContains string }{
		{"", "is not the name of a header"},
		{"X Team", "is not the name of a header"},
		{"X-Team\r\n", "is not the name of a header"},
		{"host", "host belongs to the request itself"},
		{"content-length", "belongs to the request itself"},
		{"WEBHOOK-ID", "WEBHOOK-ID is set by signature"},
		{"Authorization", "Authorization is set by the credentials"},
	} {
		require.ErrorContains(t, client.CheckHeader(test.name), test.errContains, "%q", test.name)
	}
	for _, name := range []string{"X-Team", "content-type", "Elements-Webhook-Id", "x_team"} {
		require.NoError(t, client.CheckHeader(name))
	}
	require.NoError(t, CheckHeaderValue("sales\tä"))
	for _, value := range []string{"a\r\nX-Evil: 1", "a\x00", "a\x7f"} {
		require.ErrorContains(t, CheckHeaderValue(value), "control character")
	}
}

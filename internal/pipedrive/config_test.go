package pipedrive

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewNamesTheFieldThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	oauth := func(change func(*OAuth)) *OAuth {
		o := &OAuth{ClientID: "id", ClientSecret: "sesame", RefreshToken: "refresh"}
		change(o)
		return o
	}
	for _, test := range []struct {
		name, errContains string
		change            func(*Config)
	}{
		{"no credential", "neither is set", func(c *Config) { c.APIToken = "" }},
		{"both credentials", "both are set", func(c *Config) { c.OAuth = oauth(func(*OAuth) {}) }},
		{"token with a line break", "api_token: ", func(c *Config) { c.APIToken = "sesame\n" }},
		{"no client", "oauth2.client_id: ", func(c *Config) { c.APIToken, c.OAuth = "", oauth(func(o *OAuth) { o.ClientID = "" }) }},
		{"no secret", "oauth2.client_secret: ", func(c *Config) { c.APIToken, c.OAuth = "", oauth(func(o *OAuth) { o.ClientSecret = "" }) }},
		{"no refresh token", "oauth2.refresh_token: ", func(c *Config) { c.APIToken, c.OAuth = "", oauth(func(o *OAuth) { o.RefreshToken = "" }) }},
		{"token URL", "oauth2.token_url: ", func(c *Config) { c.APIToken, c.OAuth = "", oauth(func(o *OAuth) { o.TokenURL = "sesame" }) }},
		{"relative URL", "base_url: is not a URL", func(c *Config) { c.BaseURL = "acme.pipedrive.com" }},
		{"other scheme", "base_url: is not a URL", func(c *Config) { c.BaseURL = "ftp://acme.pipedrive.com" }},
		{"credentials in the URL", "base_url: holds credentials", func(c *Config) { c.BaseURL = "https://me:sesame@acme.pipedrive.com" }},
		{"query in the URL", "base_url: holds a query", func(c *Config) { c.BaseURL = "https://acme.pipedrive.com?api_token=sesame" }},
		{"plain http to Pipedrive", "base_url: is http", func(c *Config) { c.BaseURL = "http://acme.pipedrive.com" }},
		{"no timeout", "timeout: 0s", func(c *Config) { c.Timeout = 0 }},
		{"share 0", "daily_token_share: 0", func(c *Config) { c.DailyShare = 0 }},
		{"share above 1", "daily_token_share: 1.1", func(c *Config) { c.DailyShare = 1.1 }},
		{"share no number", "daily_token_share: NaN", func(c *Config) { c.DailyShare = math.NaN() }},
		{"probe interval", "budget_probe_interval: -1s", func(c *Config) { c.ProbeInterval = -time.Second }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := Config{APIToken: "0123456789abcdef", Timeout: time.Second, DailyShare: 0.5}
			test.change(&cfg)
			_, err := New(cfg)
			require.ErrorContains(t, err, test.errContains)
			assert.NotContains(t, err.Error(), "sesame")
		})
	}
}

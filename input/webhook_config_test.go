package input

import (
	"strings"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// openWebhook makes the input as the host does; ParseYAML does not lint.
func openWebhook(t *testing.T, yaml string, opts ...service.MockResourcesOptFn) (*webhookInput, error) {
	t.Helper()
	conf, err := webhookSpec().ParseYAML(yaml, nil)
	if err != nil {
		return nil, err
	}
	in, err := newWebhookInput(conf, service.MockResources(opts...))
	if err == nil {
		t.Cleanup(func() { assert.NoError(t, in.Close(t.Context())) })
	}
	return in, err
}

const hookCredentials = "credentials: [ { username: hook, password: hunter2 } ]\n"

func TestBadWebhookConfigurationIsRefusedInWords(t *testing.T) {
	const (
		right = hookCredentials
		reg   = right + "registration: { enabled: true, api_token: abc, public_url: 'https://hooks.example.com', "
	)
	for _, test := range []struct{ name, yaml, errContains string }{
		{"nobody authenticates", "", "credentials: there are none, so anybody could send made-up events; add some, or set allow_anonymous to true"},
		{"an empty password", "credentials: [ { username: hook, password: '' } ]", "credentials[0]: username and password must not be empty"},
		{"an empty second user", "credentials: [ { username: hook, password: hunter2 }, { username: '', password: hunter2 } ]", "credentials[1]: username"},
		{"a colon in a user name", "credentials: [ { username: 'a:b', password: hunter2 } ]", "credentials[0].username: HTTP Basic has no user names with a colon"},
		{"no address", right + "address: ''", `address: "" is not a host and port`},
		{"an address without a port", right + "address: 0.0.0.0", `address: "0.0.0.0" is not a host and port like 0.0.0.0:8080`},
		{"a port out of range", right + "address: ':70000'", "address"},
		{"a path without a slash", right + "path: events", `path: "events" is not a path like /events/pipedrive`},
		{"a path with a query", right + "path: /events?x=1", "path"},
		{"an encoded path", right + "path: /events%2F", "path"},
		{"a health path without a slash", right + "health_path: healthz", "health_path"},
		{"one path for all", right + "path: /healthz", `health_path: "/healthz" is the path of the webhooks as well`},
		{"a size in words", right + "max_body_size: large", `max_body_size: "large" is not a size like 4MiB`},
		{"no body", right + "max_body_size: 0B", "max_body_size"},
		{"larger bodies than fit", right + "max_body_size: 65MiB", "max_body_size: 65 MiB is more than the 64 MiB that all bodies have together"},
		{"no time", right + "response_timeout: 0s", "response_timeout: 0s is not above zero"},
		{"more time than Pipedrive has", right + "response_timeout: 10s", "response_timeout: 10s is not under 10s, the time that Pipedrive waits"},
		{"no time for headers", right + "read_header_timeout: -1s", "read_header_timeout"},
		{"nothing in flight", right + "max_in_flight: 0", "max_in_flight: 0 is not at least 1"},
		{"an address that is none", right + "allowed_ips: [ 10.0.0.0/8, localhost ]", `allowed_ips[1]: "localhost" is neither an address nor a CIDR range`},
		{"a proxy that is none", right + "trusted_proxies: [ 10.0.0.0/33 ]", "trusted_proxies[0]"},
		{"TLS without a key", right + "tls: { enabled: true, cert_file: a.pem }", "tls.cert_file, tls.key_file: both must be set when tls.enabled is true"},
		{"a journal without room", right + "journal: { path: a.db, max_bytes: 1KiB }\nmax_body_size: 1KiB", "journal.max_bytes: 1.0 KiB is not at least 1.0 MiB"},
		{"a journal that is too small for some webhooks", right + "journal: { path: a.db, max_bytes: 7MiB }", "journal.max_bytes: 7.0 MiB is not at least 8.0 MiB: twice the max_body_size"},
		{"an odd size of the journal", right + "journal: { path: a.db, max_bytes: much }", `journal.max_bytes: "much" is not a size`},
		{"fewer attempts than none", right + "journal: { path: a.db, max_attempts: -1 }", "journal.max_attempts: -1 is below 0"},
		{"no window", right + "dedupe: { window: 0s }", "dedupe.window: 0s is not above zero"},
		{"a registration without a URL", right + "registration: { enabled: true, api_token: abc }", "registration.public_url: is empty: is an environment variable unset?"},
		{"a registration without a credential", right + "registration: { enabled: true, public_url: 'https://hooks.example.com' }", "api_token, oauth2: neither is set"},
		{"a URL with a password", strings.Replace(reg, "https://", "https://a:hunter2@", 1) + "}", "registration.public_url"},
		{"an odd event", reg + "events: [ deal ] }", "registration.events"},
		{"an event of the other version", reg + "events: [ added.deal ] }", "registration.events"},
		{"another version", reg + "version: '3.0' }", "registration.version"},
		{"no name", reg + "name: '' }", "registration.name"},
		{"a user that is no number", reg + "user_id: me }", "registration.user_id"},
		{"no interval", reg + "check_interval: 0s }", "registration.check_interval: 0s is not above zero"},
		{"an odd share", reg + "daily_token_share: 2 }", "daily_token_share"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := openWebhook(t, test.yaml)
			require.ErrorContains(t, err, test.errContains)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestWebhookConfigurationBecomesWhatTheEngineSees(t *testing.T) {
	in, err := openWebhook(t, hookCredentials+`
instance_id: "20931"
max_body_size: 1MiB
allowed_ips: [ 10.0.0.0/8, 192.0.2.1 ]
registration: { enabled: true, api_token: abc, public_url: "https://hooks.example.com/", events: [ "*.deal" ] }
`)
	require.NoError(t, err)
	assert.Equal(t, "/events/pipedrive/MjA5MzE=", in.conf.handler.Path)
	assert.Equal(t, int64(1<<20), in.conf.handler.MaxBodySize)
	assert.Equal(t, "192.0.2.1/32", in.conf.handler.AllowedIPs[1].String())
	s := in.conf.registration.subscription
	assert.Equal(t, "https://hooks.example.com/events/pipedrive/MjA5MzE=", s.URL)
	assert.Equal(t, webhook.Credential{Username: "hook", Password: "hunter2"}, webhook.Credential{Username: s.Username, Password: s.Password})

	in, err = openWebhook(t, "allow_anonymous: true")
	require.NoError(t, err)
	assert.Empty(t, in.conf.handler.Credentials)
	assert.Nil(t, in.conf.registration)
}

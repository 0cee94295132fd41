package instance

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// webhookInstance is an instance by webhook with these keys besides.
func webhookInstance(t *testing.T, with keys) []byte {
	t.Helper()
	conf := map[string]any{
		"event.notification.enabled":      "true",
		"event.vendor.type":               "webhook",
		"event.notification.callback.url": "https://app.example.com/events",
	}
	for key, value := range with {
		conf[key] = value
	}
	data, err := json.Marshal(map[string]any{"id": 20931, "element": map[string]any{"key": "pipedrive"}, "configuration": conf})
	require.NoError(t, err)
	return data
}

func TestACallbackURLIsOnlyCopiedWhenNothingInItCanBeASecret(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, said  string
		want        string // empty: it becomes a variable
		errContains string
	}{
		{name: "plain", said: "https://app.example.com/events", want: "https://app.example.com/events"},
		{name: "no path", said: "http://app.example.com:8080", want: "http://app.example.com:8080"},
		{name: "space around it", said: " https://app.example.com/events\n", want: "https://app.example.com/events"},
		{name: "a fragment, which is never sent", said: "https://app.example.com/events#top", want: "https://app.example.com/events"},
		{name: "a long word", said: "https://app.example.com/pipedrive-callbacks", want: "https://app.example.com/pipedrive-callbacks"},
		{name: "a query", said: "https://app.example.com/events?key=1"},
		{name: "a user", said: "https://ann:pw@app.example.com/events"},
		{name: "a step like a token", said: "https://hooks.example.com/in/0a1b2c3d4e5f60718293"},
		{name: "a UUID", said: "https://hooks.example.com/5f0e9a1c-7a3b-4d6e-8f90-123456789abc/in"},
		{name: "no scheme", said: "app.example.com/events", errContains: "does not begin with https://"},
		{name: "half a scheme", said: "https//app.example.com/events", errContains: "does not begin with https://"},
		{name: "another scheme", said: "ftp://app.example.com/events", errContains: "does not begin with https://"},
		{name: "no host", said: "https:///events", errContains: "has no host"},
		{name: "false", said: "false", errContains: "does not begin with https://"},
		{name: "a space in it", said: "https://app.example.com/my events", errContains: "has a space"},
		{name: "a variable", said: "https://app.example.com/${HOME}", errContains: "has a { or }"},
		{name: "a broken port", said: "https://app.example.com:80x/", errContains: "is not a URL"},
		{name: "no port", said: "https://app.example.com:0/", errContains: "has a port that there is not"},
		{name: "a port beyond the last", said: "https://app.example.com:65536/", errContains: "has a port that there is not"},
		{name: "the last port", said: "https://app.example.com:65535/", want: "https://app.example.com:65535/"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			i, _, err := Read(webhookInstance(t, keys{keyCallbackURL: test.said}))
			if test.errContains != "" {
				require.ErrorContains(t, err, keyCallbackURL+": "+test.errContains)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.want, i.Callback.URL)
			pipeline, variables := i.Pipeline()
			if test.want == "" {
				assert.Contains(t, string(pipeline), "url: '${CALLBACK_URL}'")
				assert.Equal(t, "CALLBACK_URL", variables[2].Name)
			} else {
				assert.Contains(t, string(pipeline), "url: "+quote(test.want))
			}
		})
	}
}

func TestHeadersAreReadInEveryForm(t *testing.T) {
	t.Parallel()
	team := []Header{{Name: "X-Team"}}
	both := []Header{{Name: "X-Team"}, {Name: "Accept", Value: "text/html, text/plain"}}
	for _, test := range []struct {
		name        string
		said        any
		want        []Header
		errContains string
	}{
		{"an object", map[string]any{"x-team": "sales"}, team, ""},
		{"a number", map[string]any{"X-Team": 7}, team, ""},
		{"a list", []any{"X-Team: sales", "Accept: text/html, text/plain"}, both, ""},
		{"an object in a text", `{"X-Team": "sales"}`, team, ""},
		{"a list in a text", ` ["X-Team: sales"] `, team, ""},
		{"lines", "X-Team: sales\r\n\r\nAccept: text/html, text/plain\n", both, ""},
		{"between commas", "X-Team: sales,Accept: text/html, text/plain", both, ""},
		{"between semicolons", "X-Team:sales; Accept:text/html, text/plain", both, ""},
		{"nothing", "", nil, ""},
		{"null", nil, nil, ""},
		{"a placeholder", "<HEADERS>", nil, ""},
		{"one that the request sets", map[string]any{"X-Team": "sales", "content-length": "7"}, team, ""},
		{"one that the signature sets", "Elements-Webhook-Id: 1", nil, ""},
		{"a value that could be a variable", map[string]any{"Accept": "${HOME}"}, []Header{{Name: "Accept"}}, ""},
		{"no colon", "Bearer abc", nil, "cannot be read"},
		{"broken JSON", `{"X-Team": }`, nil, "cannot be read"},
		{"a number alone", 7, nil, "cannot be read"},
		{"an object in an object", map[string]any{"X-Team": map[string]any{}}, nil, "cannot be read"},
		{"a name that is none", map[string]any{"X Team": "sales"}, nil, "cannot be read"},
		{"twice", []any{"X-Team: sales", "x-team: support"}, nil, "cannot be read"},
		{"twice for a variable", []any{"X-Team: sales", "X_Team: support"}, nil, "cannot be read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			i, _, err := Read(webhookInstance(t, keys{keyCallbackHeaders: test.said}))
			if test.errContains != "" {
				require.ErrorContains(t, err, keyCallbackHeaders+": "+test.errContains)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.want, i.Callback.Headers)
		})
	}
}

func TestTwoCredentialsAtOnceAreRefused(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string]keys{
		"in the URL":  {keyBasicUsername: "ann", keyCallbackURL: "https://ann:pw@app.example.com/"},
		"as a header": {keyBasicUsername: "ann", keyCallbackHeaders: "authorization: Bearer abc"},
	} {
		_, _, err := Read(webhookInstance(t, keys))
		require.ErrorContains(t, err, "take one of them out", name)
	}
}

// pipedrive_callback would refuse it only when the pipeline starts. The name is not repeated: it may hold the password.
func TestAUserNameThatHTTPBasicCannotCarryIsRefused(t *testing.T) {
	t.Parallel()
	_, _, err := Read(webhookInstance(t, keys{keyBasicUsername: "ann:s3cr3t"}))
	require.ErrorContains(t, err, keyBasicUsername+": has a colon in it")
	assert.NotContains(t, err.Error(), mark)
}

func TestSecretsAreKnownOnlyToBeThere(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		keys   keys
		signed bool
		basic  bool
	}{
		"nothing":                {nil, false, false},
		"a key":                  {keys{keySignature: "k"}, true, false},
		"a key of digits":        {keys{keySignature: 12345}, true, false},
		"no key":                 {keys{keySignature: ""}, false, false},
		"a placeholder":          {keys{keySignature: "<INSERT_KEY>"}, false, false},
		"a user":                 {keys{keyBasicUsername: "ann", keyBasicPassword: "pw"}, false, true},
		"a user alone":           {keys{keyBasicUsername: "ann"}, false, true},
		"a mask and no user":     {keys{keyBasicUsername: "", keyBasicPassword: "********"}, false, false},
		"a password and no user": {keys{keyBasicPassword: "pw"}, false, false},
	} {
		i, _, err := Read(webhookInstance(t, test.keys))
		require.NoError(t, err, name)
		assert.Equal(t, test.signed, i.Callback.Signed, name)
		assert.Equal(t, test.basic, i.Callback.Basic, name)
	}
}

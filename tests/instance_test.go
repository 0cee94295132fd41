package tests

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/instance"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

const instances = "../internal/instance/testdata/"

// requireLintsClean asks the host's own linter, for which no variable is set.
func requireLintsClean(t *testing.T, config []byte) {
	t.Helper()
	linter := service.GlobalEnvironment().FullConfigSchema("", "").NewStreamConfigLinter()
	lints, err := linter.SetSkipEnvVarCheck(true).SetRejectDeprecated(true).LintYAML(config)
	require.NoError(t, err, "%s", config)
	require.Empty(t, lints, "%s", config)
}

// What import-instance writes is taken by the host without a complaint.
func TestEveryImportedInstanceLintsClean(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"*.yaml", "folder/*.yaml", "folder/streams/*.yaml"} {
		files, err := filepath.Glob(instances + pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			config, err := os.ReadFile(file)
			require.NoError(t, err)
			requireLintsClean(t, config)
		}
	}
}

// Whatever an instance says, in whatever characters, its pipeline lints clean.
func FuzzImportedInstancesLintClean(f *testing.F) {
	files, err := filepath.Glob(instances + "*.json")
	require.NoError(f, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		i, _, err := instance.Read(data)
		if err != nil {
			return
		}
		config, _ := i.Pipeline()
		requireLintsClean(t, config)
	})
}

// The path in the comments is the one that pipedrive_webhook serves.
func TestAnImportedWebhookKeepsItsPath(t *testing.T) {
	t.Parallel()
	config, err := os.ReadFile(instances + "webhook_answer.yaml")
	require.NoError(t, err)
	path := webhook.InstancePath("/events/pipedrive", "20931")
	assert.Equal(t, "/events/pipedrive/MjA5MzE=", path)
	assert.Contains(t, string(config), "https://api.cloud-elements.com/elements/api-v2"+path+"\n")
	assert.Contains(t, string(config), "https://YOUR-HOST"+path+"\n")
	assert.Contains(t, string(config), "path: /events/pipedrive\n    instance_id: \"20931\"\n")
}

// What the linter does not look at, the components' own constructors do.
func TestEveryImportedInstanceIsTakenByItsComponents(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(instances + "*.yaml")
	require.NoError(t, err)
	for _, file := range files {
		config, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NoError(t, construct(t, string(config)), file)
	}
	config, err := os.ReadFile(instances + "webhook_answer.yaml")
	require.NoError(t, err)
	nobody := strings.Replace(string(config), "${PUBLIC_URL:}", "", 1)
	assert.ErrorContains(t, construct(t, nobody), "registration.public_url: is empty: is an environment variable unset?")

	config, err = os.ReadFile(instances + "polling_custom.yaml")
	require.NoError(t, err)
	broken := strings.Replace(string(config), "updated_format: ", "updated_format: b", 1)
	assert.ErrorContains(t, construct(t, broken), "updated_format", "this test sees what a constructor says")
}

// construct makes the components of a pipeline without connecting one.
func construct(t *testing.T, config string) error {
	t.Helper()
	builder := service.NewStreamBuilder()
	values := map[string]string{
		"PIPEDRIVE_API_TOKEN": "1", "SIGNING_KEY": "1", "CALLBACK_URL": "https://app.example.com/events?token=1",
		"CALLBACK_USERNAME": "1", "CALLBACK_PASSWORD": "1", "HOOK_USERNAME": "1", "HOOK_PASSWORD": "1",
		"REGISTER_WEBHOOK": "true", "PUBLIC_URL": "https://hooks.example.com", "HOOK_ADDRESS": "127.0.0.1:0", "STATE_DIR": t.TempDir(),
	}
	builder.SetEnvVarLookupFunc(func(name string) (string, bool) { return values[name], true })
	builder.DisableLinting()
	require.NoError(t, builder.SetYAML(config))
	stream, err := builder.Build()
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // what asks somebody gives up at once
	_, err = stream.ConnectionTest(ctx)
	return err
}

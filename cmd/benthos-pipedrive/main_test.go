package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asProgram in the environment makes the test binary play benthos-pipedrive: the same code, signals and exit codes,
// without a second build.
const asProgram = "BENTHOS_PIPEDRIVE_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		version, dateBuilt = "v1.2.3-test", "2026-11-24T10:00:00Z"
		main()
		return
	}
	os.Exit(m.Run())
}

// program is benthos-pipedrive with these arguments, in an empty folder, not yet started. It is killed after half a
// minute, which fails the test that waits for it.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, os.Args[0], args...)
	c.Env = append(os.Environ(), asProgram+"=1")
	c.Dir = t.TempDir()
	return c
}

func printed(t *testing.T, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	c := program(t, args...)
	c.Stderr = &stderr
	out, err := c.Output()
	require.NoError(t, err, stderr.String())
	return string(out)
}

func TestVersionIsTheStampedOne(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "Version: v1.2.3-test\nDate: 2026-11-24T10:00:00Z\n", printed(t, "--version"))
}

func TestHelpShowsOurCommandsBesideTheHosts(t *testing.T) {
	t.Parallel()
	help := printed(t, "--help")
	for _, command := range []string{"run", "lint", "test", "create", "list", "streams", "simulate"} {
		assert.Regexp(t, `(?m)^\s+`+command+`\b`, help)
	}
	assert.Contains(t, help, " benthos-pipedrive run ./config.yaml\n")
}

// listed is what the list command prints: component names by kind (inputs, outputs, caches, ...).
func listed(t *testing.T) map[string][]string {
	t.Helper()
	var kinds map[string][]string
	require.NoError(t, json.Unmarshal([]byte(printed(t, "list", "--format", "json")), &kinds))
	return kinds
}

func TestPromisedComponentsAreThere(t *testing.T) {
	t.Parallel()
	kinds := listed(t)
	for kind, names := range map[string][]string{
		"inputs":     {"amqp_0_9", "file", "generate", "http_client", "mqtt", "nats_jetstream", "pipedrive_poll", "redis_streams"},
		"processors": {"bloblang", "dedupe", "http", "mapping", "redis", "sql_insert", "sql_raw", "sql_select"},
		"outputs": {
			"amqp_0_9", "drop", "fallback", "file", "http_client", "mongodb", "mqtt", "nats", "nats_jetstream",
			"redis_hash", "redis_pubsub", "redis_streams", "retry", "sql_insert", "sql_raw", "stdout",
		},
		"caches":      {"bolt", "file", "memory", "mongodb", "redis", "sql"},
		"rate-limits": {"local", "redis"},
		"metrics":     {"prometheus"},
	} {
		assert.Subset(t, kinds[kind], names, kind)
	}
}

func TestCreatedConfigExportsPrometheusMetrics(t *testing.T) {
	t.Parallel()
	assert.Regexp(t, `(?m)^metrics:\n\s+prometheus:`, printed(t, "create", "generate//drop"))
}

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Redpanda Connect holds files of two licences side by side, told apart by their headers. None under the Redpanda
// Community License may slip in with a component, but for the one that kafka.go names.
func TestOnlyKafkaLinksACommunityLicensedFile(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, tags string
		files      []string
	}{
		{name: "default", files: []string{"internal/serviceaccount/oauth2.go"}},
		{name: "without kafka", tags: "no_kafka"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.files, communityLicensed(t, tc.tags))
		})
	}
}

func TestNothingThatNeedsALicenceKeyIsThere(t *testing.T) {
	t.Parallel()
	for kind, names := range listed(t) {
		for _, n := range names {
			assert.NotRegexp(t, `_cdc$|^(jira|salesforce|slack|otlp|gateway|redpanda_migrator)`, n, kind)
		}
	}
}

// communityLicensed lists the files of Redpanda Connect that the binary links and whose header names the Redpanda
// Community License, as paths in its module.
func communityLicensed(t *testing.T, tags string) []string {
	t.Helper()
	const linked = `{{$p := .}}{{with .Module}}{{$m := .}}{{if eq .Path "github.com/redpanda-data/connect/v4"}}` +
		`{{range $p.GoFiles}}{{$m.Dir}}|{{$p.Dir}}/{{.}}` + "\n" + `{{end}}{{end}}{{end}}`
	c := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", tags, "-f", linked, ".")
	out, err := c.Output()
	require.NoError(t, err)

	var found []string
	seen := 0
	for line := range strings.Lines(string(out)) {
		module, path, ok := strings.Cut(strings.TrimSpace(line), "|")
		if !ok {
			continue
		}
		seen++
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		header, _, _ := strings.Cut(string(text), "\npackage ")
		if strings.Contains(header, "Redpanda Community") || strings.Contains(header, "licenses/rcl.md") {
			file, err := filepath.Rel(module, path)
			require.NoError(t, err)
			found = append(found, filepath.ToSlash(file))
		}
	}
	require.Greater(t, seen, 50, "the list of linked files came out too short to mean anything")
	return found
}

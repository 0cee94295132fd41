package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryFigureIsDrawn(t *testing.T) {
	figures := filepath.Join(t.TempDir(), "figures.json")
	require.NoError(t, os.WriteFile(figures, []byte(`{"Decode":101,"PlainYAML":102,"Poll":103,
"Hooks64":{"Bare":{"Rate":104},"Hosts":{"Rate":105},"Ours":{"Rate":106},"Journal":{"Rate":107},"Normalized":{"Rate":108},"JournalLate":{"Rate":109}}}`), 0o600))
	picture := filepath.Join(t.TempDir(), "benchmarks.svg")
	require.NoError(t, run(figures, picture))
	content, err := os.ReadFile(picture)
	require.NoError(t, err)
	for _, text := range []string{"<svg", "101", "102", "103", "104", "105", "106", "107", "108", "109", "pipedrive_poll"} {
		assert.Contains(t, string(content), text)
	}
	assert.Error(t, run(filepath.Join(t.TempDir(), "none"), picture))
}

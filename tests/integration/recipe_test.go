//go:build integration

package integration

import (
	"path/filepath"
	"testing"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// binary is what make build has built.
var binary = unrest.Program{Path: "../../bin/benthos-pipedrive"}

// runRecipe runs one of config with the real binary.
func runRecipe(t *testing.T, sim *simulator.Simulator, recipe string, env ...string) *unrest.Feed {
	t.Helper()
	return unrest.Run(t, binary, sim, filepath.Join("../../config", recipe), env...)
}

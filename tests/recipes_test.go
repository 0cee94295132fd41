package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// All recipes lint, and pass the tests that they hold.
func TestRecipesLintAndPassTheirOwnTests(t *testing.T) {
	binary, err := buildOnce()
	require.NoError(t, err)
	for _, arguments := range [][]string{{"lint", "--skip-env-var-check"}, {"test"}} {
		out, err := exec.Command(binary, append(arguments, "../config/...")...).CombinedOutput()
		assert.NoError(t, err, "%s", out)
	}
}

// A recipe that nobody finds is none, and one without a test rots.
func TestRecipesAreListedAndTested(t *testing.T) {
	index, err := os.ReadFile("../config/README.md")
	require.NoError(t, err)
	recipes, err := filepath.Glob("../config/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, recipes)
	for _, path := range recipes {
		name := filepath.Base(path)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Contains(t, string(index), "("+name+")", "config/README.md does not name %s", name)
		assert.Contains(t, string(content), "\ntests:\n", "%s has no unit test", name)
		for _, secret := range []string{"token:", "password:"} {
			for line := range strings.Lines(string(content)) {
				if strings.Contains(line, "_"+secret) || strings.HasPrefix(strings.TrimSpace(line), secret) {
					assert.Contains(t, line, "${", "%s has a secret that does not come from the environment", name)
				}
			}
		}
		assert.NotContains(t, string(content), "${PUBLIC_URL:", "%s has webhooks, and the password, sent to somebody else when PUBLIC_URL is forgotten", name)
	}
}

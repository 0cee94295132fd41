package tests

import (
	"bytes"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Sleeping makes a test slow on one machine and wrong on another, and a test that is skipped promises nothing.
func TestStyleNoTestSleepsOrIsSkipped(t *testing.T) {
	skips := []string{"Skip", "Skipf", "SkipNow"}
	for _, f := range goFiles(t) {
		if !f.isTest() {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			call, _ := n.(*ast.CallExpr)
			if call == nil {
				return true
			}
			callee, _ := call.Fun.(*ast.SelectorExpr)
			if callee == nil {
				return true
			}
			owner, _ := callee.X.(*ast.Ident)
			switch {
			case owner == nil:
			case owner.Name == "time" && callee.Sel.Name == "Sleep":
				t.Errorf("%s: sleeps; wait for a signal, or use testing/synctest", f.at(n))
			case slices.Contains(skips, callee.Sel.Name):
				t.Errorf("%s: a test is skipped", f.at(n))
			}
			return true
		})
	}
}

func TestStyleNothingIsLeftForLater(t *testing.T) {
	later := regexp.MustCompile(`\b(` + "TO" + `DO|FIX` + `ME|X` + `XX|HA` + `CK)\b`)
	for _, f := range goFiles(t) {
		for _, group := range f.syntax.Comments {
			for _, comment := range group.List {
				assert.NotRegexp(t, later, comment.Text, f.at(comment))
			}
		}
	}
}

// A path that begins in a home or a checkout means something on one machine only.
func TestStyleNoPathOfAWorkplace(t *testing.T) {
	workplace := regexp.MustCompile(`(?:^|[\s"'` + "`" + `(=:])(?:/(?:home|root|work|workspace|Users)/|(?:\.\./)+shared\b)`)
	for _, name := range sources(t) {
		content, err := os.ReadFile(filepath.Join("..", name))
		require.NoError(t, err)
		for i, line := range bytes.Split(content, []byte("\n")) {
			assert.False(t, workplace.Match(line), "%s:%d names a path of a workplace", name, i+1)
		}
	}
}

func TestStyleEveryPackageSaysWhatItIs(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range goFiles(t) {
		doc := f.syntax.Doc.Text()
		said := strings.HasPrefix(doc, "Package "+f.syntax.Name.Name+" ") || f.syntax.Name.Name == "main" && doc != ""
		documented[f.folder] = documented[f.folder] || said
	}
	for folder, said := range documented {
		assert.True(t, said, "%s: no file begins with a comment about the package", folder)
	}
}

// A dependency is direct when a file of the library imports it, whatever go.mod calls it.
func TestStyleEveryDependencyHasItsReason(t *testing.T) {
	mod, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	var required []string
	for _, found := range regexp.MustCompile(`(?m)^(?:require)?\s+(\S+) v\S+`).FindAllSubmatch(mod, -1) {
		required = append(required, string(found[1]))
	}
	require.NotEmpty(t, required)
	architecture, err := os.ReadFile("../docs/architecture.md")
	require.NoError(t, err)

	direct := map[string]bool{}
	for _, f := range goFiles(t) {
		if within(f.folder, "cmd") {
			continue
		}
		for _, spec := range f.syntax.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			for _, module := range required {
				if within(imported, module) {
					direct[module] = true
				}
			}
		}
	}
	require.NotEmpty(t, direct)
	for module := range direct {
		assert.Contains(t, string(architecture), "`"+module+"` | ", "docs/architecture.md does not say why %s is needed", module)
	}
}

func TestStyleTheChangelogIsKept(t *testing.T) {
	changelog, err := os.ReadFile("../CHANGELOG.md")
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^## \[(Unreleased|\d+\.\d+\.\d+)\]`, string(changelog))
}

package tests

import (
	"go/ast"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A promise that names a test which was renamed or removed is held by nothing.
func TestGuaranteesNameTestsThatExist(t *testing.T) {
	exist := map[string]bool{}
	for _, f := range goFiles(t) {
		if !f.isTest() {
			continue
		}
		for _, declaration := range f.syntax.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok {
				exist[function.Name.Name] = true
			}
		}
	}
	page, err := os.ReadFile("../docs/guarantees.md")
	require.NoError(t, err)
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllSubmatch(page, -1)
	require.NotEmpty(t, named)
	for _, name := range named {
		assert.True(t, exist[string(name[1])], "there is no %s", name[1])
	}
}

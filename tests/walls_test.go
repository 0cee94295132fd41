package tests

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	ourModule     = "github.com/benthos-pipedrive/benthos-pipedrive"
	hostModule    = "github.com/redpanda-data/benthos/"
	connectModule = "github.com/redpanda-data/connect/"
)

// room is what a folder's code, its tests apart, may import beyond the standard library and other people's modules.
type room struct {
	ours []string
	host bool
}

// The floors of the house, as docs/architecture.md tells them. Every folder with code has a row.
var rooms = func() map[string]room {
	var (
		ground  = []string{"internal/entity", "internal/cursor", "internal/journal", "internal/scan", "internal/boltfile"}
		middle  = []string{"internal/event", "internal/fields", "internal/pipedrive", "internal/callback"}
		engines = []string{"internal/poll", "internal/webhook"}
	)
	onGround := []string{"internal/entity"}
	onDisk := []string{"internal/boltfile"}
	inEngine := slices.Concat(ground, middle)
	inSpec := slices.Concat(ground, middle, engines)
	inDoor := append(slices.Clone(inSpec), "internal/spec", "internal/checkup")
	return map[string]room{
		"internal/entity":    {},
		"internal/cursor":    {},
		"internal/journal":   {ours: onDisk},
		"internal/scan":      {},
		"internal/boltfile":  {},
		"internal/simulator": {}, // shares no mistake with the client that it is there to try
		"internal/event":     {ours: onGround},
		"internal/fields":    {ours: onGround},
		"internal/pipedrive": {ours: append(slices.Clone(onGround), "internal/scan")},
		"internal/callback":  {ours: onGround},
		"internal/poll":      {ours: inEngine},
		"internal/webhook":   {ours: inEngine},
		"internal/checkup":   {ours: inSpec},
		"internal/spec":      {ours: append(slices.Clone(inSpec), "internal/checkup"), host: true},
		"internal/boltcache": {ours: onDisk, host: true},
		"internal/listen":    {},
		"internal/instance":  {ours: onGround},                                                                          // only cmd imports it
		"input":              {ours: append(slices.Clone(inDoor), "internal/boltcache", "internal/listen"), host: true}, // the cache comes along
		"processor":          {ours: inDoor, host: true},
		"output":             {ours: inDoor, host: true},
	}
}()

// breach says why a folder must not import a path; empty: it may.
func breach(folder, imported string) string {
	if within(folder, "cmd") || within(folder, "tests") {
		return "" // cmd is above all rooms and a module of its own; in tests is nothing but tests
	}
	r, known := rooms[folder]
	switch ours, isOurs := strings.CutPrefix(imported, ourModule+"/"); {
	case !known:
		return "is a room without a row in the table of this test"
	case isOurs && !slices.Contains(r.ours, ours):
		return "must not import " + ours
	case strings.HasPrefix(imported, hostModule) && !r.host:
		return "must not know the host: imports " + imported
	}
	return ""
}

func within(folder, parent string) bool {
	return folder == parent || strings.HasPrefix(folder, parent+"/")
}

func TestWalls(t *testing.T) {
	for _, f := range goFiles(t) {
		for _, spec := range f.syntax.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if !within(f.folder, "cmd") && strings.HasPrefix(imported, connectModule) {
				t.Errorf("%s imports %s: only cmd may", f.name, imported)
			}
			if f.isTest() {
				continue // a test may bring the simulator, and the host's builders, into any room
			}
			if why := breach(f.folder, imported); why != "" {
				t.Errorf("%s: %s %s", f.name, f.folder, why)
			}
		}
	}
}

func TestWallsStand(t *testing.T) {
	for _, test := range []struct{ folder, imported, want string }{
		{"internal/poll", ourModule + "/internal/cursor", ""},
		{"input", ourModule + "/internal/boltcache", ""},
		{"input", hostModule + "v4/public/service", ""},
		{"internal/entity", "strings", ""},
		{"cmd/benthos-pipedrive", ourModule + "/input", ""},
		{"internal/cursor", ourModule + "/internal/entity", "must not import internal/entity"},
		{"internal/simulator", ourModule + "/internal/entity", "must not import internal/entity"},
		{"internal/pipedrive", ourModule + "/internal/event", "must not import internal/event"},
		{"internal/poll", ourModule + "/internal/webhook", "must not import internal/webhook"},
		{"internal/poll", ourModule + "/internal/spec", "must not import internal/spec"},
		{"internal/poll", hostModule + "v4/public/service", "must not know the host: imports " + hostModule + "v4/public/service"},
		{"input", ourModule + "/output", "must not import output"},
		{"internal/checkup", ourModule + "/internal/webhook", ""},
		{"internal/checkup", ourModule + "/internal/spec", "must not import internal/spec"},
		{"output", ourModule + "/internal/boltcache", "must not import internal/boltcache"},
		{"input", ourModule + "/internal/simulator", "must not import internal/simulator"},
		{"internal/new", "strings", "is a room without a row in the table of this test"},
	} {
		assert.Equal(t, test.want, breach(test.folder, test.imported), "%s -> %s", test.folder, test.imported)
	}
}

// goFile is one file of the repository, of whatever platform or build tag.
type goFile struct {
	name   string // from the root, with slashes, as is folder
	folder string
	syntax *ast.File
	where  *token.FileSet
}

func (f goFile) isTest() bool { return strings.HasSuffix(f.name, "_test.go") }

func (f goFile) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.name, f.where.Position(n.Pos()).Line)
}

// goFiles parses the files itself instead of asking the go command: it sees every build tag, and Go's test cache
// notices that a file has changed.
func goFiles(t *testing.T) (files []goFile) {
	t.Helper()
	for _, name := range sources(t) {
		if path.Ext(name) != ".go" || strings.Contains(name, "/testdata/") {
			continue
		}
		where := token.NewFileSet()
		syntax, err := parser.ParseFile(where, filepath.Join("..", name), nil, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, goFile{name: name, folder: path.Dir(name), syntax: syntax, where: where})
	}
	require.NotEmpty(t, files)
	return files
}

// sources lists the files of the repository from its root, without what is built or left behind by a run.
func sources(t *testing.T) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch base := entry.Name(); {
		case entry.IsDir() && slices.Contains([]string{".git", "bin", "state"}, base):
			return filepath.SkipDir
		case base == ".git": // a file where one repository has several work trees
		case entry.Type().IsRegular() && !slices.Contains([]string{".db", ".test", ".prof", ".out"}, path.Ext(base)):
			name, err = filepath.Rel("..", name)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	}))
	return names
}

package instance

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func source(t *testing.T, file string, data []byte) Source {
	t.Helper()
	i, _, err := Read(data)
	require.NoError(t, err)
	return Source{File: file, Instance: i}
}

// tree is every file and folder below a folder, with the contents of the files.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if entry.IsDir() {
			found[name+"/"] = ""
			return err
		}
		found[name] = string(contents(t, path))
		return err
	}))
	return found
}

func did(outcomes []Outcome) (list []string) {
	for _, o := range outcomes {
		list = append(list, filepath.Base(o.Path)+" "+o.Did)
	}
	return list
}

func TestAFolderHoldsAStreamForEachInstance(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "crm")
	outcomes, variables, err := WriteFolder(dir, []Source{
		source(t, "a.json", contents(t, "testdata/polling_answer.json")),
		source(t, "b.json", contents(t, "testdata/polling_custom.json")),
		source(t, "polling.json", contents(t, "testdata/polling_urls.json")),
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"root.yaml written", "resources.yaml written", "20931.yaml written", "20932.yaml written", "polling.yaml written"}, did(outcomes))

	var names []string
	for _, v := range variables {
		names = append(names, v.Name)
	}
	assert.Equal(t, []string{
		"PIPEDRIVE_API_TOKEN_20931", "CALLBACK_URL_20931", "SIGNING_KEY_20931", "CALLBACK_USERNAME_20931", "CALLBACK_PASSWORD_20931",
		"CALLBACK_HEADER_X_TEAM_20931",
		"PIPEDRIVE_API_TOKEN_20932", "CALLBACK_URL_20932", "CALLBACK_HEADER_X_API_KEY_20932", "PIPEDRIVE_API_TOKEN_POLLING",
	}, names)

	made := tree(t, dir)
	for _, file := range []string{"root.yaml", "resources.yaml", "streams/20931.yaml", "streams/20932.yaml", "streams/polling.yaml"} {
		golden(t, filepath.Join("testdata", "folder", file), []byte(made[file]))
		assert.NotContains(t, made[file], mark)
	}
	assert.Len(t, made, 7, "nothing else is left behind")
}

func TestAFurtherInstanceTouchesNoOtherFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := source(t, "a.json", webhookInstance(t, nil))
	_, _, err := WriteFolder(dir, []Source{first})
	require.NoError(t, err)
	const edited = "http:\n  address: 10.0.0.1:80\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "root.yaml"), []byte(edited), 0o600))
	before := tree(t, dir)

	outcomes, _, err := WriteFolder(dir, []Source{first, source(t, "b.json", contents(t, "testdata/polling_custom.json"))})
	require.NoError(t, err)
	assert.Equal(t, []string{"root.yaml kept", "resources.yaml unchanged", "20931.yaml unchanged", "20932.yaml written"}, did(outcomes))
	after := tree(t, dir)
	assert.Contains(t, after, "streams/20932.yaml")
	delete(after, "streams/20932.yaml")
	assert.Equal(t, before, after)
}

// When one file of several cannot be written, none is.
func TestAFolderIsWrittenWhollyOrNotAtAll(t *testing.T) {
	t.Parallel()
	webhook, polling := source(t, "a.json", webhookInstance(t, nil)), source(t, "b.json", contents(t, "testdata/polling_custom.json"))
	for _, test := range []struct {
		name        string
		there       func(t *testing.T, dir string)
		sources     []Source
		errContains string
	}{
		{
			"a stream that differs", func(t *testing.T, dir string) {
				require.NoError(t, os.Mkdir(filepath.Join(dir, "streams"), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(dir, "streams", "20931.yaml"), []byte("mine"), 0o600))
			},
			[]Source{polling, webhook},
			"20931.yaml: is there already and differs",
		},
		{
			"a file where the folder should be", func(t *testing.T, dir string) {
				require.NoError(t, os.WriteFile(filepath.Join(dir, "streams"), nil, 0o600))
			},
			[]Source{polling, webhook},
			"streams",
		},
		{
			"a folder where a file should be", func(t *testing.T, dir string) {
				require.NoError(t, os.MkdirAll(filepath.Join(dir, "streams", "20932.yaml"), 0o755))
			},
			[]Source{webhook, polling},
			"20932.yaml",
		},
		{"the same instance twice", nil, []Source{webhook, {File: "c.json", Instance: webhook.Instance}}, "c.json: is instance 20931, as a.json is"},
		{
			"webhooks that cannot be told apart", nil,
			[]Source{polling, source(t, "d.json", contents(t, "testdata/webhook.json"))},
			"d.json: id: is missing",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if test.there != nil {
				test.there(t, dir)
			}
			before := tree(t, dir)
			_, _, err := WriteFolder(dir, test.sources)
			require.ErrorContains(t, err, test.errContains)
			assert.Equal(t, before, tree(t, dir))
		})
	}
}

// A failure in the middle, when some files are in their places already.
func TestWhatIsInPlaceIsTakenAwayAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := folderWriter{dir: filepath.Join(dir, "crm")}
	require.NoError(t, w.plan("root.yaml", []byte("a"), true))
	require.NoError(t, w.plan("streams/1.yaml", []byte("b"), false))
	require.NoError(t, w.plan("streams/2.yaml", []byte("c"), false))
	// Somebody makes a folder of that name after we looked: the last rename fails.
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "crm", "streams", "2.yaml"), 0o755))
	before := tree(t, dir)
	require.Error(t, w.write())
	assert.Equal(t, before, tree(t, dir))
}

func TestFoldersThatWereMadeForNothingAreTakenAwayAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := folderWriter{dir: filepath.Join(dir, "crm")}
	require.NoError(t, w.plan("streams/1.yaml", []byte("a"), false))
	tooLong := filepath.Join(w.dir, "streams", strings.Repeat("2", 300)+".yaml")
	w.todo = append(w.todo, plannedFile{path: tooLong})
	require.Error(t, w.write())
	assert.Equal(t, map[string]string{"./": ""}, tree(t, dir))
}

package instance

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// mark is in every secret of testdata.
const mark = "s3cr3t"

// Each instance in testdata becomes the pipeline beside it, and says what is in the file of notes.
func TestInstancesBecomePipelines(t *testing.T) {
	t.Parallel()
	for _, file := range files(t, "testdata/*.json") {
		t.Run(name(file), func(t *testing.T) {
			t.Parallel()
			data := contents(t, file)
			i, warnings, err := Read(data)
			require.NoError(t, err)
			pipeline, variables := i.Pipeline()

			golden(t, strings.TrimSuffix(file, ".json")+".yaml", pipeline)
			golden(t, strings.TrimSuffix(file, ".json")+".notes", notes(warnings, variables))
			assert.NotContains(t, string(pipeline), mark)
			assert.NotContains(t, string(notes(warnings, variables)), mark)

			again, _, err := Read(data)
			require.NoError(t, err)
			repeated, _ := again.Pipeline()
			assert.Equal(t, string(pipeline), string(repeated))
		})
	}
}

// Each file in testdata/refused is refused with all that is wrong with it at once.
func TestWhatIsWrongIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	for _, file := range files(t, "testdata/refused/*.json") {
		t.Run(name(file), func(t *testing.T) {
			t.Parallel()
			i, warnings, err := Read(contents(t, file))
			refusal := (*Refusal)(nil)
			require.True(t, errors.As(err, &refusal), "it is taken")
			assert.Nil(t, i)
			said := append([]byte(refusal.Error()+"\n"), notes(warnings, nil)...)
			golden(t, strings.TrimSuffix(file, ".json")+".txt", said)
			assert.NotContains(t, string(said), mark)
		})
	}
}

func notes(warnings []Problem, variables []Variable) []byte {
	var out bytes.Buffer
	for _, w := range warnings {
		fmt.Fprintln(&out, "warning:", w)
	}
	for _, v := range variables {
		fmt.Fprintf(&out, "%s: %s\n", v.Name, v.Means)
	}
	return out.Bytes()
}

func files(t testing.TB, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, found)
	return found
}

func name(file string) string { return strings.TrimSuffix(filepath.Base(file), ".json") }

func contents(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return data
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	assert.Equal(t, string(contents(t, file)), string(got))
}

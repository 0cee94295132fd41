package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// openSmall is a journal that compacts from 1 MiB on.
func openSmall(t testing.TB, path string) *Journal {
	t.Helper()
	j, err := Open(Options{Path: path, minCompact: 1 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// grown has a file of that many times 200 KiB, of which so many are delivered, and behind them "left 1" and "left 2".
func grown(t testing.TB, path string, times, delivered int) *Journal {
	t.Helper()
	j := openSmall(t, path)
	for i := range times {
		appendAll(t, j, Entry{Lane: fmt.Sprint(i), Key: fmt.Sprint(i), Body: make([]byte, 200<<10)})
	}
	appendAll(t, j, entryOf("a", "left 1"), entryOf("b", "left 2"))
	batch, _, err := j.takeBatch(delivered, 1<<40)
	require.NoError(t, err)
	require.NoError(t, j.Done(t.Context(), batch...))
	return j
}

func fileSize(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.Size()
}

func TestALargeFileShrinksWhenItIsNearlyEmpty(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	link := filepath.Join(t.TempDir(), "link.db")
	require.NoError(t, os.Symlink(path, link))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path+compactName, []byte("left by a crash"), 0o600))

	j := grown(t, link, 7, 7)
	assert.Less(t, fileSize(t, path), int64(1<<19))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	assert.NoFileExists(t, path+compactName)
	_, err = Open(Options{Path: path, LockTimeout: 1})
	require.ErrorIs(t, err, ErrHeld, "the new file is held as well")

	batch := next(t, j)
	require.Equal(t, []string{"left 1", "left 2"}, keys(batch))
	j.Later(0, batch[1])
	appendAll(t, j, entryOf("a", "after"))
	require.NoError(t, j.Done(t.Context(), batch[0]))
	require.Equal(t, []string{"left 2", "after"}, keys(next(t, j)))
	first := current(j)
	for i := range 7 {
		appendAll(t, j, Entry{Lane: fmt.Sprint(i), Body: make([]byte, 200<<10)})
	}
	require.NoError(t, j.Done(t.Context(), next(t, j)...))
	assert.NotSame(t, first, current(j), "and it shrinks again")
	require.NoError(t, j.Close())

	j = openAt(t, path)
	batch = next(t, j)
	require.Equal(t, []string{"left 2", "after"}, keys(batch))
	assert.Equal(t, 1, batch[0].Refused)
	assert.Equal(t, uint64(10), batch[1].item.seq, "numbers go on")
}

func TestASmallOrFullFileIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name             string
		times, delivered int
	}{{"small", 2, 2}, {"full", 7, 6}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := journalPath(t)
			j := grown(t, path, test.times, test.delivered)
			before, err := os.Stat(path)
			require.NoError(t, err)
			require.NoError(t, j.Close())
			openSmall(t, path)
			after, err := os.Stat(path)
			require.NoError(t, err)
			assert.True(t, os.SameFile(before, after))
		})
	}
}

// A copy that cannot be made is no reason to refuse anything: the journal goes on with the file it has.
func TestACompactionThatFailsHarmsNothing(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	require.NoError(t, os.MkdirAll(filepath.Join(path+compactName, "in the way"), 0o700))
	j := grown(t, path, 7, 7)
	assert.Greater(t, fileSize(t, path), int64(1<<20))
	require.NoError(t, j.Close())

	require.NoError(t, os.RemoveAll(path+compactName))
	j = openSmall(t, path)
	assert.Less(t, fileSize(t, path), int64(1<<19), "the next Open makes up for it")
	assert.Equal(t, []string{"left 1", "left 2"}, drain(t, j))
}

// One who had opened the old file and waited for its lock must not write to what nobody will find again.
func TestAFileThatWasReplacedIsNotTakenForTheJournal(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	require.NoError(t, openAt(t, path).Close())
	old, err := openFile(path, 1, false)
	require.NoError(t, err)
	require.NoError(t, old.isAt(path))
	require.NoError(t, os.Rename(path, path+".old"))
	j := openAt(t, path)
	appendAll(t, j, entryOf("a", "a1"))
	require.ErrorIs(t, old.isAt(path), errMoved)
	require.NoError(t, old.DB.Close())
}

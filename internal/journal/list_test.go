package journal

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadShowsWhatIsPendingAndChangesNothing(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	j := openAt(t, path)
	at := func(minute int) time.Time { return time.Date(2026, 11, 24, 12, minute, 0, 0, time.UTC) }
	for i, lane := range []string{"done", "a", "b", "b", "c"} {
		appendAll(t, j, Entry{Lane: lane, Accepted: at(i), Body: make([]byte, 100)})
	}
	for _, d := range next(t, j) {
		switch d.Lane {
		case "done":
			require.NoError(t, j.Done(t.Context(), d))
		case "c":
			j.Later(time.Hour, d)
		}
	}
	bytes := j.Bytes()
	require.NoError(t, j.Close())
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.Chmod(path, 0o400))

	c, err := Read(path)
	require.NoError(t, err)
	assert.Equal(t, Contents{
		FileBytes: int64(len(before)), Pending: 4, Bytes: bytes, Oldest: at(1), Newest: at(4), Stuck: 1,
		Lanes: []LaneContents{
			{Lane: "c", Pending: 1, Bytes: bytes / 4, Oldest: at(4), Newest: at(4), Refused: 1},
			{Lane: "b", Pending: 2, Bytes: bytes / 2, Oldest: at(2), Newest: at(3)},
			{Lane: "a", Pending: 1, Bytes: bytes / 4, Oldest: at(1), Newest: at(1)},
		},
	}, c)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestReadOfAnEmptyJournal(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	require.NoError(t, openAt(t, path).Close())
	c, err := Read(path)
	require.NoError(t, err)
	assert.Equal(t, Contents{FileBytes: fileSize(t, path)}, c)

	unused := filepath.Join(t.TempDir(), "unused.db")
	require.NoError(t, os.WriteFile(unused, nil, 0o600))
	c, err = Read(unused)
	require.NoError(t, err)
	assert.Equal(t, Contents{}, c)
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	missing, text, damaged := filepath.Join(folder, "missing.db"), filepath.Join(folder, "text"), filepath.Join(folder, "damaged")
	require.NoError(t, os.WriteFile(text, make([]byte, 100_000), 0o600))
	content := filled(t, damaged)
	for i := len(content) / 2; i < len(content); i++ {
		content[i] = 0xa5
	}
	require.NoError(t, os.WriteFile(damaged, content, 0o600))

	_, err := Read(missing)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoFileExists(t, missing)
	_, err = Read(folder)
	require.ErrorContains(t, err, "it is not a file")
	for _, path := range []string{text, damaged} {
		_, err = Read(path)
		require.ErrorContains(t, err, "path \""+path+"\": the file is not a journal, or damaged")
	}
}

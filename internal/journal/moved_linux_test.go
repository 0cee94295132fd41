package journal

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// opened is how often this process has the file open.
func opened(path string) (times int) {
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		if to, _ := os.Readlink(link); to == path {
			times++
		}
	}
	return times
}

// One who waits for the lock of a journal while its holder replaces the file gets the new one: what is accepted then is
// found again.
func TestWhoWaitsForAFileThatIsReplacedGetsTheNewOne(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	require.NoError(t, openAt(t, path).Close())
	path, err := filepath.EvalSymlinks(path)
	require.NoError(t, err)
	holder, err := openFile(path, time.Second, false)
	require.NoError(t, err)
	accepted := make(chan error)
	go func() {
		j, err := Open(Options{Path: path, LockTimeout: time.Minute})
		if err == nil {
			err = j.Append(t.Context(), entryOf("a", "a1"))
		}
		if err == nil {
			err = j.Close()
		}
		accepted <- err
	}()
	require.Eventually(t, func() bool { return opened(path) == 2 }, 10*time.Second, time.Millisecond, "it waits for the lock")
	replacement := path + compactName
	require.NoError(t, openAt(t, replacement).Close())
	require.NoError(t, os.Rename(replacement, path))
	require.NoError(t, holder.DB.Close())
	require.NoError(t, <-accepted)
	assert.Equal(t, []string{"a1"}, keys(next(t, openAt(t, path))))
}

package boltcache

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// registered counts the files of a folder that the process has open.
func registered(folder string) (n int) {
	folder, _ = filepath.EvalSymlinks(folder)
	inUse.mu.Lock()
	defer inUse.mu.Unlock()
	for path := range inUse.files {
		if rel, err := filepath.Rel(folder, path); err == nil && filepath.IsLocal(rel) {
			n++
		}
	}
	return n
}

func TestOneFileUnderManyNamesIsOpenedOnce(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	path := filepath.Join(folder, "real", "state.db")
	require.NoError(t, os.Mkdir("real", 0o700))
	require.NoError(t, os.Symlink("real", "linked-folder"))
	require.NoError(t, os.Symlink(path, "linked.db")) // to a file that does not exist yet

	names := []string{
		"linked.db", path, "real/state.db", "./real/../real/state.db",
		filepath.Join(folder, "linked-folder", "state.db"),
	}
	caches := make([]*cache, len(names))
	for i, name := range names {
		caches[i] = openCache(t, name)
		require.NoError(t, caches[i].Set(t.Context(), name, []byte("v"), nil), name)
	}
	assert.Equal(t, 1, registered(folder))
	for _, name := range names {
		assertValue(t, caches[0], name, "v")
	}

	for i, c := range caches {
		assert.Equal(t, 1, registered(folder))
		require.NoError(t, c.Close(t.Context()))
		if i+1 < len(caches) {
			assertValue(t, caches[i+1], names[i], "v")
		}
	}
	assert.Equal(t, 0, registered(folder), "the last user closes the file")
	db, err := openDB(path, 1) // would find the lock if it were still there
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

func TestUsersComeAndGo(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "state.db")
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 20 {
				c := openCache(t, path)
				key := fmt.Sprint(worker, "/", i)
				assert.NoError(t, c.Set(t.Context(), key, []byte(key), nil))
				got, err := c.Get(t.Context(), key)
				assert.NoError(t, err)
				assert.Equal(t, key, string(got))
				assert.NoError(t, c.Close(t.Context()))
			}
		})
	}
	wg.Wait()
	assert.Equal(t, 0, registered(folder))
}

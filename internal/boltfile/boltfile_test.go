package boltfile

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

func TestMakeMakesAFileAndItsFoldersForTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	root, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	real := filepath.Join(root, "new", "deep", "state.db")
	link := filepath.Join(root, "link.db")
	require.NoError(t, os.Symlink(real, link))
	require.NoError(t, os.Symlink(root, filepath.Join(root, "around")))
	require.NoError(t, os.MkdirAll(filepath.Dir(real), 0o700))
	for _, path := range []string{link, real, filepath.Join(root, "around", "new", "deep", "state.db")} {
		found, err := Make(path)
		require.NoError(t, err)
		assert.Equal(t, real, found)
	}
	found, err := Make(filepath.Join(root, "another", "folder", "state.db"))
	require.NoError(t, err)
	for path, want := range map[string]os.FileMode{found: 0o600, filepath.Dir(found): 0o700, filepath.Dir(filepath.Dir(found)): 0o700} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, want, info.Mode().Perm(), path)
	}
	for path, errContains := range map[string]string{
		root:                                "is a directory, must be a file",
		os.DevNull:                          "neither a file",
		filepath.Join(real, "below a file"): "not a directory",
	} {
		_, err := Make(path)
		assert.ErrorContains(t, err, errContains)
	}
}

// What is committed survives a power cut, which no test can make: nothing of bbolt's syncing is turned off.
func TestACommitIsSynced(t *testing.T) {
	t.Parallel()
	f, err := Open(filepath.Join(t.TempDir(), "state.db"), time.Second, false)
	require.NoError(t, err)
	defer f.Abandon()
	assert.False(t, f.DB.NoSync)
	assert.False(t, f.DB.NoGrowSync)
	assert.False(t, f.DB.NoFreelistSync)
}

func TestAFileThatIsHeldIsNotDamaged(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	f, err := Open(path, time.Second, false)
	require.NoError(t, err)
	_, err = Open(path, time.Millisecond, false)
	require.ErrorIs(t, err, ErrHeld)
	assert.False(t, Damaged(err))
	f.Abandon()
	f, err = Open(path, time.Millisecond, false)
	require.NoError(t, err, "who abandons it lets go of its lock")
	require.NoError(t, f.DB.Close())

	_, err = Open(filepath.Join(path, "below a file"), time.Second, false)
	require.Error(t, err)
	assert.False(t, Damaged(err))
}

// Whatever stands in a file, opening it and reading it is an error at worst, and the next who opens it meets no lock of
// ours.
func TestADamagedFileIsAnError(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	f, err := Open(path, time.Second, false)
	require.NoError(t, err)
	bucket := []byte("b")
	require.NoError(t, f.DB.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket(bucket)
		if err != nil {
			return err
		}
		return b.Put([]byte("k"), make([]byte, 100_000))
	}))
	require.NoError(t, f.DB.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	page := os.Getpagesize()
	failures := 0
	for n := range len(whole) / page {
		damaged := append([]byte{}, whole...)
		for i := range page {
			damaged[n*page+i] ^= 0xa5
		}
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		f, err := Open(path, time.Second, false)
		if err == nil {
			err = Survive(func() error {
				return f.DB.View(func(tx *bbolt.Tx) error { return tx.Bucket(bucket).ForEach(func(_, _ []byte) error { return nil }) })
			})
			f.Abandon()
		}
		if err != nil {
			assert.True(t, Damaged(err), "page %d: %v", n, err)
			failures++
		}
	}
	assert.NotZero(t, failures)
	require.NoError(t, os.WriteFile(path, whole[:len(whole)/2], 0o600))
	_, err = Open(path, time.Second, false)
	assert.True(t, Damaged(err))
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	f, err = Open(path, time.Second, false)
	require.NoError(t, err)
	require.NoError(t, f.DB.Close())
}

package boltcache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// openCache returns a cache on path that is closed with the test.
func openCache(t testing.TB, path string) *cache {
	t.Helper()
	c := &cache{path: path, timeout: time.Second}
	t.Cleanup(func() { assert.NoError(t, c.Close(context.Background())) })
	return c
}

func statePath(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "state.db")
}

func assertValue(t testing.TB, c *cache, key, want string) {
	t.Helper()
	got, err := c.Get(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, want, string(got))
}

func assertMissing(t testing.TB, c *cache, key string) {
	t.Helper()
	_, err := c.Get(t.Context(), key)
	require.ErrorIs(t, err, service.ErrKeyNotFound)
}

func TestGetSetAddDelete(t *testing.T) {
	c := openCache(t, statePath(t))
	ctx := t.Context()

	assertMissing(t, c, "cursor")
	require.NoError(t, c.Set(ctx, "cursor", []byte("one"), nil))
	assertValue(t, c, "cursor", "one")
	require.NoError(t, c.Set(ctx, "cursor", []byte("two"), nil))
	assertValue(t, c, "cursor", "two")

	require.ErrorIs(t, c.Add(ctx, "cursor", []byte("three"), nil), service.ErrKeyAlreadyExists)
	assertValue(t, c, "cursor", "two")
	require.NoError(t, c.Add(ctx, "mark", nil, nil))
	assertValue(t, c, "mark", "")

	require.NoError(t, c.Delete(ctx, "cursor"))
	assertMissing(t, c, "cursor")
	require.NoError(t, c.Delete(ctx, "cursor"), "deleting what is not there")
	require.NoError(t, c.Add(ctx, "cursor", []byte("four"), nil))
	assertValue(t, c, "cursor", "four")
}

func TestAValueBelongsToItsReader(t *testing.T) {
	c := openCache(t, statePath(t))
	require.NoError(t, c.Set(t.Context(), "k", []byte("value"), nil))
	got, err := c.Get(t.Context(), "k")
	require.NoError(t, err)
	got[0] = 'X'
	assertValue(t, c, "k", "value")
}

func TestSetMultiWritesAllOrNothing(t *testing.T) {
	c := openCache(t, statePath(t))
	require.NoError(t, c.SetMulti(t.Context(),
		service.CacheItem{Key: "a", Value: []byte("1")}, service.CacheItem{Key: "b", Value: []byte("2")}))
	assertValue(t, c, "a", "1")
	assertValue(t, c, "b", "2")

	require.Error(t, c.SetMulti(t.Context(),
		service.CacheItem{Key: "a", Value: []byte("3")}, service.CacheItem{Key: "", Value: []byte("4")}))
	assertValue(t, c, "a", "1")
}

func TestKeysAndValuesHaveLimits(t *testing.T) {
	c := openCache(t, statePath(t))
	ctx := t.Context()
	hour := time.Hour
	longest := strings.Repeat("k", maxKey)
	require.NoError(t, c.Set(ctx, longest, []byte("v"), &hour))
	assertValue(t, c, longest, "v")

	for _, test := range []struct {
		name, key   string
		value       []byte
		errContains string
	}{
		{"empty key", "", nil, "the key is empty"},
		{"key too long", longest + "k", nil, "the key has 32761 bytes, must have 1 to 32760"},
		{"value too long", "k", make([]byte, maxValue+1), "the value has 67108865 bytes, may have up to 67108864"},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.ErrorContains(t, c.Set(ctx, test.key, test.value, nil), test.errContains)
			require.ErrorContains(t, c.Add(ctx, test.key, test.value, nil), test.errContains)
			assertMissing(t, c, test.key)
			require.NoError(t, c.Delete(ctx, test.key))
		})
	}
}

func TestCloseAndReopenKeepsEverything(t *testing.T) {
	path := statePath(t)
	first := openCache(t, path)
	require.NoError(t, first.Set(t.Context(), "k", []byte("v"), nil))
	require.NoError(t, first.Close(t.Context()))
	require.NoError(t, first.Close(t.Context()), "closing twice")
	_, err := first.Get(t.Context(), "k")
	require.ErrorIs(t, err, errClosed)
	require.ErrorIs(t, first.Set(t.Context(), "k", nil, nil), errClosed)

	assertValue(t, openCache(t, path), "k", "v")
}

func TestCloseBeforeUseTouchesNothing(t *testing.T) {
	path := statePath(t)
	c := openCache(t, path)
	require.NoError(t, c.Close(t.Context()))
	assert.NoFileExists(t, path)
	require.ErrorIs(t, c.Set(t.Context(), "k", nil, nil), errClosed)
	assert.NoFileExists(t, path)
}

func TestAnEndedContextIsNotServed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := openCache(t, statePath(t))
	require.ErrorIs(t, c.Set(ctx, "k", nil, nil), context.Canceled)
	assertMissing(t, c, "k")
}

func TestFolderAndFileAreForTheirOwnerOnly(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "new", "deep", "state.db")
	require.NoError(t, openCache(t, path).Set(t.Context(), "k", nil, nil))
	for name, want := range map[string]os.FileMode{
		filepath.Join(root, "new"): 0o700, filepath.Dir(path): 0o700, path: 0o600,
	} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		assert.Equal(t, want, info.Mode().Perm(), name)
	}
}

func TestOfManyAddsOneSucceeds(t *testing.T) {
	path := statePath(t)
	caches := []*cache{openCache(t, path), openCache(t, path)} // two resources, one file
	for round := range 20 {
		var wg sync.WaitGroup
		var won atomic.Int32
		for i := range 8 {
			wg.Go(func() {
				err := caches[i%2].Add(t.Context(), fmt.Sprint("key ", round), []byte{byte(i)}, nil)
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, service.ErrKeyAlreadyExists) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, won.Load())
	}
}

func TestConcurrentUse(t *testing.T) {
	c := openCache(t, statePath(t))
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 25 {
				key, value := fmt.Sprint(worker, "/", i), bytes.Repeat([]byte{byte(i)}, 100)
				assert.NoError(t, c.Set(t.Context(), key, value, nil))
				got, err := c.Get(t.Context(), key)
				assert.NoError(t, err)
				assert.Equal(t, value, got)
				if i%2 == 0 {
					assert.NoError(t, c.Delete(t.Context(), key))
				}
			}
		})
	}
	wg.Wait()
}

func TestCloseWaitsForRunningOperations(t *testing.T) {
	c := openCache(t, statePath(t))
	require.NoError(t, c.Set(t.Context(), "first", nil, nil))
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if err := c.Set(t.Context(), fmt.Sprint(i), nil, nil); err != nil {
				assert.ErrorIs(t, err, errClosed)
			}
		})
	}
	assert.NoError(t, c.Close(t.Context()))
	wg.Wait()
}

package boltcache

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// filled writes a database of many pages and returns its content.
func filled(t *testing.T, path string) []byte {
	t.Helper()
	c := &cache{path: path, timeout: 1e9}
	for i := range 20 {
		require.NoError(t, c.Set(t.Context(), fmt.Sprint("key ", i), bytes.Repeat([]byte("value "), 1000), nil))
	}
	require.NoError(t, c.Close(t.Context()))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return content
}

func TestAFileThatCannotBeOpenedIsNamed(t *testing.T) {
	folder := t.TempDir()
	whole := filled(t, filepath.Join(folder, "whole.db"))
	at := func(name string) string { return filepath.Join(folder, name) }
	write := func(name string, content []byte) string {
		require.NoError(t, os.WriteFile(at(name), content, 0o600))
		return at(name)
	}
	require.NoError(t, os.Mkdir(at("folder"), 0o700))
	garbledHead := bytes.Clone(whole)
	copy(garbledHead, bytes.Repeat([]byte{0xff}, 2*os.Getpagesize()))

	for _, test := range []struct{ name, path, errContains string }{
		{"a folder", at("folder"), "it is a directory"},
		{"a device", os.DevNull, "it is neither a file"},
		{"below a file", filepath.Join(write("file", nil), "state.db"), "not a directory"},
		{"text", write("text", []byte("cursor: 12\n")), "not a bolt database, or damaged"},
		{"much text", write("long text", bytes.Repeat([]byte("cursor: 12\n"), 10_000)), "not a bolt database, or damaged"},
		{"one byte", write("byte", whole[:1]), "not a bolt database, or damaged"},
		{"garbled head", write("head", garbledHead), "not a bolt database, or damaged"},
		{"cut to half", write("half", whole[:len(whole)/2]), "not a bolt database, or damaged"},
		{"cut behind its head", write("two pages", whole[:2*os.Getpagesize()]), "not a bolt database, or damaged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := openCache(t, test.path)
			for range 2 { // the second attempt meets no lock of the first
				_, err := c.Get(t.Context(), "key 1")
				require.ErrorContains(t, err, "path \""+test.path+"\"")
				require.ErrorContains(t, err, test.errContains)
				assert.NotContains(t, err.Error(), "\n")
			}
			assert.Equal(t, 0, registered(filepath.Dir(test.path)))
		})
	}

	t.Run("and once it is repaired the same cache works", func(t *testing.T) {
		c := openCache(t, at("text"))
		_, err := c.Get(t.Context(), "key 1")
		require.Error(t, err)
		write("text", whole)
		_, err = c.Get(t.Context(), "key 1")
		require.NoError(t, err)
	})
}

// Whatever page is damaged, the answer is an error or what was written, never the end of the process.
func TestADamagedPageIsAnErrorNotACrash(t *testing.T) {
	path := statePath(t)
	content := filled(t, path)
	page := os.Getpagesize()
	failures := 0
	for n := range len(content) / page {
		damaged := bytes.Clone(content)
		for i := range page {
			damaged[n*page+i] ^= 0xa5
		}
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		c := &cache{path: path, timeout: 1e9}
		for i := range 20 {
			if _, err := c.Get(t.Context(), fmt.Sprint("key ", i)); err != nil {
				failures++
			}
		}
		if err := c.SetMulti(t.Context()); err != nil {
			failures++
		}
		if err := c.Set(t.Context(), "key 1", bytes.Repeat([]byte("other "), 1000), nil); err != nil {
			failures++
		}
		require.NoError(t, c.Close(t.Context()))
	}
	assert.Positive(t, failures)
}

func TestAnEntryOfAnotherProgramIsAnError(t *testing.T) {
	path := statePath(t)
	db, err := bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		values, err := tx.CreateBucket(valuesBucket)
		if err != nil {
			return err
		}
		return values.Put([]byte("k"), []byte("short"))
	}))
	require.NoError(t, db.Close())

	c := openCache(t, path)
	_, err = c.Get(t.Context(), "k")
	require.ErrorIs(t, err, errDamaged)
	require.ErrorIs(t, c.Add(t.Context(), "k", nil, nil), errDamaged)
	require.NoError(t, c.Set(t.Context(), "k", []byte("good"), nil), "writing over it repairs it")
	assertValue(t, c, "k", "good")
}

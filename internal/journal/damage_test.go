package journal

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

const filledWith = 40

// filled writes a journal of many pages, some of them given back, and returns its content.
func filled(t testing.TB, path string) []byte {
	t.Helper()
	j := openAt(t, path)
	for i := range 2 * filledWith {
		appendAll(t, j, Entry{Lane: fmt.Sprint(i), Key: fmt.Sprint(i), Body: bytes.Repeat([]byte("value "), 300)})
	}
	require.NoError(t, j.Done(t.Context(), next(t, j)[:filledWith]...))
	require.NoError(t, j.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return content
}

func TestAFileThatCannotBeOpenedIsNamed(t *testing.T) {
	t.Parallel()
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
	bit := bytes.Clone(whole)
	bit[bytes.LastIndex(whole, []byte("value value"))+3] ^= 1
	db, err := bbolt.Open(at("cache.db"), 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("cache_v1_values"))
		return err
	}))
	require.NoError(t, db.Close())

	require.NoError(t, os.WriteFile(at("numbers"), whole, 0o600))
	db, err = bbolt.Open(at("numbers"), 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(entriesBucket).SetSequence(7) }))
	require.NoError(t, db.Close())

	const damage = "not a journal, or damaged (restore it, or move it away to begin an empty one)"
	for _, test := range []struct{ name, path, errContains string }{
		{"a folder", at("folder"), "is a directory, must be a file"},
		{"a device", os.DevNull, "it is neither a file"},
		{"below a file", filepath.Join(write("file", nil), "state.db"), "not a directory"},
		{"text", write("text", []byte("cursor: 12\n")), damage},
		{"much text", write("long text", bytes.Repeat([]byte("cursor: 12\n"), 10_000)), damage},
		{"one byte", write("byte", whole[:1]), damage},
		{"garbled head", write("head", garbledHead), damage},
		{"cut to half", write("half", whole[:len(whole)/2]), fmt.Sprint(damage, ": it has ", len(whole)/2, " bytes of ")},
		{"cut behind its head", write("two pages", whole[:2*os.Getpagesize()]), damage},
		{"one bit of a body", write("bit", bit), damage},
		{"numbers that would be given out again", at("numbers"), damage + ": entry 41: its number"},
		{"the database of a cache", at("cache.db"), `a journal needs a file of its own (it holds "cache_v1_values")`},
	} {
		t.Run(test.name, func(t *testing.T) {
			before, _ := os.ReadFile(test.path)
			for range 2 { // the second attempt meets no lock of the first
				_, err := Open(Options{Path: test.path, LockTimeout: 1e6})
				require.ErrorContains(t, err, "opening the journal, path \""+test.path+"\": ")
				require.ErrorContains(t, err, test.errContains)
				assert.NotContains(t, err.Error(), "\n")
			}
			after, _ := os.ReadFile(test.path)
			assert.True(t, bytes.Equal(before, after), "the file was changed")
		})
	}
}

func TestBadOptionsAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		options     Options
		errContains string
	}{
		{Options{}, "the path is empty"},
		{Options{Path: "x", LockTimeout: -1}, "the lock timeout is -1ns, must be positive"},
		{Options{Path: "x", MaxBytes: -1}, "max bytes is -1, must be positive"},
	} {
		_, err := Open(test.options)
		assert.ErrorContains(t, err, test.errContains)
	}
}

// Whatever page is damaged, all of what was accepted is there or an error says that it is not; the process goes on.
func TestADamagedPageIsAnErrorNotACrashAndNotALoss(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	content := filled(t, path)
	page := os.Getpagesize()
	failures := 0
	for n := range len(content) / page {
		damaged := bytes.Clone(content)
		for i := range page {
			damaged[n*page+i] ^= 0xa5
		}
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		j, err := Open(Options{Path: path})
		if err != nil {
			failures++
			continue
		}
		want := filledWith
		if n < 2 && j.Pending() != want {
			want = 2 * filledWith // without its newest head the file is as it was before the last commit, the removal
		}
		assert.Equal(t, want, j.Pending(), "page %d", n)
		assert.Len(t, drain(t, j), want, "page %d", n)
		require.NoError(t, j.Close())
	}
	assert.Greater(t, failures, filledWith/2)
}

// A disk that goes bad under a running journal ends it with words, for everybody, and lets go of the file.
func TestDamageWhileItRunsEndsTheJournal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		meet func(*Journal, []Delivery) error
	}{
		{"met by a delivery", func(j *Journal, batch []Delivery) error {
			j.Later(0, batch...)
			_, err := j.NextBatch(t.Context(), 1000, 1<<30)
			return err
		}},
		{"met by an append", func(j *Journal, _ []Delivery) error { return j.Append(t.Context(), entryOf("x", "x")) }},
		{"met by an ack", func(j *Journal, batch []Delivery) error { return j.Done(t.Context(), batch...) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := journalPath(t)
			content := filled(t, path)
			j := openAt(t, path)
			batch := next(t, j)
			garbage, err := os.OpenFile(path, os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = garbage.WriteAt(bytes.Repeat([]byte{0xa5}, len(content)-2*os.Getpagesize()), int64(2*os.Getpagesize()))
			require.NoError(t, err)
			require.NoError(t, garbage.Close())

			err = test.meet(j, batch)
			require.ErrorContains(t, err, "path \""+path+"\": the file is not a journal, or damaged")
			assert.NotContains(t, err.Error(), "\n")
			require.ErrorContains(t, j.Append(t.Context(), entryOf("x", "x")), "damaged")
			require.ErrorContains(t, j.Done(t.Context(), batch...), "damaged")
			_, err = j.NextBatch(t.Context(), 1, 1)
			require.ErrorContains(t, err, "damaged")
			_ = j.Close()

			require.NoError(t, os.WriteFile(path, content, 0o600))
			assert.Len(t, drain(t, openAt(t, path)), filledWith, "once it is repaired it opens, in the same process")
		})
	}
}

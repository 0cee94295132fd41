package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// benchEntry is 1.2 KB in the file.
func benchEntry(n uint64) Entry {
	return Entry{
		Lane:     fmt.Sprint("12345/deal/", n%5000),
		Key:      fmt.Sprint("12345/5f0e0c4a-8a0b-4c86-9c53-", n),
		Accepted: time.Now(),
		Meta:     map[string]string{"pipedrive_via": "webhook", "pipedrive_company_id": "12345"},
		Body:     bytes.Repeat([]byte("x"), 1100),
	}
}

// byWriters runs do b.N times, shared by so many goroutines, and reports the rate.
func byWriters(b *testing.B, writers int, do func(n uint64) error) {
	b.Helper()
	var n atomic.Uint64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range writers {
		wg.Go(func() {
			for {
				i := n.Add(1)
				if i > uint64(b.N) {
					return
				}
				if err := do(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// The folder is the system's for temporary files, or that of TMPDIR: what its disk does is most of the figure.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprint("writers=", writers), func(b *testing.B) {
			j, err := Open(Options{Path: filepath.Join(b.TempDir(), "journal.db"), MaxBytes: 1 << 40})
			require.NoError(b, err)
			byWriters(b, writers, func(n uint64) error { return j.Append(b.Context(), benchEntry(n)) })
			b.StopTimer()
			require.NoError(b, j.Close())
		})
	}
}

// How long it takes to begin with a backlog.
func BenchmarkOpen(b *testing.B) {
	const pending = 100_000
	path := filepath.Join(b.TempDir(), "journal.db")
	j, err := Open(Options{Path: path})
	require.NoError(b, err)
	var wg sync.WaitGroup
	for writer := range 100 {
		wg.Go(func() {
			for i := range pending / 100 {
				if err := j.Append(b.Context(), benchEntry(uint64(writer*pending/100+i))); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	require.NoError(b, j.Close())
	b.ResetTimer()
	for range b.N {
		j, err := Open(Options{Path: path})
		require.NoError(b, err)
		b.StopTimer()
		require.Equal(b, pending, j.Pending())
		require.NoError(b, j.Close())
		b.StartTimer()
	}
	b.ReportMetric(pending, "entries")
}

// A backlog as fast as it can be delivered, in batches of 256 with one ack each.
func BenchmarkDeliver(b *testing.B) {
	j, err := Open(Options{Path: filepath.Join(b.TempDir(), "journal.db"), MaxBytes: 1 << 40})
	require.NoError(b, err)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for j.Pending() < b.N {
				if err := j.Append(b.Context(), benchEntry(rand.Uint64())); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ResetTimer()
	for left := j.Pending(); left > 0; {
		batch, err := j.NextBatch(b.Context(), 256, 16<<20)
		require.NoError(b, err)
		require.NoError(b, j.Done(b.Context(), batch...))
		left -= len(batch)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	b.StopTimer()
	require.NoError(b, j.Close())
}

// What comes beside a backlog of which three quarters are delivered, here and there, so that there are holes all over the
// file.
func BenchmarkHoles(b *testing.B) {
	const pending = 300_000
	j, err := Open(Options{Path: filepath.Join(b.TempDir(), "journal.db"), MaxBytes: 1 << 40})
	require.NoError(b, err)
	alone := func(n uint64) Entry {
		e := benchEntry(n)
		e.Lane = e.Key
		return e
	}
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for j.Pending() < pending {
				if err := j.Append(b.Context(), alone(rand.Uint64())); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	all, err := j.NextBatch(b.Context(), 2*pending, 1<<40)
	require.NoError(b, err)
	rand.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	for done := range slices.Chunk(all[:len(all)*3/4], 1000) {
		require.NoError(b, j.Done(b.Context(), done...))
	}
	byWriters(b, 64, func(n uint64) error { return j.Append(b.Context(), alone(n)) })
	b.StopTimer()
	require.NoError(b, j.Close())
}

// What bbolt does by itself with the same entries: a transaction each (Update), or its own group commit (Batch).
func BenchmarkBbolt(b *testing.B) {
	for _, how := range []struct {
		name  string
		write func(*bbolt.DB, func(*bbolt.Tx) error) error
	}{
		{"Update", (*bbolt.DB).Update},
		{"Batch", (*bbolt.DB).Batch},
	} {
		for _, writers := range []int{1, 16, 64} {
			b.Run(fmt.Sprint(how.name, "/writers=", writers), func(b *testing.B) {
				db, err := bbolt.Open(filepath.Join(b.TempDir(), "bare.db"), 0o600, nil)
				require.NoError(b, err)
				require.NoError(b, db.Update(func(tx *bbolt.Tx) error {
					_, err := tx.CreateBucket(entriesBucket)
					return err
				}))
				byWriters(b, writers, func(n uint64) error {
					e := benchEntry(n)
					value := e.appendTo(nil)
					return how.write(db, func(tx *bbolt.Tx) error {
						bucket := tx.Bucket(entriesBucket)
						seq, err := bucket.NextSequence()
						if err != nil {
							return err
						}
						return bucket.Put(binary.BigEndian.AppendUint64(nil, seq), value)
					})
				})
				b.StopTimer()
				require.NoError(b, db.Close())
			})
		}
	}
}

package boltcache

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// commits returns how many transactions the file has seen.
func commits(t testing.TB, f *file) (n int) {
	t.Helper()
	require.NoError(t, f.db.View(func(tx *bbolt.Tx) error {
		n = tx.ID()
		return nil
	}))
	return n
}

func TestWhoWaitsForACommitSharesTheNext(t *testing.T) {
	c := openCache(t, statePath(t))
	require.NoError(t, c.Set(t.Context(), "first", nil, nil))
	before := commits(t, c.file)

	const writers = 32
	c.file.turn.Lock() // a commit that takes its time
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() { assert.NoError(t, c.Set(t.Context(), fmt.Sprint(i), nil, nil)) })
	}
	require.Eventually(t, func() bool {
		c.file.mu.Lock()
		defer c.file.mu.Unlock()
		return len(c.file.waiting) == writers
	}, 10*time.Second, time.Millisecond)
	c.file.turn.Unlock()
	wg.Wait()

	assert.Equal(t, 1, commits(t, c.file)-before)
	for i := range writers {
		assertValue(t, c, fmt.Sprint(i), "")
	}
}

func TestAFailedTransactionIsAnErrorForAllInIt(t *testing.T) {
	c := openCache(t, statePath(t))
	require.NoError(t, c.Set(t.Context(), "first", nil, nil))

	full := errors.New("disk full")
	f := c.file
	good := &request{do: func(e *entries) error { return e.put("good", nil, never) }}
	bad := &request{do: func(*entries) error { return full }}
	require.ErrorIs(t, f.commit([]*request{good, bad}), full)
	assertMissing(t, c, "good")
	require.NoError(t, c.Set(t.Context(), "good", nil, nil), "the file stays usable")
}

func TestAPanicInATransactionIsAnErrorAndLeavesTheFileUsable(t *testing.T) {
	c := openCache(t, statePath(t))
	require.NoError(t, c.Set(t.Context(), "first", nil, nil))
	err := c.file.write(func(*entries) error { panic("assertion about page 7") })
	require.ErrorContains(t, err, "page of the file is damaged: assertion about page 7")
	require.NoError(t, c.Set(t.Context(), "second", nil, nil))
	assertValue(t, c, "first", "")
}

func BenchmarkSet(b *testing.B) {
	for _, writers := range []int{1, 16, 128} {
		b.Run(fmt.Sprint("writers=", writers), func(b *testing.B) {
			c := openCache(b, statePath(b))
			value := make([]byte, 1024)
			b.SetParallelism(writers) // times GOMAXPROCS
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					if err := c.Set(b.Context(), fmt.Sprint(i%1000), value, nil); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

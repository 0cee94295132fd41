package journal

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

func TestARefusedEntryHoldsOnlyItsOwnLane(t *testing.T) {
	path := journalPath(t)
	synctest.Test(t, func(t *testing.T) {
		j := openAt(t, path)
		appendAll(t, j, entryOf("a", "a1"), entryOf("a", "a2"), entryOf("b", "b1"), entryOf("b", "b2"))
		batch := next(t, j)
		require.Equal(t, []string{"a1", "b1"}, keys(batch))
		j.Later(time.Hour, batch[0])
		assert.Equal(t, 1, j.Stuck())
		j.Later(time.Hour, batch[0]) // a verdict counts once
		require.NoError(t, j.Done(t.Context(), batch[0]))
		require.NoError(t, j.Done(t.Context(), batch[1]))
		assert.Equal(t, []string{"b2"}, drain(t, j))

		begin := time.Now()
		batch, err := j.NextBatch(t.Context(), 10, 1<<20)
		require.NoError(t, err)
		assert.Equal(t, time.Hour, time.Since(begin))
		assert.Equal(t, []string{"a1"}, keys(batch))
		assert.Equal(t, 1, batch[0].Refused)

		j.Later(time.Minute, batch...)
		batch, err = j.NextBatch(t.Context(), 10, 1<<20)
		require.NoError(t, err)
		assert.Equal(t, time.Hour+time.Minute, time.Since(begin))
		assert.Equal(t, 2, batch[0].Refused)
		require.NoError(t, j.Done(t.Context(), batch...))
		assert.Zero(t, j.Stuck())

		batch = next(t, j)
		assert.Equal(t, []string{"a2"}, keys(batch))
		assert.Zero(t, batch[0].Refused, "refusals are the entry's, not the lane's")
		require.NoError(t, j.Close())
	})
}

// A verdict that is given twice does not count for the time when the entry was handed on again.
func TestAVerdictIsAboutOneHandingOn(t *testing.T) {
	t.Parallel()
	j := openAt(t, journalPath(t))
	appendAll(t, j, entryOf("a", "a1"))
	first := next(t, j)
	j.Later(0, first...)
	second := next(t, j)
	require.Equal(t, []string{"a1"}, keys(second))
	require.NoError(t, j.Done(t.Context(), first...))
	assert.Equal(t, 1, j.Pending(), "it is in flight, and may yet be refused")
	j.Later(0, second...)
	third := next(t, j)
	require.Equal(t, []string{"a1"}, keys(third))
	assert.Equal(t, 2, third[0].Refused)
	require.NoError(t, j.Done(t.Context(), third...))
	assert.Zero(t, j.Pending())
}

// Who waits for a lane that is held for long must notice one that is held for less.
func TestAWaitIsCutShortByAnEarlierLane(t *testing.T) {
	path := journalPath(t)
	synctest.Test(t, func(t *testing.T) {
		j := openAt(t, path)
		appendAll(t, j, entryOf("a", "a1"), entryOf("b", "b1"))
		batch := next(t, j)
		j.Later(time.Hour, batch[0])
		got := make(chan []string)
		go func() {
			batch, err := j.NextBatch(t.Context(), 10, 1<<20)
			assert.NoError(t, err)
			got <- keys(batch)
		}()
		synctest.Wait()
		begin := time.Now()
		j.Later(time.Second, batch[1])
		assert.Equal(t, []string{"b1"}, <-got)
		assert.Equal(t, time.Second, time.Since(begin))
		require.NoError(t, j.Close())
	})
}

func TestHowOftenAnEntryWasRefusedSurvivesARestart(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	j := openAt(t, path)
	appendAll(t, j, entryOf("a", "a1"), entryOf("a", "a2"), entryOf("b", "b1"))
	for range 3 {
		for _, d := range next(t, j) {
			if d.Lane == "a" {
				j.Later(0, d)
			}
		}
	}
	require.NoError(t, j.Close())

	j = openAt(t, path)
	assert.Equal(t, 1, j.Stuck())
	batch := next(t, j)
	require.Equal(t, []string{"a1", "b1"}, keys(batch))
	assert.Equal(t, 3, batch[0].Refused)
	assert.Equal(t, 0, batch[1].Refused)
	require.NoError(t, j.Done(t.Context(), batch[0]))
	assert.Zero(t, j.Stuck())
	require.NoError(t, j.view(func(tx *bbolt.Tx) error {
		row, _ := tx.Bucket(refusalsBucket).Cursor().First()
		assert.Nil(t, row, "and leaves the file with the entry")
		return nil
	}))
	require.NoError(t, j.Close())

	j = openAt(t, path)
	assert.Zero(t, j.Stuck(), "and it ends with the entry")
}

func TestABatchIsBounded(t *testing.T) {
	t.Parallel()
	j := openAt(t, journalPath(t))
	for i := range 6 {
		appendAll(t, j, Entry{Lane: fmt.Sprint(i), Key: fmt.Sprint(i), Body: make([]byte, 1000)})
	}
	for _, test := range []struct {
		name       string
		maxEntries int
		maxBytes   int64
		want       []string
	}{
		{"by entries", 2, 1 << 20, []string{"0", "1"}},
		{"by bytes", 10, 2500, []string{"2", "3"}},
		{"but one comes always", 0, 1, []string{"4"}},
	} {
		batch, err := j.NextBatch(t.Context(), test.maxEntries, test.maxBytes)
		require.NoError(t, err)
		assert.Equal(t, test.want, keys(batch), test.name)
	}
}

func TestSeveralMayWait(t *testing.T) {
	path := journalPath(t)
	synctest.Test(t, func(t *testing.T) {
		j := openAt(t, path)
		const waiters = 5
		got := make(chan string, waiters)
		for range waiters {
			go func() {
				batch, err := j.NextBatch(t.Context(), 1, 1<<20)
				assert.NoError(t, err)
				got <- batch[0].Key
			}()
		}
		synctest.Wait()
		slow, err := j.file.DB.Begin(true) // so that one commit brings all
		require.NoError(t, err)
		for i := range waiters {
			go func() { assert.NoError(t, j.Append(t.Context(), entryOf(fmt.Sprint(i), fmt.Sprint(i)))) }()
		}
		require.NoError(t, slow.Rollback())
		seen := map[string]bool{}
		for range waiters {
			seen[<-got] = true
		}
		assert.Len(t, seen, waiters)
		require.NoError(t, j.Close())
	})
}

// One of those who wait keeps an eye on what is held back. When that one leaves, somebody else has to.
func TestWhatIsHeldBackIsNotForgottenByWhoGivesUp(t *testing.T) {
	path := journalPath(t)
	synctest.Test(t, func(t *testing.T) {
		j := openAt(t, path)
		appendAll(t, j, entryOf("a", "a1"))
		held := next(t, j)
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error)
		go func() {
			_, err := j.NextBatch(ctx, 1, 1)
			left <- err
		}()
		synctest.Wait()
		got := make(chan []Delivery)
		go func() {
			batch, err := j.NextBatch(t.Context(), 1, 1)
			assert.NoError(t, err)
			got <- batch
		}()
		synctest.Wait()
		begin := time.Now()
		j.Later(time.Hour, held...) // the first who waits hears it
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-left, context.Canceled)
		require.Equal(t, []string{"a1"}, keys(<-got))
		assert.Equal(t, time.Hour, time.Since(begin))
		require.NoError(t, j.Close())
	})
}

func TestWhatIsHeldBackIsNotForgottenByWhoGoesWithABatch(t *testing.T) {
	t.Parallel()
	j, _ := byHand(t, entryOf("a", "a1"))
	j.Later(time.Hour, await(t, j, "a1")...)
	_, err := j.enqueue(&Entry{Lane: "b", Key: "b1"})
	require.NoError(t, err)
	<-j.ready
	batch, _, err := j.takeBatch(1, 1)
	require.NoError(t, err)
	require.Equal(t, []string{"b1"}, keys(batch))
	require.Len(t, j.ready, 1, "who waits beside has to look")
	<-j.ready
	_, wait, err := j.takeBatch(1, 1)
	require.NoError(t, err)
	assert.Positive(t, wait)
	assert.Empty(t, j.ready, "and not again and again")
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	j := openAt(t, journalPath(t))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := j.NextBatch(ctx, 1, 1)
		ended <- err
	}()
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	appendAll(t, j, entryOf("a", "a1"))
	_, err := j.NextBatch(ctx, 1, 1)
	require.ErrorIs(t, err, context.Canceled, "nothing is handed to one who has left")
	assert.Equal(t, []string{"a1"}, drain(t, j))
}

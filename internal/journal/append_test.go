package journal

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatDoesNotFitIsRefusedNotForgotten(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	j, err := Open(Options{Path: path, MaxBytes: 10_000})
	require.NoError(t, err)
	e := Entry{Lane: "a", Body: make([]byte, 1000)}
	accepted := 0
	for err = nil; err == nil; accepted++ {
		e.Key = fmt.Sprint(accepted)
		err = j.Append(t.Context(), e)
	}
	accepted--
	require.ErrorIs(t, err, ErrFull)
	require.ErrorContains(t, err, "the journal is full: 9 entries, ")
	assert.Equal(t, 9, accepted)
	assert.LessOrEqual(t, j.Bytes(), int64(10_000))
	require.NoError(t, j.Append(t.Context(), Entry{Lane: "small"}), "what fits is still accepted")

	require.NoError(t, j.Done(t.Context(), next(t, j)...))
	require.NoError(t, j.Append(t.Context(), e), "and there is room again")
	require.NoError(t, j.Close())

	j, err = Open(Options{Path: path, MaxBytes: 10_000})
	require.NoError(t, err)
	require.NoError(t, j.Append(t.Context(), Entry{}))
	require.ErrorIs(t, j.Append(t.Context(), e), ErrFull, "a restart is no new allowance")
	assert.Equal(t, []string{"1", "", "2", "3", "4", "5", "6", "7", "8", "9"}, drain(t, j))
	require.NoError(t, j.Close())
}

func TestThoseWhoComeAtOnceShareTheRoom(t *testing.T) {
	t.Parallel()
	j, err := Open(Options{Path: journalPath(t), MaxBytes: 10_000})
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	slow, err := j.file.DB.Begin(true)
	require.NoError(t, err)
	results := make(chan error, 20)
	for i := range 20 {
		go func() { results <- j.Append(t.Context(), Entry{Lane: fmt.Sprint(i), Body: make([]byte, 1000)}) }()
	}
	for range 11 { // the refusals come at once
		require.ErrorIs(t, <-results, ErrFull)
	}
	require.NoError(t, slow.Rollback())
	for range 9 {
		require.NoError(t, <-results)
	}
}

func TestAnEntryThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	j := openAt(t, journalPath(t))
	err := j.Append(t.Context(), Entry{Body: make([]byte, maxEntry)})
	require.ErrorContains(t, err, "may have up to 67108864")
	assert.Zero(t, j.Pending())
}

// More than a transaction should hold is spread over several.
func TestManyLargeEntriesAreSeveralTransactions(t *testing.T) {
	t.Parallel()
	j := openAt(t, journalPath(t))
	before := commits(t, j)
	slow, err := j.file.DB.Begin(true)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			assert.NoError(t, j.Append(t.Context(), Entry{Lane: fmt.Sprint(i), Body: make([]byte, 4<<20)}))
		})
	}
	require.Eventually(t, func() bool {
		return j.Bytes() > 12*4<<20
	}, 10*time.Second, time.Millisecond)
	require.NoError(t, slow.Rollback())
	wg.Wait()
	assert.GreaterOrEqual(t, commits(t, j)-before, 3)
	assert.Equal(t, 12, j.Pending())
}

func TestAnAppendThatGivesUpInTimeLeavesNothing(t *testing.T) {
	t.Parallel()
	j, first, release := stalled(t)
	ctx, cancel := context.WithCancel(t.Context())
	second := later(ctx, t, j, entryOf("a", "withdrawn"))
	cancel()
	require.ErrorIs(t, <-second, context.Canceled)
	require.ErrorIs(t, j.Append(ctx, entryOf("a", "never begun")), context.Canceled)
	release()
	require.NoError(t, <-first)
	appendAll(t, j, entryOf("a", "later"))
	assert.Zero(t, unwritten(j))
	assert.Equal(t, []string{"first", "later"}, drain(t, j))
}

// One who cannot wait for the disk is let go, and the entry is kept or not, but consistently.
func TestAnAppendThatGivesUpTooLateIsKept(t *testing.T) {
	t.Parallel()
	j := openAt(t, journalPath(t))
	slow, err := j.file.DB.Begin(true)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	first := later(ctx, t, j, entryOf("a", "taken"))
	require.Eventually(t, func() bool { return queued(j) == 0 }, 10*time.Second, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-first, context.Canceled)
	require.NoError(t, slow.Rollback())
	appendAll(t, j, entryOf("b", "other"))
	assert.True(t, j.Has("taken"))
	assert.Equal(t, []string{"taken", "other"}, drain(t, j))
}

func TestCloseEndsAllWaitingAndLosesNothing(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	j := openAt(t, path)
	waiting := make(chan error, 1)
	go func() {
		var err error
		for err == nil {
			_, err = j.NextBatch(t.Context(), 1, 1)
		}
		waiting <- err
	}()
	slow, err := j.file.DB.Begin(true)
	require.NoError(t, err)
	results := make(chan error, 10)
	for i := range 10 {
		go func() { results <- j.Append(t.Context(), entryOf(fmt.Sprint(i), fmt.Sprint(i))) }()
	}
	e := entryOf("0", "0")
	all := 10 * int64(e.size())
	require.Eventually(t, func() bool {
		return j.Bytes() == all
	}, 10*time.Second, time.Millisecond)

	closed := make(chan error, 2)
	for range 2 {
		go func() { closed <- j.Close() }()
	}
	require.ErrorIs(t, <-waiting, ErrClosed)
	require.ErrorIs(t, j.Append(t.Context(), entryOf("x", "x")), ErrClosed)
	require.ErrorIs(t, j.Done(t.Context()), ErrClosed)
	require.NoError(t, slow.Rollback())
	for range 10 {
		require.NoError(t, <-results, "what was accepted before is written")
	}
	for range 2 {
		require.NoError(t, <-closed)
	}
	require.NoError(t, j.Close())

	assert.Len(t, drain(t, openAt(t, path)), 10)
}

// Where there is more to do than there are processors for, somebody comes at any time.
func TestWhoLetsOthersComeDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	j := openAt(t, journalPath(t))
	came := uint64(0)
	j.letCome(func() uint64 {
		came++
		return came
	})
	assert.EqualValues(t, mostRounds, came)
}

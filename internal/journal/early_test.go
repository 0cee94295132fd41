package journal

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// filed returns the keys of the entries in the file.
func filed(t testing.TB, j *Journal) []string {
	t.Helper()
	keys := []string{}
	require.NoError(t, j.view(eachEntry(func(e Entry) { keys = append(keys, e.Key) })))
	return keys
}

// later is an Append in a goroutine of its own; it returns once the entry is queued.
func later(ctx context.Context, t testing.TB, j *Journal, e Entry) <-chan error {
	t.Helper()
	before := j.Pending()
	verdict := make(chan error, 1)
	go func() { verdict <- j.Append(ctx, e) }()
	require.Eventually(t, func() bool { return j.Pending() > before }, 10*time.Second, 100*time.Microsecond)
	return verdict
}

// stalled is a journal whose commits wait for the returned function, with the entry "first" being written.
func stalled(t testing.TB) (j *Journal, first <-chan error, release func()) {
	t.Helper()
	j = openAt(t, journalPath(t))
	slow, err := j.file.DB.Begin(true)
	require.NoError(t, err)
	first = later(t.Context(), t, j, entryOf("a", "first"))
	require.Eventually(t, func() bool { return queued(j) == 0 }, 10*time.Second, 100*time.Microsecond)
	t.Cleanup(func() { _ = slow.Rollback() }) // else a test that fails would wait for the end of the journal
	return j, first, func() { require.NoError(t, slow.Rollback()) }
}

func await(t testing.TB, j *Journal, want ...string) []Delivery {
	t.Helper()
	batch, err := j.NextBatch(t.Context(), 100, 1<<20)
	require.NoError(t, err)
	require.Equal(t, want, keys(batch))
	return batch
}

// waiting is a NextBatch in a goroutine of its own, for one entry; it returns once there is nothing left to look at.
func waiting(t testing.TB, j *Journal) <-chan []Delivery {
	t.Helper()
	got := make(chan []Delivery, 1)
	go func() {
		batch, err := j.NextBatch(t.Context(), 1, 1)
		assert.NoError(t, err)
		got <- batch
	}()
	require.Eventually(t, func() bool { return len(j.ready) == 0 }, 10*time.Second, 100*time.Microsecond)
	return got
}

func TestWhatIsDeliveredFirstNeedNotBeWritten(t *testing.T) {
	t.Parallel()
	j, first, release := stalled(t)
	e := entryOf("b", "second")
	e.Note, e.Accepted = "read already", time.Unix(1, 2_003).In(time.FixedZone("", 3600))
	second := later(t.Context(), t, j, e)
	batch := await(t, j, "first", "second")
	assert.Equal(t, "read already", batch[1].Note)
	assert.Equal(t, time.Unix(1, 2_000).UTC(), batch[1].Accepted, "as it would come from the file")
	require.NoError(t, j.Done(t.Context(), batch[1]))
	require.NoError(t, <-second)
	assert.Equal(t, 1, j.Pending())

	removed := make(chan error, 1)
	go func() { removed <- j.Done(t.Context(), batch[0]) }()
	require.NoError(t, <-first, "it is delivered, whatever becomes of the commit")
	assert.Equal(t, 1, j.Pending(), "it may come into the file yet")
	release()
	require.NoError(t, <-removed)
	assert.Empty(t, filed(t, j))
	assert.Zero(t, j.Pending())
	assert.Zero(t, j.Bytes())
}

// After a crash the older one would come again, and alone.
func TestNothingOvertakesWhatMayBeInTheFile(t *testing.T) {
	t.Parallel()
	j, first, release := stalled(t)
	second := later(t.Context(), t, j, entryOf("a", "second"))
	batch := await(t, j, "first")
	removed := make(chan error, 1)
	go func() { removed <- j.Done(t.Context(), batch...) }()
	require.NoError(t, <-first)
	assert.Empty(t, next(t, j))
	release()
	batch = await(t, j, "second")
	require.NoError(t, <-removed)
	assert.NotContains(t, filed(t, j), "first")
	require.NoError(t, j.Done(t.Context(), batch...))
	require.NoError(t, <-second)
	assert.Empty(t, filed(t, j))
}

func TestADeliveryLetsTheNextOfItsLaneComeThoughNothingIsWritten(t *testing.T) {
	t.Parallel()
	j, first, release := stalled(t)
	second := later(t.Context(), t, j, entryOf("b", "second"))
	third := later(t.Context(), t, j, entryOf("b", "third"))
	batch := await(t, j, "first", "second")
	waited := waiting(t, j)
	require.NoError(t, j.Done(t.Context(), batch[1]))
	require.NoError(t, <-second)
	select {
	case batch := <-waited:
		assert.Equal(t, []string{"third"}, keys(batch))
	case <-time.After(10 * time.Second):
		t.Error("nobody was woken")
	}
	release()
	require.NoError(t, <-first)
	require.NoError(t, <-third)
}

// Nobody waits any more for an entry that was withdrawn while it was in flight, and it does not hold its lane.
func TestWhatIsWithdrawnInFlightIsGoneWithItsVerdict(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		judge func(*Journal, Delivery) error
	}{
		{"delivered", func(j *Journal, d Delivery) error { return j.Done(context.Background(), d) }},
		{"refused", func(j *Journal, d Delivery) error {
			j.Later(time.Hour, d)
			return nil
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			j, first, release := stalled(t)
			ctx, cancel := context.WithCancel(t.Context())
			second := later(ctx, t, j, entryOf("b", "second"))
			batch := await(t, j, "first", "second")
			third := later(t.Context(), t, j, entryOf("b", "third"))
			cancel()
			require.ErrorIs(t, <-second, context.Canceled)
			assert.Empty(t, next(t, j), "it is still in flight")
			require.NoError(t, test.judge(j, batch[1]))
			assert.Zero(t, j.Stuck())
			await(t, j, "third")
			release()
			require.NoError(t, <-first)
			require.NoError(t, <-third)
			assert.Equal(t, []string{"first", "third"}, filed(t, j))
		})
	}
}

// lastMoment is a context that ends when somebody asks for its end, and does something just before.
type lastMoment struct {
	context.Context
	before func()
}

func (m lastMoment) Done() <-chan struct{} {
	m.before()
	ended := make(chan struct{})
	close(ended)
	return ended
}

// It is delivered: that its sender had no more patience must not make it come again.
func TestAVerdictAtTheLastMomentCounts(t *testing.T) {
	t.Parallel()
	j, first, release := stalled(t)
	await(t, j, "first")
	for range 20 { // of two things that are there at once either may be seen first
		require.NoError(t, j.Append(lastMoment{t.Context(), func() {
			assert.NoError(t, j.Done(t.Context(), next(t, j)...))
		}}, entryOf("b", "")))
	}
	release()
	require.NoError(t, <-first)
}

func TestWhatIsWithdrawnWhileItRestsHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	j, first, release := stalled(t)
	ctx, cancel := context.WithCancel(t.Context())
	second := later(ctx, t, j, entryOf("b", "second"))
	batch := await(t, j, "first", "second")
	third := later(t.Context(), t, j, entryOf("b", "third"))
	j.Later(time.Hour, batch...)
	waited := waiting(t, j)
	cancel()
	require.ErrorIs(t, <-second, context.Canceled)
	assert.Equal(t, []string{"third"}, keys(<-waited))
	assert.Equal(t, 1, j.Stuck())
	release()
	require.NoError(t, <-first)
	require.NoError(t, <-third)
}

// The count of an entry that is refused before it is written goes with it, and with nothing else.
func TestARefusalBeforeTheWritingCounts(t *testing.T) {
	t.Parallel()
	j, first, release := stalled(t)
	second := later(t.Context(), t, j, entryOf("b", "second"))
	third := later(t.Context(), t, j, entryOf("b", "third"))
	for range 3 {
		j.Later(0, await(t, j, "first", "second")...)
	}
	release()
	require.NoError(t, <-first)
	require.NoError(t, <-second)
	require.NoError(t, <-third)
	require.NoError(t, j.Close())

	j = openAt(t, j.path)
	refused := await(t, j, "first", "second")
	for _, d := range refused {
		assert.Equal(t, 3, d.Refused, d.Key)
	}
	require.NoError(t, j.Done(t.Context(), refused...))
	require.NoError(t, j.Close())

	assert.Zero(t, await(t, openAt(t, j.path), "third")[0].Refused)
}

// quick is a journal after a delivery that was quick.
func quick(t testing.TB, path string) *Journal {
	t.Helper()
	j := openAt(t, path)
	appendAll(t, j, entryOf("a", "quick"))
	require.NoError(t, j.Done(t.Context(), next(t, j)...))
	return j
}

func TestAnOutputThatKeepsUpLeavesTheDiskAlone(t *testing.T) {
	path := journalPath(t)
	synctest.Test(t, func(t *testing.T) {
		j := quick(t, path)
		before := commits(t, j)
		over := make(chan error)
		go func() {
			for {
				batch, err := j.NextBatch(t.Context(), 10, 1<<20)
				if errors.Is(err, ErrClosed) {
					over <- nil
					return
				}
				<-time.After(patience / 2)
				if err := j.Done(t.Context(), batch...); err != nil {
					over <- err
					return
				}
			}
		}()
		for n := range 100 {
			require.NoError(t, j.Append(t.Context(), entryOf("a", fmt.Sprint(n))))
		}
		assert.Equal(t, before, commits(t, j))
		require.NoError(t, j.Close())
		require.NoError(t, <-over)
	})
}

func TestWhatIsNotDeliveredSoonIsWritten(t *testing.T) {
	path := journalPath(t)
	synctest.Test(t, func(t *testing.T) {
		j := quick(t, path)
		begin := time.Now()
		appendAll(t, j, entryOf("a", "1"))
		assert.Equal(t, patience, time.Since(begin))
		assert.Equal(t, []string{"1"}, filed(t, j))
		appendAll(t, j, entryOf("b", "2"))
		assert.Equal(t, patience, time.Since(begin), "the next does not wait in vain")
		assert.Equal(t, []string{"1", "2"}, filed(t, j))

		batch := next(t, j)
		<-time.After(patience)
		require.NoError(t, j.Done(t.Context(), batch...))
		appendAll(t, j, entryOf("c", "3"))
		assert.Equal(t, 2*patience, time.Since(begin), "nor after a delivery that took as long")
		require.NoError(t, j.Close())
	})
}

func TestTheEndDoesNotWaitForDeliveries(t *testing.T) {
	path := journalPath(t)
	synctest.Test(t, func(t *testing.T) {
		j := quick(t, path)
		begin := time.Now()
		verdict := make(chan error)
		go func() { verdict <- j.Append(t.Context(), entryOf("a", "1")) }()
		synctest.Wait()
		batch := next(t, j)
		closed := make(chan error)
		go func() { closed <- j.Close() }()
		require.NoError(t, <-verdict)
		require.NoError(t, <-closed)
		assert.Zero(t, time.Since(begin))
		require.ErrorIs(t, j.Done(t.Context(), batch...), ErrClosed)
		assert.Equal(t, []string{"1"}, drain(t, openAt(t, path)))
	})
}

// What is over must not pile up while the committer hangs, whether it was delivered or withdrawn.
func TestAStalledDiskKeepsNothingThatIsOver(t *testing.T) {
	t.Parallel()
	j, first, release := stalled(t)
	await(t, j, "first")
	for n := range 4 * fewGone {
		delivered, err := j.enqueue(&Entry{Lane: "b"})
		require.NoError(t, err)
		require.NoError(t, j.Done(t.Context(), next(t, j)...))
		require.NoError(t, <-delivered.done)
		withdrawn, err := j.enqueue(&Entry{Lane: fmt.Sprint("c", n)})
		require.NoError(t, err)
		j.withdraw(withdrawn)
	}
	assert.Equal(t, 1, j.Pending())
	assert.LessOrEqual(t, queued(j), 2+fewGone)
	for _, a := range j.queue {
		require.Nil(t, a.entry)
	}
	assert.Len(t, j.index.lanes, 1, "and no lane of what was withdrawn, though nobody asks for it")
	release()
	require.NoError(t, <-first)
}

// Refusals are numbers to look at: of each entry the disk gets the last.
func TestAStalledDiskKeepsOneRefusalOfAnEntry(t *testing.T) {
	t.Parallel()
	j, first, release := stalled(t)
	for range 100 {
		j.Later(0, await(t, j, "first")...)
	}
	assert.Len(t, j.next.refusals, 1)
	release()
	require.NoError(t, <-first)
}

// byHand is a journal whose committer is the test, with entries that are being written by the batch.
func byHand(t testing.TB, entries ...Entry) (*Journal, *batch) {
	t.Helper()
	j, err := open(Options{Path: journalPath(t)})
	require.NoError(t, err)
	t.Cleanup(j.file.Abandon)
	for _, e := range entries {
		_, err := j.enqueue(&e)
		require.NoError(t, err)
	}
	b, _ := j.nextBatch(false)
	require.Len(t, b.additions, len(entries))
	return j, b
}

// The older one is in the file too and comes first after a crash, so nothing has to wait for its removal.
func TestWhatIsWrittenWaitsForNoRemoval(t *testing.T) {
	t.Parallel()
	j, b := byHand(t, entryOf("a", "first"), entryOf("a", "second"))
	removal, err := j.depart(await(t, j, "first"))
	require.NoError(t, err)
	require.NotNil(t, removal)
	assert.Empty(t, next(t, j))
	j.settle(b)
	second := await(t, j, "second")
	_, err = j.depart(second)
	require.NoError(t, err)
	b, _ = j.nextBatch(false)
	j.settle(b)
	assert.Empty(t, filed(t, j))
	assert.Zero(t, j.Pending())
	assert.Empty(t, j.index.lanes)
}

// Those who sent it were told that it is not kept, so it holds nobody up: neither where it waits nor where it rests.
func TestWhatCouldNotBeWrittenIsGoneAtOnce(t *testing.T) {
	t.Parallel()
	j, b := byHand(t, entryOf("a", "refused"), entryOf("b", "never asked for"))
	batch, _, err := j.takeBatch(1, 1)
	require.NoError(t, err)
	j.Later(time.Hour, batch...)
	assert.Equal(t, 1, j.Stuck())
	_, err = j.enqueue(&Entry{Lane: "a", Key: "behind"})
	require.NoError(t, err)
	b.addErr = errors.New("the disk is full")
	j.record(b)
	assert.Zero(t, j.Stuck())
	assert.Len(t, j.index.lanes, 1)
	await(t, j, "behind")
}

// Whoever waits hears of it when the file is lost under what is in flight, behind it, aside or withdrawn.
func TestALostFileLetsEverybodyGo(t *testing.T) {
	t.Parallel()
	j, first, release := stalled(t)
	verdicts := []<-chan error{
		later(t.Context(), t, j, entryOf("a", "behind what may be in the file")),
		later(t.Context(), t, j, entryOf("b", "in flight")),
		later(t.Context(), t, j, entryOf("b", "behind it")),
	}
	ctx, cancel := context.WithCancel(t.Context())
	withdrawn := later(ctx, t, j, entryOf("c", "withdrawn in flight"))
	batch := await(t, j, "first", "in flight", "withdrawn in flight")
	cancel()
	require.ErrorIs(t, <-withdrawn, context.Canceled)
	removed := make(chan error, 1)
	go func() { removed <- j.Done(t.Context(), batch[0]) }()
	require.NoError(t, <-first)
	waited := make(chan error, 1)
	go func() {
		_, err := j.NextBatch(t.Context(), 1, 1)
		waited <- err
	}()

	lost := errors.New("the disk is gone")
	j.end(lost)
	release()
	for _, verdict := range append(verdicts, removed, waited) {
		require.ErrorIs(t, <-verdict, lost)
	}
	j.Later(0, batch...)
	require.ErrorIs(t, j.Done(t.Context(), batch...), lost)
	_ = j.Close()
	assert.Empty(t, j.unwritten)
}

package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

func journalPath(t testing.TB) string {
	return filepath.Join(t.TempDir(), "state", "journal.db")
}

// openAt is closed at the end of the test, if not before.
func openAt(t testing.TB, path string) *Journal {
	t.Helper()
	j, err := Open(Options{Path: path})
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func entryOf(lane, key string) Entry {
	return Entry{Lane: lane, Key: key, Accepted: time.Now(), Body: []byte("body of " + key)}
}

func appendAll(t testing.TB, j *Journal, entries ...Entry) {
	t.Helper()
	for _, e := range entries {
		require.NoError(t, j.Append(t.Context(), e))
	}
}

// next is a batch that must be there already.
func next(t testing.TB, j *Journal) []Delivery {
	t.Helper()
	batch, _, err := j.takeBatch(1000, 1<<30)
	require.NoError(t, err)
	return batch
}

func keys(batch []Delivery) []string {
	keys := []string{}
	for _, d := range batch {
		keys = append(keys, d.Key)
	}
	return keys
}

// drain delivers all that can be and returns the keys in order.
func drain(t testing.TB, j *Journal) []string {
	t.Helper()
	all := []string{}
	for batch := next(t, j); len(batch) > 0; batch = next(t, j) {
		all = append(all, keys(batch)...)
		require.NoError(t, j.Done(t.Context(), batch...))
	}
	return all
}

func TestAnEntryComesBackAsItWasAccepted(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	j := openAt(t, path)
	sent := []Entry{
		{
			Lane: "12345/deal/101", Key: "k1", Accepted: time.Date(2026, 11, 24, 12, 0, 0, 123456000, time.UTC),
			Meta: map[string]string{"pipedrive_object": "deal", "empty": "", "": "no name"}, Body: []byte(`{"a": "ü\u0000"}`),
		},
		{Lane: "", Accepted: time.Unix(0, 0).UTC(), Body: []byte{}},
		{Lane: "long", Key: "k3", Accepted: time.Unix(1, 0).UTC(), Body: make([]byte, 3<<20)},
	}
	appendAll(t, j, sent...)
	for range 2 {
		batch := next(t, j)
		require.Len(t, batch, len(sent))
		for i, d := range batch {
			assert.Equal(t, sent[i], d.Entry)
			assert.Zero(t, d.Refused)
		}
		require.NoError(t, j.Close())
		j = openAt(t, path)
	}
}

// What is handed on soon after it was appended comes from memory, with its note; what was refused, or had no room there,
// from the file.
func TestWhatIsFreshComesWithItsNote(t *testing.T) {
	t.Parallel()
	j := openAt(t, journalPath(t))
	e := entryOf("a", "k")
	e.Accepted = time.Unix(1, 2345).In(time.FixedZone("", 3600))
	e.Note = "read already"
	appendAll(t, j, e)
	fresh := next(t, j)
	require.Len(t, fresh, 1)
	assert.Equal(t, "read already", fresh[0].Note)
	j.Later(0, fresh...)
	stored := next(t, j)
	require.Len(t, stored, 1)
	assert.Nil(t, stored[0].Note)
	want := fresh[0].Entry
	want.Note = nil
	assert.Equal(t, want, stored[0].Entry)
	require.NoError(t, j.Done(t.Context(), stored...))

	for n := range 20 {
		e := Entry{Lane: fmt.Sprint(n), Key: fmt.Sprint(n), Body: make([]byte, maxFresh/10), Note: n}
		appendAll(t, j, e)
	}
	assert.LessOrEqual(t, j.fresh.bytes, maxFresh)
	batch := next(t, j)
	require.Len(t, batch, 20)
	for n, d := range batch {
		assert.Equal(t, n < 9, d.Note != nil, "entry %d", n)
		assert.Len(t, d.Body, maxFresh/10)
	}
	assert.Zero(t, j.fresh.bytes)
	assert.Empty(t, j.fresh.entries)
}

func TestTheFileIsPrivate(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	openAt(t, path)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	info, err = os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

func TestWhatIsDoneDoesNotComeAgain(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	j := openAt(t, path)
	appendAll(t, j, entryOf("a", "a1"), entryOf("a", "a2"), entryOf("b", "b1"))
	batch := next(t, j)
	assert.Equal(t, []string{"a1", "b1"}, keys(batch), "one a lane")
	assert.Empty(t, next(t, j), "both lanes are in flight")
	require.NoError(t, j.Done(t.Context(), batch[0]))
	require.NoError(t, j.Done(t.Context(), batch[0]), "an ack may come twice")
	assert.Equal(t, []string{"a2"}, keys(next(t, j)))
	require.NoError(t, j.Done(t.Context(), batch[0]), "and late: it must not count for the next of the lane")
	assert.Equal(t, 2, j.Pending())
	require.NoError(t, j.Close())

	j = openAt(t, path)
	assert.Equal(t, []string{"a2", "b1"}, drain(t, j), "what was in flight comes again")
	assert.Zero(t, j.Pending())
	assert.Zero(t, j.Bytes())
}

func TestItKnowsWhatIsPending(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	j := openAt(t, path)
	assert.False(t, j.Has(""))
	e := entryOf("a", "a1")
	e.Accepted = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	appendAll(t, j, e, entryOf("b", ""), entryOf("c", "twice"), entryOf("c", "twice"))
	for range 2 {
		assert.Equal(t, 4, j.Pending())
		assert.Greater(t, j.Bytes(), int64(4*len("body of ")))
		assert.True(t, j.Has("a1"))
		assert.False(t, j.Has(""), "no key is no key")
		assert.False(t, j.Has("a2"))
		require.NoError(t, j.Close())
		j = openAt(t, path)
	}
	require.NoError(t, j.Done(t.Context(), next(t, j)...))
	assert.False(t, j.Has("a1"))
	assert.True(t, j.Has("twice"), "one of them is left")
	drain(t, j)
	assert.False(t, j.Has("twice"))
}

func TestNumbersAreNeverUsedTwice(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	var last uint64
	for range 3 {
		j := openAt(t, path)
		appendAll(t, j, entryOf("a", "1"), entryOf("b", "2"))
		for _, d := range next(t, j) {
			assert.Greater(t, d.item.seq, last)
			last = d.item.seq
			require.NoError(t, j.Done(t.Context(), d))
		}
		require.NoError(t, j.Close())
	}
}

// Every writer has a lane and appends in order; every deliverer takes what comes. No lane may ever be out of order,
// nor two of its entries be under way.
func TestTheOrderOfALaneHoldsUnderConcurrency(t *testing.T) {
	t.Parallel()
	j := openAt(t, journalPath(t))
	const lanes, each = 16, 60
	var wg sync.WaitGroup
	for lane := range lanes {
		wg.Go(func() {
			for n := range each {
				assert.NoError(t, j.Append(t.Context(), entryOf(fmt.Sprint(lane), fmt.Sprint(n))))
			}
		})
	}
	var mu sync.Mutex
	seen := map[string]int{}
	total := 0
	for range 4 {
		wg.Go(func() {
			for {
				batch, err := j.NextBatch(t.Context(), 5, 1<<20)
				if err != nil {
					assert.ErrorIs(t, err, ErrClosed)
					return
				}
				mu.Lock()
				for _, d := range batch {
					assert.Equal(t, fmt.Sprint(seen[d.Lane]), d.Key, "lane %s", d.Lane)
				}
				mu.Unlock()
				for i, d := range batch {
					if i%3 == 2 && d.Refused == 0 {
						j.Later(time.Microsecond, d)
						continue
					}
					mu.Lock()
					seen[d.Lane]++
					total++
					last := total == lanes*each
					mu.Unlock()
					assert.NoError(t, j.Done(t.Context(), d))
					if last {
						go func() { _ = j.Close() }()
					}
				}
			}
		})
	}
	wg.Wait()
	assert.Equal(t, lanes*each, total)
}

func TestWhoWaitsForACommitSharesTheNext(t *testing.T) {
	t.Parallel()
	j := openAt(t, journalPath(t))
	appendAll(t, j, entryOf("first", "first"))
	first := next(t, j)
	first[0].handed -= patience // or those who come would hope for as quick a delivery
	before := commits(t, j)

	const writers = 32
	var wg sync.WaitGroup
	slow, err := j.file.DB.Begin(true) // a commit that takes its time
	require.NoError(t, err)
	wg.Go(func() { assert.NoError(t, j.Append(t.Context(), entryOf("x", "x"))) })
	require.Eventually(t, func() bool { return unwritten(j) == 1 && queued(j) == 0 }, 10*time.Second, time.Millisecond)
	for i := range writers {
		wg.Go(func() { assert.NoError(t, j.Append(t.Context(), entryOf(fmt.Sprint(i), fmt.Sprint(i)))) })
	}
	wg.Go(func() { assert.NoError(t, j.Done(t.Context(), first...)) })
	require.Eventually(t, func() bool { return queued(j) == writers+1 }, 10*time.Second, time.Millisecond)
	require.NoError(t, slow.Rollback())
	wg.Wait()
	assert.Equal(t, 2, commits(t, j)-before)
	assert.Equal(t, writers+1, j.Pending())
}

// commits returns how many transactions the file has seen.
func commits(t testing.TB, j *Journal) (n int) {
	t.Helper()
	require.NoError(t, j.file.DB.View(func(tx *bbolt.Tx) error {
		n = tx.ID()
		return nil
	}))
	return n
}

// queued returns how many changes no commit has taken yet.
func queued(j *Journal) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.queue) + len(j.next.removals)
}

// unwritten returns how many entries are queued or being written.
func unwritten(j *Journal) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.unwritten)
}

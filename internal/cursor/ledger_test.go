package cursor_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
)

func second(n int) time.Time { return time.Date(2026, 11, 20, 9, 0, n, 0, time.UTC) }

// stepTo is a page that ends at a second.
func stepTo(n int) cursor.Step {
	return cursor.Step{Walk: &cursor.Walk{Last: second(n)}}
}

func newLedger(limit int) *cursor.Ledger {
	return cursor.NewLedger(limit, map[string]*cursor.Position{
		"deals":          {Account: cursor.Account{Company: "1"}, Object: "deals"},
		"deals_archived": {Account: cursor.Account{Company: "1"}, Object: "deals_archived"},
	})
}

// storeAll plays the cache: it takes what moved, settles it, and returns how far each object was stored.
func storeAll(t *testing.T, l *cursor.Ledger) map[string]time.Time {
	t.Helper()
	moved, err := l.TakeUnstored()
	require.NoError(t, err)
	last := map[string]time.Time{}
	for _, m := range moved {
		p, err := cursor.Decode(m.Stored)
		require.NoError(t, err)
		last[m.Object] = p.Main.Walk.Last
		m.Settle()
	}
	return last
}

func TestLedgerMovesOnlyPastResolvedPagesInOrder(t *testing.T) {
	l := newLedger(3)
	var resolve [3]func()
	for i := range resolve {
		var err error
		resolve[i], err = l.Track(t.Context(), "deals", nil, stepTo(i))
		require.NoError(t, err)
	}

	resolve[2]()
	resolve[1]()
	assert.Empty(t, storeAll(t, l), "the first page is still in flight")

	resolve[0]()
	assert.Equal(t, map[string]time.Time{"deals": second(2)}, storeAll(t, l))

	resolve[0]()
	assert.Empty(t, storeAll(t, l), "a second ack of a page moves nothing")
}

func TestLedgerHoldsNoMorePagesThanItsLimitUntilTheyAreStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(2)
		first, err := l.Track(t.Context(), "deals", nil, stepTo(1))
		require.NoError(t, err)
		_, err = l.Track(t.Context(), "deals", nil, stepTo(2))
		require.NoError(t, err)

		tracked := make(chan error, 1)
		go func() {
			_, err := l.Track(t.Context(), "deals", nil, stepTo(3))
			tracked <- err
		}()
		waits := func(why string) {
			synctest.Wait()
			require.Empty(t, tracked, why)
		}
		waits("two pages are in flight")
		first()
		waits("the acknowledged page is not stored")
		storeAll(t, l)
		synctest.Wait()
		require.NoError(t, <-tracked)
	})
}

func TestLedgerHoldsBackARecordWhileAnOlderCopyIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(4)
		older, err := l.Track(t.Context(), "deals", []cursor.RecordKey{{Kind: "deal", ID: "7"}}, stepTo(1))
		require.NoError(t, err)

		tracked := make(chan error, 1)
		go func() {
			_, err := l.Track(t.Context(), "deals_archived", []cursor.RecordKey{{Kind: "deal", ID: "8"}, {Kind: "deal", ID: "7"}}, stepTo(2))
			tracked <- err
		}()
		synctest.Wait()
		require.Empty(t, tracked, "deal 7 is in flight from the other list")
		older()
		synctest.Wait()
		require.NoError(t, <-tracked)
	})
}

// A page that was read first is handed on first, even while it waits for its limit and the other would not have to.
func TestLedgerKeepsTheOrderInWhichCopiesCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(1)
		first, err := l.Track(t.Context(), "deals", nil, stepTo(1))
		require.NoError(t, err)
		var order []string
		var waiting sync.WaitGroup
		track := func(object string) {
			waiting.Go(func() {
				resolve, err := l.Track(t.Context(), object, []cursor.RecordKey{{Kind: "deal", ID: "7"}}, stepTo(2))
				assert.NoError(t, err)
				order = append(order, object)
				resolve()
			})
			synctest.Wait()
		}
		track("deals") // waits for the limit
		track("deals_archived")
		assert.Empty(t, order)
		first()
		storeAll(t, l)
		waiting.Wait()
		assert.Equal(t, []string{"deals", "deals_archived"}, order)
	})
}

// A page without records takes no place: an output that holds one record back for its batch does not stop the reading.
func TestLedgerPassesEmptyPages(t *testing.T) {
	l := newLedger(1)
	resolve, err := l.Track(t.Context(), "deals", nil, stepTo(1))
	require.NoError(t, err)
	for i := range 100 {
		l.Pass("deals", stepTo(2+i%50))
	}
	assert.Empty(t, storeAll(t, l), "not past the page that is in flight")
	resolve()
	assert.Equal(t, map[string]time.Time{"deals": second(51)}, storeAll(t, l))
	l.Pass("deals", stepTo(52))
	assert.Equal(t, map[string]time.Time{"deals": second(52)}, storeAll(t, l), "nothing in flight: at once")
}

// What is stored while the next walk is under way says that the first is over.
func TestLedgerKeepsTheEndOfAWalkBehindAPageInFlight(t *testing.T) {
	l := cursor.NewLedger(1, map[string]*cursor.Position{
		"deals": {Account: cursor.Account{Company: "1"}, Object: "deals", StartFrom: "beginning", First: true},
	})
	resolve, err := l.Track(t.Context(), "deals", nil, stepTo(1))
	require.NoError(t, err)
	for n := range 3 {
		l.Pass("deals", cursor.Step{Since: second(10 + n), Walked: second(20 + n)})
		l.Pass("deals", cursor.Step{Walk: &cursor.Walk{Since: second(10 + n), Last: second(30 + n)}})
	}
	resolve()
	moved, err := l.TakeUnstored()
	require.NoError(t, err)
	require.Len(t, moved, 1)
	p, err := cursor.Decode(moved[0].Stored)
	require.NoError(t, err)
	assert.False(t, p.First)
	assert.Equal(t, second(12), p.Main.Since)
	assert.Equal(t, second(22), p.Walked)
	assert.Equal(t, second(32), p.Main.Walk.Last)
}

func TestLedgerGivesUpWaitingWithItsContext(t *testing.T) {
	l := newLedger(1)
	_, err := l.Track(t.Context(), "deals", nil, stepTo(1))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = l.Track(ctx, "deals", []cursor.RecordKey{{Kind: "deal", ID: "7"}}, stepTo(2))
	require.ErrorIs(t, err, context.Canceled)
	_, err = l.Track(t.Context(), "deals_archived", []cursor.RecordKey{{Kind: "deal", ID: "7"}}, stepTo(3))
	require.NoError(t, err, "nobody waits behind who gave up")
}

func TestLedgerKeepsAPositionThatCouldNotBeStored(t *testing.T) {
	l := newLedger(1)
	resolve, err := l.Track(t.Context(), "deals", nil, stepTo(1))
	require.NoError(t, err)
	resolve()
	<-l.Moved()
	moved, err := l.TakeUnstored()
	require.NoError(t, err)
	require.Len(t, moved, 1)

	l.Requeue("deals")
	<-l.Moved()
	assert.Equal(t, map[string]time.Time{"deals": second(1)}, storeAll(t, l))
	_, err = l.Track(t.Context(), "deals", nil, stepTo(2))
	require.NoError(t, err, "the page was settled once, with the second attempt")
}

// Many acks in any order, from many goroutines, with a store running beside them, end at the last page.
func TestLedgerUnderConcurrentAcks(t *testing.T) {
	const pages = 500
	l := newLedger(8)
	stop := make(chan struct{})
	var storing, acking sync.WaitGroup
	stored := time.Time{}
	storing.Go(func() {
		for stopped := false; !stopped; {
			select {
			case <-l.Moved():
			case <-stop:
				stopped = true
			}
			for _, last := range storeAll(t, l) {
				assert.False(t, last.Before(stored), "the stored position went back")
				stored = last
			}
		}
	})
	var held []func()
	for i := range pages {
		resolve, err := l.Track(t.Context(), "deals", nil, stepTo(i))
		require.NoError(t, err)
		held = append(held, resolve)
		if len(held) == 4 || i == pages-1 {
			rand.Shuffle(len(held), func(a, b int) { held[a], held[b] = held[b], held[a] })
			for _, resolve := range held {
				acking.Go(resolve)
			}
			held = nil
		}
	}
	acking.Wait()
	close(stop)
	storing.Wait()
	assert.Equal(t, second(pages-1), stored)
}

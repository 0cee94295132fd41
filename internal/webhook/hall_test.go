package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// arrival is the n-th delivery of a record.
func arrival(record string, n int) *Delivery {
	return newDelivery(Frame{Lane: record, ID: fmt.Sprint(n), Key: fmt.Sprint(record, n)}, nil, time.Now())
}

func names(deliveries []*Delivery) (all []string) {
	for _, d := range deliveries {
		all = append(all, d.Lane+d.ID)
	}
	return all
}

// What waits at one moment is taken at once, without a timer, in the order of arrival, and one of each record.
func TestHallGivesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHall(nil)
		var visitors sync.WaitGroup
		for _, d := range []*Delivery{arrival("a", 1), arrival("b", 1), arrival("a", 2), arrival("c", 1)} {
			visitors.Go(func() { assert.NoError(t, h.Accept(t.Context(), d)) })
			synctest.Wait()
		}
		began := time.Now()
		first, err := h.Next(t.Context(), 2)
		require.NoError(t, err)
		assert.Equal(t, []string{"a1", "b1"}, names(first), "no more than asked for")
		second, err := h.Next(t.Context(), 10)
		require.NoError(t, err)
		assert.Equal(t, []string{"c1"}, names(second), "a2 waits for a1's verdict")

		later := make(chan []*Delivery)
		go func() {
			taken, err := h.Next(t.Context(), 10)
			assert.NoError(t, err)
			later <- taken
		}()
		synctest.Wait()
		for _, d := range slices.Concat(first, second) {
			h.Verdict(d, nil)
		}
		third := <-later
		assert.Equal(t, []string{"a2"}, names(third))
		h.Verdict(third[0], nil)
		visitors.Wait()
		assert.Zero(t, time.Since(began))
	})
}

// Whatever the number of senders and verdicts, a record's deliveries leave in the order in which they came.
func TestHallKeepsTheOrderOfEachRecord(t *testing.T) {
	const records, each = 8, 200
	h := NewHall(nil)
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	left := map[string][]string{}
	var hosts, senders sync.WaitGroup
	for range 4 {
		hosts.Go(func() {
			for {
				taken, err := h.Next(ctx, 3)
				if err != nil {
					return
				}
				for _, d := range taken {
					mu.Lock()
					left[d.Lane] = append(left[d.Lane], d.ID)
					mu.Unlock()
					h.Verdict(d, nil)
				}
			}
		})
	}
	for r := range records {
		senders.Go(func() {
			var waiting sync.WaitGroup
			for n := range each {
				d := arrival(fmt.Sprint("record", r), n)
				assert.True(t, h.enter(d))
				waiting.Go(func() { <-d.done })
			}
			waiting.Wait()
		})
	}
	senders.Wait()
	cancel()
	hosts.Wait()
	for r := range records {
		var want []string
		for n := range each {
			want = append(want, fmt.Sprint(n))
		}
		assert.Equal(t, want, left[fmt.Sprint("record", r)])
	}
}

func TestHallAcceptEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHall(nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		waits, flies := arrival("a", 2), arrival("a", 1)
		var visitors sync.WaitGroup
		visitors.Go(func() { assert.ErrorIs(t, h.Accept(ctx, flies), context.DeadlineExceeded) })
		synctest.Wait()
		_, err := h.Next(t.Context(), 1)
		require.NoError(t, err)
		visitors.Go(func() { assert.ErrorIs(t, h.Accept(ctx, waits), context.DeadlineExceeded) })
		visitors.Wait()
		assert.True(t, waits.settled(), "it is withdrawn")
		require.ErrorIs(t, waits.err, ErrRefused)
		assert.False(t, flies.settled(), "the host has it, its verdict comes later")
		h.Verdict(flies, nil)
		assert.True(t, flies.settled())
		require.NoError(t, flies.err)
		assert.Empty(t, h.flying)
		assert.Empty(t, h.waiting)
	})
}

// After the close everybody has an answer, also those whose verdict the host will not give any more.
func TestHallCloseAnswersEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHall(nil)
		var refused sync.WaitGroup
		flies := arrival("a", 1)
		refused.Go(func() { assert.ErrorIs(t, h.Accept(t.Context(), flies), ErrRefused) })
		synctest.Wait()
		_, err := h.Next(t.Context(), 1)
		require.NoError(t, err)
		refused.Go(func() { assert.ErrorIs(t, h.Accept(t.Context(), arrival("a", 2)), ErrRefused) })
		synctest.Wait()
		assert.True(t, h.Healthy())
		h.Close()
		h.Close()
		refused.Wait()
		assert.False(t, h.Healthy())
		require.ErrorIs(t, h.Accept(t.Context(), arrival("b", 1)), ErrRefused)
		h.Verdict(flies, nil) // late, and without effect
		require.ErrorIs(t, flies.err, ErrRefused)

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = h.Next(ctx, 1)
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestOnlyTheFirstVerdictCounts(t *testing.T) {
	d := arrival("a", 1)
	d.Settle(nil)
	d.Settle(errors.New("late"))
	assert.NoError(t, d.err)
}

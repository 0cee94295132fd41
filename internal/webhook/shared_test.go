package webhook

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// lentStore is a store of somebody else: it says a state, or fails, at once or after long. The zero one works and knows
// nothing.
type lentStore struct {
	state    State
	err      error
	slow     time.Duration
	claims   int
	accepted []string
	released []string
}

func (s *lentStore) Claim(ctx context.Context, _ string, _ time.Duration) (State, error) {
	s.claims++
	select {
	case <-time.After(s.slow):
		return s.state, s.err
	case <-ctx.Done():
		return Fresh, ctx.Err()
	}
}

func (s *lentStore) Accept(key string, _, _ time.Duration) error {
	s.accepted = append(s.accepted, key)
	return s.err
}

func (s *lentStore) Release(key string, _ time.Duration) error {
	s.released = append(s.released, key)
	return s.err
}

func TestASharedStoreHearsOfEveryVerdict(t *testing.T) {
	store := &lentStore{}
	d := NewDeduper(store, 8*time.Second, time.Minute, &notebook{})
	assert.Equal(t, Fresh, d.begin(t.Context(), "a"))
	d.end("a", true, time.Second)
	assert.Equal(t, Fresh, d.begin(t.Context(), "b"))
	d.end("b", false, time.Second)
	assert.Equal(t, []string{"a"}, store.accepted)
	assert.Equal(t, []string{"b"}, store.released)
	store.state = UnderWay
	assert.Equal(t, UnderWay, d.begin(t.Context(), "c"))
	assert.Empty(t, d.underWay, "what another process claimed is claimed here by nobody")
}

func TestASharedStoreThatIsDownIsLeftAloneForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, notes := &lentStore{err: errors.New("down"), slow: time.Hour}, &notebook{}
		d := NewDeduper(store, 8*time.Second, time.Minute, notes)
		began := time.Now()
		for _, key := range []string{"a", "b"} {
			assert.Equal(t, Fresh, d.begin(t.Context(), key))
			d.end(key, key == "a", time.Second)
		}
		assert.Equal(t, time.Second, time.Since(began), "one waits for it, and not for long")
		assert.Equal(t, 1, store.claims)
		assert.Empty(t, store.accepted)
		assert.Empty(t, store.released)

		store.err, store.slow = nil, 0
		pass(storeRest)
		assert.Equal(t, Fresh, d.begin(t.Context(), "c"))
		d.end("c", true, time.Second)
		assert.Equal(t, []string{"c"}, store.accepted)
		assert.Equal(t, Accepted, d.begin(t.Context(), "a"), "what was accepted meanwhile stays known here")
		assert.Contains(t, notes.log(), "dedupe.cache works again")
	})
}

// A request whose own time is over says nothing about the store.
func TestARequestThatIsOverBlamesNoStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, notes := &lentStore{slow: time.Hour}, &notebook{}
		d := NewDeduper(store, 8*time.Second, time.Minute, notes)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		assert.Equal(t, Fresh, d.begin(ctx, "a"))
		d.end("a", false, time.Second)
		store.slow = 0
		assert.Equal(t, Fresh, d.begin(t.Context(), "b"))
		assert.Equal(t, 2, store.claims)
		assert.Empty(t, notes.log())
	})
}

package pipedrive

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// window is a far side that counts as Pipedrive does: more than limit requests in two seconds are refused. Its
// answers take a while, and it counts at any moment of that while.
func window(limit int, late func() time.Duration) http.HandlerFunc {
	var mu sync.Mutex
	var seen []time.Time
	return func(w http.ResponseWriter, r *http.Request) {
		<-time.After(late())
		mu.Lock()
		now := time.Now()
		for len(seen) > 0 && now.Sub(seen[0]) >= 2*time.Second {
			seen = seen[1:]
		}
		full := len(seen) >= limit
		if !full {
			seen = append(seen, now)
		}
		mu.Unlock()
		<-time.After(late())
		if full {
			say(429, `{"success":false,"error":"request over limit"}`)(w, r)
			return
		}
		fine(w, r)
	}
}

func TestManyCallersNeverMeetABurst429(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared, notes := NewShared(), &diary{}
		far := via(window(20, func() time.Duration { return rand.N(300 * time.Millisecond) }))
		var callers sync.WaitGroup
		began := time.Now()
		for range 4 { // components of one process
			c := dial(t, "https://acme.example", far, func(cfg *Config) { cfg.Shared, cfg.Observer = shared, notes })
			for range 50 {
				callers.Go(func() { assert.NoError(t, list(t, c)) })
			}
		}
		callers.Wait()
		assert.Len(t, notes.codes, 200)
		assert.Empty(t, notes.limited)
		assert.Less(t, time.Since(began), 28*time.Second, "200 requests are ten windows")
	})
}

func TestNoPlaceIsLostWhenATurnAndTheEndOfAContextMeet(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	b, entered := newBurst(), 0
	b.learn(1000)
	for range 200 { // either may win
		if b.enter(over) == nil {
			entered++
		}
	}
	assert.Equal(t, entered, b.pending)
}

func TestTheWindowIsAsWideAsTheHeaderSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := dial(t, "https://acme.example", via(say(200, `{"success":true,"data":[]}`, "X-RateLimit-Limit: 80")))
		require.NoError(t, list(t, c))
		began := time.Now()
		for range 79 {
			require.NoError(t, list(t, c))
		}
		assert.Zero(t, time.Since(began))
		require.NoError(t, list(t, c))
		assert.Equal(t, burstLength, time.Since(began))
	})
}

func TestAWindowThatSomebodyElseFilledIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []http.HandlerFunc{
			say(200, `{"success":true,"data":[]}`, "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 3"),
			say(429, `{"success":false,"error":"request over limit"}`, "X-RateLimit-Reset: 2"),
			fine,
		}}
		c := dial(t, "https://acme.example", via(s))
		began := time.Now()
		require.NoError(t, list(t, c))
		requireLater(t, list(t, c), KindBurst)
		assert.Equal(t, 3*time.Second, time.Since(began))
		require.NoError(t, list(t, c))
		assert.GreaterOrEqual(t, time.Since(began), 5*time.Second)
	})
}

func TestWaitingForTheWindowEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []http.HandlerFunc{fine}}
		c := dial(t, "https://acme.example", via(s))
		for range burstGuess {
			require.NoError(t, list(t, c))
		}
		before := c.Left()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.List(ctx, row("deals"), Query{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, burstGuess, s.count(), "nothing was sent")
		assert.Equal(t, before, c.Left(), "nothing was charged")
		began := time.Now()
		require.NoError(t, list(t, c))
		assert.Equal(t, time.Second, time.Since(began), "its place is free")
	})
}

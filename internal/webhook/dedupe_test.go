package webhook

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

func newTestDeduper() *Deduper { return NewDeduper(NewMemory(), 10*time.Second, 30*time.Minute) }

func begin(t *testing.T, d *Deduper, key string) State {
	t.Helper()
	state, err := d.begin(t.Context(), key)
	require.NoError(t, err)
	return state
}

func TestAcceptedKeysAreRecognisedForTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestDeduper()
		assert.Equal(t, Fresh, begin(t, d, "a"))
		require.NoError(t, d.end("a", true, time.Second))
		assert.Equal(t, Accepted, begin(t, d, "a"))
		assert.Equal(t, Fresh, begin(t, d, "b"))
		pass(30*time.Minute - time.Nanosecond)
		assert.Equal(t, Accepted, begin(t, d, "a"))
		pass(time.Nanosecond)
		assert.Equal(t, Fresh, begin(t, d, "a"))
	})
}

func TestWhatWasRefusedIsWelcomeAgain(t *testing.T) {
	d := newTestDeduper()
	for range 3 {
		assert.Equal(t, Fresh, begin(t, d, "a"))
		require.NoError(t, d.end("a", false, time.Second))
	}
	assert.Equal(t, Fresh, begin(t, d, "a"))
	require.NoError(t, d.end("a", true, time.Second))
	assert.Equal(t, Accepted, begin(t, d, "a"))
}

// A copy that comes while the first is under way waits for its verdict.
func TestACopyWaitsForTheVerdictOnTheFirst(t *testing.T) {
	for name, accepted := range map[string]bool{"accepted": true, "refused": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newTestDeduper()
				begin(t, d, "a")
				const copies = 3
				states := make(chan State, copies)
				for range copies {
					go func() {
						state, err := d.begin(t.Context(), "a")
						assert.NoError(t, err)
						states <- state
						if state == Fresh {
							assert.NoError(t, d.end("a", true, time.Second))
						}
					}()
				}
				synctest.Wait()
				assert.Empty(t, states)
				require.NoError(t, d.end("a", accepted, time.Second))
				count := map[State]int{}
				for range copies {
					count[<-states]++
				}
				if accepted {
					assert.Equal(t, map[State]int{Accepted: copies}, count)
				} else {
					assert.Equal(t, map[State]int{Fresh: 1, Accepted: copies - 1}, count, "one of the copies takes its place")
				}
				synctest.Wait()
				assert.Empty(t, d.underWay)
			})
		})
	}
}

func TestACopyDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestDeduper()
		begin(t, d, "a")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		state, err := d.begin(ctx, "a")
		require.NoError(t, err)
		assert.Equal(t, UnderWay, state)
		require.NoError(t, d.end("a", true, time.Second))
		assert.Equal(t, Accepted, begin(t, d, "a"))
	})
}

// elsewhere is a store in which another process has claimed everything, or which is down.
type elsewhere struct{ err error }

func (e elsewhere) Claim(context.Context, string, time.Duration) (State, error) {
	return UnderWay, e.err
}
func (e elsewhere) Accept(string, time.Duration, time.Duration) error { return e.err }
func (e elsewhere) Release(string, time.Duration) error               { return e.err }

func TestAStoreThatRefusesLeavesNoClaim(t *testing.T) {
	for _, store := range []elsewhere{{}, {errors.New("down")}} {
		d := NewDeduper(store, time.Second, time.Minute)
		for range 2 {
			state, err := d.begin(t.Context(), "a")
			assert.Equal(t, UnderWay, state)
			assert.Equal(t, store.err, err)
		}
		assert.Empty(t, d.underWay)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := NewMemory().(*memory)
	const more = mostRemembered + mostRemembered/2
	for i := range more {
		require.NoError(t, m.Accept(fmt.Sprint(i), time.Hour, 0))
	}
	assert.LessOrEqual(t, len(m.known), mostRemembered)
	assert.LessOrEqual(t, len(m.order), 2*mostRemembered+1)
	for i, want := range map[int]State{0: Fresh, more - mostRemembered + 1: Accepted, more - 1: Accepted} {
		state, err := m.Claim(t.Context(), fmt.Sprint(i), time.Hour)
		require.NoError(t, err)
		assert.Equal(t, want, state, "key %d", i)
	}
}

func TestMemoryForgetsWhatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory().(*memory)
		for i := range 100 {
			require.NoError(t, m.Accept(fmt.Sprint(i), time.Minute, 0))
		}
		pass(time.Minute)
		require.NoError(t, m.Accept("next", time.Minute, 0))
		assert.Len(t, m.known, 1)
		assert.Len(t, m.order[m.first:], 1)
	})
}

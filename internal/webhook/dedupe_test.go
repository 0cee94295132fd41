package webhook

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func newTestDeduper() *Deduper { return NewDeduper(nil, 10*time.Second, 30*time.Minute, nil) }

func TestAcceptedKeysAreRecognisedForTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestDeduper()
		assert.Equal(t, Fresh, d.begin(t.Context(), "a"))
		d.end("a", true, time.Second)
		assert.Equal(t, Accepted, d.begin(t.Context(), "a"))
		assert.Equal(t, Fresh, d.begin(t.Context(), "b"))
		pass(30*time.Minute - time.Nanosecond)
		assert.Equal(t, Accepted, d.begin(t.Context(), "a"))
		pass(time.Nanosecond)
		assert.Equal(t, Fresh, d.begin(t.Context(), "a"))
	})
}

func TestWhatWasRefusedIsWelcomeAgain(t *testing.T) {
	d := newTestDeduper()
	for range 3 {
		assert.Equal(t, Fresh, d.begin(t.Context(), "a"))
		d.end("a", false, time.Second)
	}
	assert.Equal(t, Fresh, d.begin(t.Context(), "a"))
	d.end("a", true, time.Second)
	assert.Equal(t, Accepted, d.begin(t.Context(), "a"))
}

// A copy that comes while the first is under way waits for its verdict.
func TestACopyWaitsForTheVerdictOnTheFirst(t *testing.T) {
	for name, accepted := range map[string]bool{"accepted": true, "refused": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newTestDeduper()
				d.begin(t.Context(), "a")
				const copies = 3
				states := make(chan State, copies)
				for range copies {
					go func() {
						state := d.begin(t.Context(), "a")
						states <- state
						if state == Fresh {
							d.end("a", true, time.Second)
						}
					}()
				}
				synctest.Wait()
				assert.Empty(t, states)
				d.end("a", accepted, time.Second)
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
		d.begin(t.Context(), "a")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.Equal(t, UnderWay, d.begin(ctx, "a"))
		d.end("a", true, time.Second)
		assert.Equal(t, Accepted, d.begin(t.Context(), "a"))
	})
}

func TestMemoryIsBounded(t *testing.T) {
	m := newMemory()
	const more = mostRemembered + mostRemembered/2
	for i := range more {
		m.remember(digestOf(fmt.Sprint(i)), time.Hour)
	}
	assert.LessOrEqual(t, len(m.known), mostRemembered)
	assert.LessOrEqual(t, len(m.order), 2*mostRemembered+1)
	for i, want := range map[int]bool{0: false, more - mostRemembered + 1: true, more - 1: true} {
		assert.Equal(t, want, m.holds(digestOf(fmt.Sprint(i))), "key %d", i)
	}
}

func TestMemoryForgetsWhatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		for i := range 100 {
			m.remember(digestOf(fmt.Sprint(i)), time.Minute)
		}
		pass(time.Minute)
		m.remember(digestOf("next"), time.Minute)
		assert.Len(t, m.known, 1)
		assert.Len(t, m.order[m.first:], 1)
	})
}

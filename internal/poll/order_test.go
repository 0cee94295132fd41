package poll_test

import (
	"testing"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The output is slow; a deal is changed, waits behind another page, and is archived meanwhile.
func TestTheNewerCopyComesLastThroughTwoLists(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 9, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.limit = 1
		w.read("deals", "deals_archived")
		w.pass(5 * time.Second)
		w.news()
		w.hold = true // the output is slow
		w.sim.Update("deals", "1", changed(1))
		w.pass(time.Minute)
		require.Len(t, w.news(), 1)
		w.sim.Update("deals", "7", changed(2)) // read, and waits behind deal 1
		w.pass(time.Minute)
		w.sim.Archive("deals", "7")
		w.pass(5 * time.Minute)
		for range 20 {
			w.mu.Lock()
			held := w.held
			w.held = nil
			w.mu.Unlock()
			for _, r := range held {
				r()
			}
			w.pass(5 * time.Second)
		}
		came := w.news()
		for i := 1; i < len(came); i++ {
			if came[i].id == "7" && came[i-1].id == "7" {
				assert.False(t, came[i].time.Before(came[i-1].time), "an older copy of deal 7 came after a newer one")
			}
		}
	})
}

// As an output does that waits for more before it sends a batch.
func TestOneUnackedPageDoesNotStopTheReading(t *testing.T) {
	inWorld(t, simulator.Options{Deals: 3, DailyBudget: plenty}, func(t *testing.T, w *world) {
		w.read("deals")
		w.pass(30 * time.Second)
		w.news()
		w.hold = true
		w.sim.Update("deals", "1", changed(1))
		w.pass(10 * time.Minute)
		require.Len(t, w.news(), 1)
		w.sim.Update("deals", "2", changed(2))
		w.pass(10 * time.Minute)
		assert.Len(t, w.news(), 1, "one of four pages in flight, and another deal changed")
	})
}

package webhook

import (
	"context"
	"sync"
	"time"
)

// State is what is known of a key.
type State uint8

const (
	// Fresh keys are claimed by whoever asked.
	Fresh State = iota
	// UnderWay keys are claimed by another process, whose verdict nobody here hears.
	UnderWay
	// Accepted keys were delivered or are safe in a journal.
	Accepted
)

// Deduper recognises deliveries that come again: retries, a second subscription, a second replica. A key is claimed
// first and confirmed only after acceptance, so that what was refused is welcome again.
type Deduper struct {
	memory *memory       // what was accepted and no store knows of
	shared *shared       // nil: there are no other processes
	claim  time.Duration // how long a claim may stay without a verdict
	window time.Duration // how long an accepted key is remembered

	mu       sync.Mutex
	underWay map[string]*claim // in this process; nil while nobody waits for the verdict
}

type claim struct {
	ended    chan struct{}
	accepted bool // read it once ended is closed
}

// NewDeduper makes one for this process, and with a store for all that share it. claimFor is the longest that a verdict
// takes, window how long accepted keys are remembered.
func NewDeduper(store Store, claimFor, window time.Duration, log Logger) *Deduper {
	d := &Deduper{memory: newMemory(), claim: claimFor, window: window, underWay: map[string]*claim{}}
	if store != nil {
		d.shared = &shared{Store: store, patience: min(mostPatience, claimFor/8), log: log}
	}
	return d
}

// begin claims a key. A copy that comes while the first is under way in this process waits for its verdict. Who gets
// Fresh has to call end.
func (d *Deduper) begin(ctx context.Context, key string) State {
	for {
		d.mu.Lock()
		first, busy := d.underWay[key]
		if busy && first == nil {
			first = &claim{ended: make(chan struct{})}
		}
		d.underWay[key] = first
		d.mu.Unlock()
		if !busy {
			return d.beginAlone(ctx, key)
		}
		select {
		case <-first.ended:
			if first.accepted {
				return Accepted
			}
		case <-ctx.Done():
			return UnderWay
		}
	}
}

// beginAlone claims a key that nobody has in this process.
func (d *Deduper) beginAlone(ctx context.Context, key string) State {
	state := Fresh
	if d.memory.holds(key) {
		state = Accepted
	} else if d.shared != nil {
		state = d.shared.claim(ctx, key, d.claim)
	}
	if state != Fresh {
		d.finish(key, state == Accepted)
	}
	return state
}

// end confirms a claim or takes it back, within a time. The store hears it before anyone who waits for the verdict.
func (d *Deduper) end(key string, accepted bool, within time.Duration) {
	defer d.finish(key, accepted)
	switch {
	case accepted && (d.shared == nil || !d.shared.accept(key, d.window, within)):
		d.memory.remember(key, d.window)
	case !accepted && d.shared != nil:
		d.shared.release(key, within)
	}
}

func (d *Deduper) finish(key string, accepted bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.underWay[key]; c != nil {
		c.accepted = accepted
		close(c.ended)
	}
	delete(d.underWay, key)
}

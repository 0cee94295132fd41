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
	shared *shared       // nil: there are no other processes
	claim  time.Duration // how long a claim may stay without a verdict
	window time.Duration // how long an accepted key is remembered

	mu       sync.Mutex
	memory   *memory           // what was accepted and no store knows of
	underWay map[digest]*claim // in this process; nil while nobody waits for the verdict
}

type claim struct {
	ended    chan struct{}
	accepted bool // read it once ended is closed
}

// NewDeduper makes one for this process, and with a store for all that share it. claimFor is the longest that a verdict
// takes, window how long accepted keys are remembered.
func NewDeduper(store Store, claimFor, window time.Duration, log Logger) *Deduper {
	d := &Deduper{memory: newMemory(), claim: claimFor, window: window, underWay: map[digest]*claim{}}
	if store != nil {
		d.shared = &shared{Store: store, patience: min(mostPatience, claimFor/8), log: log}
	}
	return d
}

// begin claims a key. A copy that comes while the first is under way in this process waits for its verdict. Who gets
// Fresh has to call end.
func (d *Deduper) begin(ctx context.Context, key string) State {
	k := digestOf(key)
	for {
		state, first := d.enter(k)
		switch {
		case state == Fresh && d.shared != nil:
			return d.ask(ctx, key, k)
		case state != UnderWay:
			return state
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

// enter claims a key in this process; one that is under way comes with whom to wait for.
func (d *Deduper) enter(k digest) (State, *claim) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.memory.holds(k) {
		return Accepted, nil
	}
	first, busy := d.underWay[k]
	if !busy {
		d.underWay[k] = nil
		return Fresh, nil
	}
	if first == nil {
		first = &claim{ended: make(chan struct{})}
		d.underWay[k] = first
	}
	return UnderWay, first
}

// ask claims among all processes what is claimed in this one.
func (d *Deduper) ask(ctx context.Context, key string, k digest) State {
	state := d.shared.claim(ctx, key, d.claim)
	if state != Fresh {
		d.leave(k, state == Accepted, false)
	}
	return state
}

// end confirms a claim or takes it back, within a time. The store hears it before anyone who waits for the verdict.
func (d *Deduper) end(key string, accepted bool, within time.Duration) {
	remember := accepted
	switch {
	case d.shared == nil:
	case accepted:
		remember = !d.shared.accept(key, d.window, within)
	default:
		d.shared.release(key, within)
	}
	d.leave(digestOf(key), accepted, remember)
}

func (d *Deduper) leave(k digest, accepted, remember bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if remember {
		d.memory.remember(k, d.window)
	}
	if c := d.underWay[k]; c != nil {
		c.accepted = accepted
		close(c.ended)
	}
	delete(d.underWay, k)
}

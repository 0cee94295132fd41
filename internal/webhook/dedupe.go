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

// Store keeps keys, possibly for several processes.
type Store interface {
	// Claim takes a key that nobody has, until it is accepted, released, or the ttl is over.
	Claim(ctx context.Context, key string, ttl time.Duration) (State, error)
	// Accept and Release end a claim. The request may be over by then, so they have a time of their own to do it within.
	Accept(key string, ttl, within time.Duration) error
	Release(key string, within time.Duration) error
}

// Deduper recognises deliveries that come again: retries, a second subscription, a second replica. A key is claimed
// first and confirmed only after acceptance, so that what was refused is welcome again.
type Deduper struct {
	store  Store
	claim  time.Duration // how long a claim may stay without a verdict
	window time.Duration // how long an accepted key is remembered

	mu       sync.Mutex
	underWay map[string]*claim // in this process; nil while nobody waits for the verdict
}

type claim struct {
	ended    chan struct{}
	accepted bool // read it once ended is closed
}

// NewDeduper makes one. claimFor is the longest that a verdict takes, window how long accepted keys are remembered.
func NewDeduper(store Store, claimFor, window time.Duration) *Deduper {
	return &Deduper{store: store, claim: claimFor, window: window, underWay: map[string]*claim{}}
}

// begin claims a key. A copy that comes while the first is under way in this process waits for its verdict. Who gets
// Fresh has to call end.
func (d *Deduper) begin(ctx context.Context, key string) (State, error) {
	for {
		d.mu.Lock()
		first, busy := d.underWay[key]
		if busy && first == nil {
			first = &claim{ended: make(chan struct{})}
		}
		d.underWay[key] = first
		d.mu.Unlock()
		if !busy {
			return d.beginInStore(ctx, key)
		}
		select {
		case <-first.ended:
			if first.accepted {
				return Accepted, nil
			}
		case <-ctx.Done():
			return UnderWay, nil
		}
	}
}

func (d *Deduper) beginInStore(ctx context.Context, key string) (State, error) {
	state, err := d.store.Claim(ctx, key, d.claim)
	if err != nil || state != Fresh {
		d.finish(key, state == Accepted)
	}
	return state, err
}

// end confirms a claim or takes it back, within a time. The store hears it before anyone who waits for the verdict.
func (d *Deduper) end(key string, accepted bool, within time.Duration) error {
	defer d.finish(key, accepted)
	if accepted {
		return d.store.Accept(key, d.window, within)
	}
	return d.store.Release(key, within)
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

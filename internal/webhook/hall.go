package webhook

import (
	"context"
	"runtime"
	"slices"
	"sync"
)

// Hall is where deliveries wait for the host, which takes as many as wait at once. While one of a record's deliveries
// is with the host the next of that record waits, so that they leave in the order in which they came.
type Hall struct {
	over    <-chan struct{}
	changed chan struct{} // holds a token when somebody may be taken

	mu      sync.Mutex
	waiting []*Delivery
	flying  map[string]*Delivery // what is with the host, by lane
	closed  bool
}

// NewHall opens an empty one. The host may wait in it until over is closed.
func NewHall(over <-chan struct{}) *Hall {
	return &Hall{over: over, flying: map[string]*Delivery{}, changed: make(chan struct{}, 1)}
}

// Accept waits for the host's verdict. When the context ends first, a delivery that still waits is withdrawn; one
// that is with the host gets its verdict later.
func (h *Hall) Accept(ctx context.Context, d *Delivery) error {
	if !h.enter(d) {
		d.Settle(ErrRefused)
		return ErrRefused
	}
	select {
	case <-d.done:
		return d.err
	case <-ctx.Done():
		if h.withdraw(d) {
			d.Settle(ErrRefused)
		}
		return ctx.Err()
	}
}

// Healthy says whether it takes deliveries.
func (h *Hall) Healthy() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.closed
}

func (h *Hall) enter(d *Delivery) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.waiting = append(h.waiting, d)
	h.nudge()
	return true
}

func (h *Hall) withdraw(d *Delivery) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.Index(h.waiting, d)
	if i < 0 {
		return false
	}
	h.waiting = slices.Delete(h.waiting, i, i+1)
	return true
}

func (h *Hall) nudge() {
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

// Next takes what waits, at most so many, one of each record; it blocks while there is none. Each has to be given to
// Verdict.
func (h *Hall) Next(ctx context.Context, most int) ([]*Delivery, error) {
	for {
		h.gather()
		if taken := h.take(most); len(taken) > 0 {
			return taken, nil
		}
		select {
		case <-h.changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-h.over:
			return nil, ErrRefused
		}
	}
}

// gather lets those come in first who are about to: the more come at once, the less each costs the host.
func (h *Hall) gather() {
	for before := -1; ; {
		h.mu.Lock()
		now := len(h.waiting)
		h.mu.Unlock()
		if now == before {
			return
		}
		before = now
		runtime.Gosched()
	}
}

func (h *Hall) take(most int) []*Delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	taken := make([]*Delivery, 0, min(most, len(h.waiting)))
	h.waiting = slices.DeleteFunc(h.waiting, func(d *Delivery) bool {
		if len(taken) == most || h.flying[d.Lane] != nil {
			return false
		}
		h.flying[d.Lane] = d
		taken = append(taken, d)
		return true
	})
	return taken
}

// Verdict is what became of a delivery that Next gave; nil: it was delivered.
func (h *Hall) Verdict(d *Delivery, err error) {
	d.Settle(err)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.flying[d.Lane] != d {
		return
	}
	delete(h.flying, d.Lane)
	if len(h.waiting) > 0 {
		h.nudge()
	}
}

// Close refuses what waits, what is with the host, and whatever comes: after the end the host gives no verdicts.
func (h *Hall) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, d := range h.waiting {
		d.Settle(ErrRefused)
	}
	for _, d := range h.flying {
		d.Settle(ErrRefused)
	}
	h.waiting, h.closed = nil, true
	clear(h.flying)
}

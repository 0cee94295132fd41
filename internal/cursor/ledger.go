package cursor

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Ledger holds the pages in flight of all objects of one reader. A page leaves it in two moves: it is resolved
// when it was delivered, which moves its object's position as soon as the pages before it are resolved too; and
// it is settled when the moved position is stored. Until then it counts against the limit, so that a killed process
// repeats no more pages than the limit.
type Ledger struct {
	limit int

	mu      sync.Mutex
	lanes   map[string]*lane
	flying  map[RecordKey]int // copies of a record in flight
	changed chan struct{}     // closed and replaced when a page leaves
	moved   chan struct{}     // holds one token while a position waits to be stored
}

// RecordKey names a record over all lists that may show it.
type RecordKey struct{ Kind, ID string }

type lane struct {
	acked    *Position
	pages    []*page // in flight, oldest first
	applied  int     // resolved and applied, not yet settled
	unstored bool
}

type page struct {
	step     Step
	records  []RecordKey
	resolved bool
}

// NewLedger opens a ledger of the given positions, by object; limit is the most pages of one object in flight.
func NewLedger(limit int, positions map[string]*Position) *Ledger {
	l := &Ledger{
		limit:   limit,
		lanes:   make(map[string]*lane, len(positions)),
		flying:  map[RecordKey]int{},
		changed: make(chan struct{}),
		moved:   make(chan struct{}, 1),
	}
	for object, p := range positions {
		l.lanes[object] = &lane{acked: p}
	}
	return l
}

// Track takes a page into flight. It waits while its object has as many as the limit, and while an older copy of
// one of its records is in flight: so the changes of one record are handed on one after another. The returned
// resolve may be called more than once; the first call counts.
func (l *Ledger) Track(ctx context.Context, object string, records []RecordKey, step Step) (resolve func(), err error) {
	for {
		l.mu.Lock()
		ln := l.lanes[object]
		if len(ln.pages)+ln.applied < l.limit && !l.anyFlying(records) {
			p := &page{step: step, records: records}
			ln.pages = append(ln.pages, p)
			for _, r := range records {
				l.flying[r]++
			}
			l.mu.Unlock()
			return sync.OnceFunc(func() { l.resolve(ln, p) }), nil
		}
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for earlier pages of %s: %w", object, ctx.Err())
		}
	}
}

func (l *Ledger) anyFlying(records []RecordKey) bool {
	for _, r := range records {
		if l.flying[r] > 0 {
			return true
		}
	}
	return false
}

func (l *Ledger) resolve(ln *lane, p *page) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.resolved = true
	for _, r := range p.records {
		if l.flying[r]--; l.flying[r] == 0 {
			delete(l.flying, r)
		}
	}
	p.records = nil // they are pieces of the page's text
	for len(ln.pages) > 0 && ln.pages[0].resolved {
		ln.acked.Apply(ln.pages[0].step)
		ln.pages = slices.Delete(ln.pages, 0, 1)
		ln.applied++
		ln.unstored = true
	}
	if ln.unstored {
		l.nudge()
	}
	l.wakeTrackers()
}

func (l *Ledger) nudge() {
	select {
	case l.moved <- struct{}{}:
	default:
	}
}

func (l *Ledger) wakeTrackers() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// Moved receives when a position waits to be stored.
func (l *Ledger) Moved() <-chan struct{} { return l.moved }

// Unstored is a position to store, and the settling of the pages it covers.
type Unstored struct {
	Object string
	Stored []byte
	Settle func() // call when Stored is safe; positions that moved meanwhile stay to be stored
}

// TakeUnstored encodes the positions that moved since they were last settled.
func (l *Ledger) TakeUnstored() ([]Unstored, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var taken []Unstored
	for object, ln := range l.lanes {
		if !ln.unstored {
			continue
		}
		stored, err := ln.acked.Encode()
		if err != nil {
			return nil, fmt.Errorf("encoding the position of %s: %w", object, err)
		}
		covered := ln.applied
		ln.unstored = false
		taken = append(taken, Unstored{object, stored, func() { l.settle(ln, covered) }})
	}
	return taken, nil
}

func (l *Ledger) settle(ln *lane, pages int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ln.applied -= pages
	l.wakeTrackers()
}

// Requeue marks the position of an object as not stored after all.
func (l *Ledger) Requeue(object string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lanes[object].unstored = true
	l.nudge()
}

// Walked calls fn for each object with what its acknowledged position says.
func (l *Ledger) Walked(fn func(object string, p *Position)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for object, ln := range l.lanes {
		fn(object, ln.acked)
	}
}

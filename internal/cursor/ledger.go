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
	queues  map[RecordKey][]*page // pages with a copy of the record, in the order in which they came
	changed chan struct{}         // closed and replaced when a page leaves
	moved   chan struct{}         // holds one token while a position waits to be stored
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
	steps    []Step // its own, and those of pages without records behind it
	records  []RecordKey
	resolved bool
}

// NewLedger opens a ledger of the given positions, by object; limit is the most pages of one object in flight.
func NewLedger(limit int, positions map[string]*Position) *Ledger {
	l := &Ledger{
		limit:   limit,
		lanes:   make(map[string]*lane, len(positions)),
		queues:  map[RecordKey][]*page{},
		changed: make(chan struct{}),
		moved:   make(chan struct{}, 1),
	}
	for object, p := range positions {
		l.lanes[object] = &lane{acked: p}
	}
	return l
}

// Pass takes a page without records. It waits for nothing: its step is applied at once, or with the page before it.
func (l *Ledger) Pass(object string, step Step) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ln := l.lanes[object]
	if len(ln.pages) == 0 {
		ln.acked.Apply(step)
		ln.unstored = true
		l.nudge()
		return
	}
	ln.pages[len(ln.pages)-1].follow(step)
}

// follow adds the step of a page without records. It takes the place of those before it that say no more than it does:
// a whole night of them behind a page that nobody acknowledges is two. The end of a walk says more than the middle of the
// next.
func (p *page) follow(step Step) {
	for n := len(p.steps) - 1; n > 0 && step.covers(p.steps[n]); n-- {
		p.steps = p.steps[:n]
	}
	p.steps = append(p.steps, step)
}

// Track takes a page into flight. It waits while its object has as many as the limit, and while a page that came
// before it holds a copy of one of its records: so the changes of one record are handed on one after another. The
// returned resolve may be called more than once; the first call counts.
func (l *Ledger) Track(ctx context.Context, object string, records []RecordKey, step Step) (resolve func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ln, p := l.lanes[object], &page{steps: []Step{step}, records: records}
	for _, r := range records {
		l.queues[r] = append(l.queues[r], p)
	}
	for !l.mayFly(ln, p) {
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
			l.mu.Lock()
		case <-ctx.Done():
			l.mu.Lock()
			l.leave(p)
			return nil, fmt.Errorf("waiting for earlier pages of %s: %w", object, ctx.Err())
		}
	}
	ln.pages = append(ln.pages, p)
	return sync.OnceFunc(func() { l.resolve(ln, p) }), nil
}

func (l *Ledger) mayFly(ln *lane, p *page) bool {
	if len(ln.pages)+ln.applied >= l.limit {
		return false
	}
	for _, r := range p.records {
		if l.queues[r][0] != p {
			return false
		}
	}
	return true
}

// leave takes a page out of its records' queues and wakes who waited behind it.
func (l *Ledger) leave(p *page) {
	for _, r := range p.records {
		q := slices.DeleteFunc(l.queues[r], func(o *page) bool { return o == p })
		if l.queues[r] = q; len(q) == 0 {
			delete(l.queues, r)
		}
	}
	p.records = nil // they are pieces of the page's text
	l.wakeTrackers()
}

func (l *Ledger) resolve(ln *lane, p *page) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.resolved = true
	l.leave(p)
	for len(ln.pages) > 0 && ln.pages[0].resolved {
		for _, step := range ln.pages[0].steps {
			ln.acked.Apply(step)
		}
		ln.pages = slices.Delete(ln.pages, 0, 1)
		ln.applied++
		ln.unstored = true
	}
	if ln.unstored {
		l.nudge()
	}
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

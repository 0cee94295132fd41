package simulator

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// sender makes the deliveries of one company's webhooks. It has a goroutine for every request that is under way and
// none besides: a timer wakes it when something becomes due, and so does whoever changes what it looks at.
type sender struct {
	clock  *clock
	atOnce int
	limit  time.Duration

	mu      sync.Mutex // guards what follows
	quirks  Quirks
	lines   []*line
	later   []*delivery // by the time when they are due
	log     deliveryLog
	taken   uint64 // deliveries in all
	pending int
	idle    chan struct{} // closed when nothing is pending any more; nil while nothing is
	timer   *time.Timer
	rng     *rand.Rand
	say     func(Delivery)
	via     http.RoundTripper
	halted  bool
	ctx     context.Context
	cancel  context.CancelFunc

	tries sync.WaitGroup // and handlers that are called in process
}

// line is a webhook and what is to be sent to it now.
type line struct {
	Webhook
	ready []*delivery // the oldest event first
	busy  int         // requests under way
	// lanes hold, by record, what waits until the event before it has been tried once; no lane, nothing to wait for.
	lanes map[string][]*delivery
}

// delivery is a Delivery under way.
type delivery struct {
	Delivery
	line    *line
	event   *event
	n       uint64    // numbers the deliveries
	version string    // of the webhook when the event happened
	due     time.Time // of the first try or the next
	laned   bool      // its first try keeps the lane of its record
}

func newSender(o *Options, c *clock) *sender {
	q := &sender{
		clock: c, atOnce: o.SendAtOnce, limit: o.AnswerLimit, quirks: o.Quirks, log: deliveryLog{most: o.DeliveryLog},
		rng: rand.New(rand.NewPCG(o.Seed, mix(o.Seed))), via: network(),
	}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	return q
}

// listening tells whether there is any webhook at all.
func (q *sender) listening() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.ContainsFunc(q.lines, func(l *line) bool { return l.exists() })
}

func (q *sender) setQuirks(quirks Quirks) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.quirks = quirks
}

// publish takes an event in for every webhook that wants it.
func (q *sender) publish(e *event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.now()
	for _, l := range q.lines {
		if !l.wants(e) {
			continue
		}
		l.lift(now)
		q.take(l, e, false)
		if q.quirks.SendTwice {
			q.take(l, e, true)
		}
	}
	q.pump()
}

func (q *sender) take(l *line, e *event, duplicate bool) {
	t := e.tells(l.Version)
	q.taken++
	d := &delivery{line: l, event: e, n: q.taken, version: l.Version, due: e.at.Add(q.quirks.SendDelay), Delivery: Delivery{
		Webhook: l.ID, EventID: e.id, Entity: t.entity, EntityID: e.entityID, Action: t.action, Time: e.at,
		Duplicate: duplicate, Outcome: Pending,
	}}
	q.log.add(d)
	if q.pending++; q.pending == 1 {
		q.idle = make(chan struct{})
	}
	switch {
	case !l.Active:
		q.end(d, Lost)
	case q.quirks.SendDelay > 0:
		q.schedule(d)
	default:
		q.enqueue(d)
	}
}

// enqueue puts a first try behind those of its webhook and, unless order does not matter, of its record.
func (q *sender) enqueue(d *delivery) {
	l, record := d.line, d.Entity+" "+d.EntityID
	if d.laned = !q.quirks.SendOutOfOrder; d.laned {
		if waiting, taken := l.lanes[record]; taken {
			l.lanes[record] = append(waiting, d)
			return
		}
		l.lanes[record] = nil
	}
	l.put(d)
}

// put makes a delivery ready, before those of later events as far as these are in order.
func (l *line) put(d *delivery) {
	i, _ := slices.BinarySearchFunc(l.ready, d.n, func(e *delivery, n uint64) int { return cmp.Compare(e.n, n) })
	l.ready = slices.Insert(l.ready, i, d)
}

// leave lets the next event of the record go.
func (d *delivery) leave() {
	if !d.laned {
		return
	}
	d.laned = false
	l, record := d.line, d.Entity+" "+d.EntityID
	waiting := l.lanes[record]
	if len(waiting) == 0 {
		delete(l.lanes, record)
		return
	}
	l.lanes[record] = waiting[1:]
	l.put(waiting[0])
}

func (q *sender) schedule(d *delivery) {
	i, _ := slices.BinarySearchFunc(q.later, d.due, func(e *delivery, due time.Time) int {
		if e.due.After(due) {
			return 1
		}
		return -1 // behind those that are due at the same time
	})
	q.later = slices.Insert(q.later, i, d)
}

// halt ends all requests and waits for them; what they were to deliver waits for resume.
func (q *sender) halt() {
	q.mu.Lock()
	q.halted = true
	q.cancel()
	if q.timer != nil {
		q.timer.Stop()
	}
	q.mu.Unlock()
	q.tries.Wait()
	q.mu.Lock()
	via := q.via
	q.mu.Unlock()
	(&http.Client{Transport: via}).CloseIdleConnections()
}

func (q *sender) resume() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.halted {
		q.halted = false
		q.ctx, q.cancel = context.WithCancel(context.Background())
		q.pump()
	}
}

var errHalted = errors.New("the simulator is closed while deliveries are pending")

// Drain waits until no delivery is pending: also for retries, whose time the clock has to reach.
func (s *Simulator) Drain(ctx context.Context) error {
	q := s.sender
	q.mu.Lock()
	idle, pending, halted, stopped := q.idle, q.pending, q.halted, q.ctx
	q.mu.Unlock()
	switch {
	case pending == 0:
		return nil
	case halted:
		return errHalted
	}
	select {
	case <-idle:
		return nil
	case <-stopped.Done():
		return errHalted
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

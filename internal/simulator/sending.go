package simulator

import (
	"slices"
	"time"
)

// retryAfter is how long after the end of a failed try the next one begins.
// https://pipedrive.readme.io/docs/guide-for-webhooks-v2
var retryAfter = []time.Duration{3 * time.Second, 30 * time.Second, 150 * time.Second}

// wake looks what is due, after the clock was moved or the timer ran out.
func (q *sender) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pump()
}

// pump begins every request that can begin now and sets the timer to the next one. It and what follows is called
// under the lock.
func (q *sender) pump() {
	if q.halted {
		return
	}
	now := q.clock.now()
	due := 0
	for due < len(q.later) && !q.later[due].due.After(now) {
		due++
	}
	for _, d := range q.later[:due] {
		if len(d.Tries) == 0 {
			q.enqueue(d)
		} else {
			d.line.put(d)
		}
	}
	q.later = slices.Delete(q.later, 0, due)
	for _, l := range q.lines {
		l.lift(now)
		for l.busy < q.atOnce && len(l.ready) > 0 {
			q.begin(q.next(l))
		}
	}
	if q.timer != nil {
		q.timer.Stop()
	}
	if len(q.later) > 0 {
		q.timer = time.AfterFunc(q.later[0].due.Sub(now), q.wake)
	}
}

func (q *sender) next(l *line) *delivery {
	if q.quirks.SendOutOfOrder {
		i := q.rng.IntN(len(l.ready))
		l.ready[0], l.ready[i] = l.ready[i], l.ready[0]
	}
	d := l.ready[0]
	l.ready[0] = nil
	l.ready = l.ready[1:]
	return d
}

func (q *sender) begin(d *delivery) {
	l := d.line
	first := len(d.Tries) == 0
	if !l.exists() || !l.Active && (first || q.quirks.BanStopsRetries) {
		q.end(d, Lost)
		return
	}
	w := l.Webhook
	w.Version = d.version // SetWebhook may have changed it since
	p := post{
		via: q.via, url: w.URL, username: w.Username, password: w.Password, limit: q.limit,
		body: d.event.body(&w, len(d.Tries)+1),
	}
	ctx := q.ctx
	l.busy++
	q.tries.Go(func() {
		began := q.clock.now()
		start := time.Now()
		status, err := p.send(ctx)
		q.judge(d, Try{Time: began, Took: time.Since(start), Status: status, Err: err}, ctx.Err() != nil)
	})
}

// judge takes the end of a try in. One that was cut off by Close never was.
func (q *sender) judge(d *delivery, t Try, cutOff bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := d.line
	l.busy--
	if cutOff && t.Err != nil {
		l.put(d)
		return
	}
	now := q.clock.now()
	l.lift(now)
	l.LastDelivery, l.LastStatus = now, t.Status
	d.Tries = append(d.Tries, t)
	d.leave()
	switch n := len(d.Tries); {
	case t.Err == nil && t.Status/100 == 2:
		l.succeeded(now, q.quirks.SuccessResetsBan)
		q.end(d, Delivered)
	default:
		l.failed(now, n == 1)
		if n > len(retryAfter) {
			q.end(d, Dropped)
			break
		}
		d.due = now.Add(retryAfter[n-1])
		q.schedule(d)
		q.tell(d)
	}
	q.pump()
}

func (q *sender) end(d *delivery, how Outcome) {
	d.Outcome = how
	d.leave()
	d.event = nil // nobody needs the record any more
	if q.pending--; q.pending == 0 {
		close(q.idle)
	}
	q.tell(d)
}

func (q *sender) tell(d *delivery) {
	if q.say != nil {
		q.say(d.told())
	}
}

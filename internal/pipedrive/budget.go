package pipedrive

import (
	"sync"
	"time"
)

// What holds of a company's daily budget until an answer says otherwise.
// https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
const (
	day           = 24 * time.Hour
	dayGuess      = 30_000              // tokens: the smallest plan with one seat
	longestRefuse = day + 5*time.Minute // of a Retry-After: the rest of a day, and clocks that differ
	zoneStep      = 15 * time.Minute    // midnights of all time zones lie on it
)

// budget counts the tokens of one company's day: those this process spent, of the part it may, and those Pipedrive
// says are left for everybody. It has no clock: whoever calls it says what time it is.
//
// It is open, or shut because everything is spent. A shut one lets a single request through when its time has come,
// and what becomes of that one decides for all.
type budget struct {
	mu    sync.Mutex
	limit int64 // tokens of the company, a day
	told  bool  // an answer said so; else it is a guess

	serial  int       // of the day, so that a late answer is not booked on the wrong one
	began   time.Time // zero: before this process looked
	reset   time.Time // when the day ends
	learned bool      // Pipedrive said when: reset is not moved by what merely looks like one

	spent    int64 // by this process in this day, requests under way included
	underway int64 // the part of it whose answers have not come

	known    bool      // left was told in this day
	left     int64     // of the company, what we spent since taken off
	lastLeft int64     // as it was told last, in whatever day
	lastTold time.Time // zero: never

	shut    bool
	reopen  time.Time // when the next request may go and try
	probing bool      // it is on its way
	refused time.Time // when Pipedrive last said in this day that everything is spent; zero: never

	shares map[any]float64 // by client
	plans  map[plan]float64
}

// plan names one of the things a client does again and again; its value is in tokens per second.
type plan struct {
	client any
	owner  string
}

func newBudget(now time.Time) *budget {
	return &budget{
		limit:  dayGuess,
		reset:  now.UTC().Truncate(day).Add(day),
		shares: map[any]float64{},
		plans:  map[plan]float64{},
	}
}

// ticket is the leave to send one request.
type ticket struct {
	tokens int64
	serial int
	probe  bool
}

// admit charges a request, or says why it must not be sent and for how long. retry is how often a spent budget is
// tried when nobody knows when its day ends.
func (b *budget) admit(now time.Time, tokens int, retry time.Duration) (ticket, Kind, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	need := int64(tokens)
	if !b.shut && b.known && b.left < need {
		b.shutFor(now, min(b.reset.Sub(now), retry))
	}
	if b.shut && (b.probing || now.Before(b.reopen)) {
		return ticket{}, KindDaily, max(b.reopen.Sub(now), time.Second)
	}
	if b.spent+need > b.part() {
		return ticket{}, KindShare, b.reset.Sub(now)
	}
	b.probing = b.shut
	b.spent += need
	b.underway += need
	b.left -= need
	return ticket{tokens: need, serial: b.serial, probe: b.shut}, "", 0
}

// told is what came of a request, as far as the budget is concerned.
type told struct {
	answered bool          // Pipedrive did what was asked, or said why not
	free     bool          // it was turned away before it cost anything
	limit    int64         // of the company, a day; 0: not said
	left     int64         // of the company, this request not yet charged; below 0: not said
	spent    bool          // everything is spent
	again    time.Duration // then: when to come back; 0: not said
}

// settle ends what admit began.
func (b *budget) settle(now time.Time, t ticket, what told, retry time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	if t.serial == b.serial {
		b.underway -= t.tokens
		if what.free {
			b.spent -= t.tokens
			b.left += t.tokens
		}
	}
	if t.probe {
		b.probing = false
	}
	if what.limit > 0 {
		b.limit, b.told = what.limit, true
	}
	switch {
	case what.spent && what.again > 0:
		again := min(what.again, longestRefuse)
		b.reset, b.learned = now.Add(again), true
		b.refused = now
		b.shutFor(now, again)
	case what.spent:
		b.refused = now
		b.shutFor(now, min(b.reset.Sub(now), retry))
	case what.answered && !what.free:
		b.serve(now, t, what.left)
	}
	if !b.shut && b.known && b.left <= 0 {
		b.shutFor(now, min(b.reset.Sub(now), retry))
	}
}

// serve takes in an ordinary answer.
func (b *budget) serve(now time.Time, t ticket, left int64) {
	if t.probe {
		b.shut = false
		if !b.refused.IsZero() {
			b.newDay(now, b.refused, t)
		}
	}
	if left < 0 {
		return
	}
	// Others spend too, but nobody gives back: a leap is a new day. Small steps upwards are answers out of order.
	if leap := max(1000, b.limit/20); !b.lastTold.IsZero() && left > b.lastLeft+leap {
		b.newDay(now, b.lastTold, t)
	}
	b.known, b.left = true, left-t.tokens-b.underway
	b.lastLeft, b.lastTold = left, now
}

// newDay takes in that a day began between since and now. Where the present one explains that, nothing changes.
func (b *budget) newDay(now, since time.Time, t ticket) {
	if b.learned || !b.began.Before(since) {
		return
	}
	b.start(now)
	if step := now.UTC().Truncate(zoneStep); !step.Before(since) {
		b.began = step
	}
	b.reset = b.began.Add(day)
	b.spent = t.tokens
}

// roll begins the day that has come by the clock.
func (b *budget) roll(now time.Time) {
	if now.Before(b.reset) {
		return
	}
	over := now.Sub(b.reset) % day
	b.start(now.Add(-over))
	b.reset = b.began.Add(day)
}

func (b *budget) start(began time.Time) {
	b.serial++
	b.began, b.known, b.refused = began, false, time.Time{}
	b.spent, b.underway = 0, 0
}

func (b *budget) shutFor(now time.Time, d time.Duration) { b.shut, b.reopen = true, now.Add(d) }

// part is how many tokens of a day this process may spend: of differing shares the smallest holds.
func (b *budget) part() int64 {
	share := 1.0
	for _, s := range b.shares {
		share = min(share, s)
	}
	return int64(share * float64(b.limit))
}

// closed is for how long a request that was admitted must not go after all, because the budget was shut meanwhile.
func (b *budget) closed(now time.Time, t ticket) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.shut || t.probe {
		return 0
	}
	return max(b.reopen.Sub(now), time.Second)
}

// wait is how long a shut budget stays so.
func (b *budget) wait(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(b.reopen.Sub(now), time.Second)
}

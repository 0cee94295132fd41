package pipedrive

import (
	"maps"
	"math"
	"time"
)

// Spend is what this process took from a company's budget in one budget day. It belongs into a checkpoint, so that a
// restart does not begin a new share.
type Spend struct {
	Reset  time.Time `json:"reset"` // when that day ends
	Tokens int64     `json:"tokens"`
}

// Standing is how a daily budget stands for this process.
type Standing struct {
	Left  int64     // Client.Left
	Share int64     // tokens that it may spend in a whole day
	Reset time.Time // when the day ends
}

// Left is how many tokens this process may still spend until Reset: those of its share, and never more than
// Pipedrive says the company has.
func (c *Client) Left() int64 { return c.budget().remaining(time.Now()) }

// Reset is when a Left that is 0 may have grown: the end of the budget day, or the next attempt on a budget that
// Pipedrive calls spent. It always lies ahead.
func (c *Client) Reset() time.Time { return c.budget().next(time.Now()) }

// Spend is what this process spent in the present budget day.
func (c *Client) Spend() Spend { return c.budget().total(time.Now()) }

// Restore takes in what was spent before a restart. It is ignored when its day is over; else the larger of it and
// what is known holds.
func (c *Client) Restore(s Spend) { c.budget().restore(time.Now(), s) }

// Plan announces that the cycles of an owner would spend so much at their wished interval; 0 takes it back.
func (c *Client) Plan(owner string, tokensPerSecond float64) {
	c.budget().announce(plan{c, owner}, tokensPerSecond)
}

// Stretch is by how much every interval has to be multiplied so that what all owners of the company's budget plan
// lasts until its day ends. It is at least 1, and +Inf when nothing is left.
func (c *Client) Stretch() float64 { return c.budget().stretch(time.Now()) }

func (b *budget) remaining(now time.Time) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	return b.rest(now)
}

func (b *budget) standing(now time.Time) Standing {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	return Standing{Left: b.rest(now), Share: b.part(), Reset: b.reset}
}

// rest is remaining without the lock. A shut budget whose next attempt is due counts as open: somebody has to make it.
func (b *budget) rest(now time.Time) int64 {
	rest := b.part() - b.spent
	switch {
	case b.shut && (b.probing || now.Before(b.reopen)):
		return 0
	case !b.shut && b.known:
		rest = min(rest, b.left)
	}
	return max(rest, 0)
}

func (b *budget) next(now time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	switch {
	case b.shut && b.probing:
		return now.Add(time.Second) // its answer is on the way
	case b.shut && now.Before(b.reopen):
		return b.reopen
	}
	return b.reset
}

func (b *budget) total(now time.Time) Spend {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	return Spend{Reset: b.reset.UTC(), Tokens: b.spent}
}

func (b *budget) restore(now time.Time, s Spend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	if !s.Reset.After(now) || s.Reset.Sub(now) > longestRefuse {
		return
	}
	if !b.learned { // an end that differs from the first guess had been learned
		b.reset = s.Reset
	}
	b.spent = max(b.spent, s.Tokens)
}

func (b *budget) announce(p plan, tokensPerSecond float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if tokensPerSecond > 0 {
		b.plans[p] = tokensPerSecond
	} else {
		delete(b.plans, p)
	}
}

func (b *budget) stretch(now time.Time) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	rest := b.rest(now)
	if rest <= 0 {
		return math.Inf(1)
	}
	var rate float64
	for _, r := range b.plans {
		rate += r
	}
	return max(1, rate*b.reset.Sub(now).Seconds()/float64(rest))
}

// joined takes a client's share into account.
func (b *budget) joined(client any, share float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shares[client] = share
}

// forget takes out what a client asked for. What it spent stays spent.
func (b *budget) forget(client any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.shares, client)
	maps.DeleteFunc(b.plans, func(p plan, _ float64) bool { return p.client == client })
}

// absorb takes over what was counted before the company of a credential was known.
func (b *budget) absorb(now time.Time, of *budget) {
	of.mu.Lock()
	spent, shares, plans := of.spent, maps.Clone(of.shares), maps.Clone(of.plans)
	of.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	b.spent += spent
	b.left -= spent
	maps.Copy(b.shares, shares)
	maps.Copy(b.plans, plans)
}

package simulator

import (
	"net/http"
	"strconv"
	"time"
)

// budget is a company's tokens of one day. https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
type budget struct {
	limit int // negative: unlimited
	zone  *time.Location
	day   time.Time // the midnight that began it
	spent int       // today, by anybody
	ours  int       // by requests to the simulator, over all days
}

func newBudget(limit int, zone *time.Location) budget { return budget{limit: limit, zone: zone} }

func (b *budget) roll(now time.Time) {
	if today := midnight(now, b.zone, 0); !today.Equal(b.day) {
		b.day, b.spent = today, 0
	}
}

func midnight(now time.Time, zone *time.Location, days int) time.Time {
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d+days, 0, 0, 0, 0, zone)
}

// left is the tokens that remain today.
func (b *budget) left() int { return max(b.limit-b.spent, 0) }

// isSpent refuses a request only when nothing at all is left: the last one may overdraw.
func (b *budget) isSpent() bool { return b.limit >= 0 && b.left() == 0 }

func (b *budget) charge(tokens int) {
	b.spent += tokens
	b.ours += tokens
}

// secondsToReset is rounded up.
func (b *budget) secondsToReset(now time.Time) int {
	return int((midnight(now, b.zone, 1).Sub(now) + time.Second - 1) / time.Second)
}

// setHeaders writes what was left before the request's own charge.
func (b *budget) setHeaders(h http.Header, left int) {
	if b.limit >= 0 {
		h.Set("x-daily-ratelimit-token-limit", strconv.Itoa(b.limit))
		h.Set("x-daily-ratelimit-token-remaining", strconv.Itoa(left))
	}
}

// SetBudget changes the company's daily tokens; what was spent today stays spent. A negative number is unlimited.
func (s *Simulator) SetBudget(tokens int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.budget.limit = tokens
}

// Spend takes tokens from today's budget, as the company's other integrations do.
func (s *Simulator) Spend(tokens int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.budget.roll(s.clock.now())
	s.budget.spent += tokens
}

// TokensSpent is what requests have cost since New, over all days; Spend is not in it.
func (s *Simulator) TokensSpent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.budget.ours
}

// TokensLeft is what is left of today's budget, -1 when that is unlimited.
func (s *Simulator) TokensLeft() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.budget.limit < 0 {
		return -1
	}
	s.budget.roll(s.clock.now())
	return s.budget.left()
}

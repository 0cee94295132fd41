package pipedrive

import (
	"crypto/sha256"
	"maps"
	"math/rand/v2"
	"sync"
	"time"
)

// keepUnused is how long the state of a credential without clients is remembered: past the longest Retry-After, so
// that a component which reconnects does not begin a new budget day, window or pause.
const keepUnused = 26 * time.Hour

// Shared is what the components of one process count together because Pipedrive does: the burst window, the pause
// after a block and the access token of a credential, and the daily budget of a company.
type Shared struct {
	mu          sync.Mutex
	credentials map[[sha256.Size]byte]*credential
	companies   map[string]*budget
}

// NewShared returns one that knows nothing yet.
func NewShared() *Shared {
	return &Shared{
		credentials: map[[sha256.Size]byte]*credential{},
		companies:   map[string]*budget{},
	}
}

// credential is what belongs to one API token or one installed app.
type credential struct {
	burst  *burst
	pause  pause
	tokens tokens

	// Below is guarded by Shared.mu.
	clients int
	unused  time.Time // since when clients is 0
	company string    // "" until an answer says whose it is
	budget  *budget
}

// acquire returns the state of the credential that the key names; release gives it back.
func (s *Shared) acquire(key [sha256.Size]byte, client any, share float64) *credential {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.sweep(now)
	cred := s.credentials[key]
	if cred == nil {
		cred = &credential{burst: newBurst(), budget: newBudget(now)}
		s.credentials[key] = cred
	}
	cred.clients++
	cred.budget.joined(client, share)
	return cred
}

func (s *Shared) release(cred *credential, client any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cred.budget.forget(client)
	if cred.clients--; cred.clients == 0 {
		cred.unused = time.Now()
	}
}

// sweep forgets what nobody asked for in a long time. A refresh token that was refused is never forgotten. The
// caller holds mu.
func (s *Shared) sweep(now time.Time) {
	maps.DeleteFunc(s.credentials, func(_ [sha256.Size]byte, cred *credential) bool {
		return cred.clients == 0 && now.Sub(cred.unused) > keepUnused && !cred.tokens.dead()
	})
	maps.DeleteFunc(s.companies, func(id string, _ *budget) bool {
		for _, cred := range s.credentials {
			if cred.company == id {
				return false
			}
		}
		return true
	})
}

// join counts the credential's spending into a company's budget, what it spent until now included.
func (s *Shared) join(cred *credential, company string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cred.company != "" { // a credential never changes its company
		return
	}
	cred.company = company
	if b := s.companies[company]; b != nil {
		b.absorb(time.Now(), cred.budget)
		cred.budget = b
	} else {
		s.companies[company] = cred.budget
	}
}

func (s *Shared) budgetOf(cred *credential) *budget {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cred.budget
}

// The pause after Cloudflare turned a credential away: it doubles while that goes on. Pipedrive says no more than
// that one should stop. https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
const (
	firstPause   = 5 * time.Minute
	longestPause = 30 * time.Minute
)

// pause keeps a credential from asking at all. Its zero value keeps nobody.
type pause struct {
	mu    sync.Mutex
	until time.Time
	last  time.Duration
}

// left is how much of the pause is to come; 0 or less: ask.
func (p *pause) left(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until.Sub(now)
}

// begin starts a pause that is longer than the last one, or at least as long as Cloudflare asked, and returns it.
// Several requests that are turned away together begin one.
func (p *pause) begin(now time.Time, asked time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if left := p.until.Sub(now); left > 0 {
		return left
	}
	p.last = max(min(2*p.last, longestPause), firstPause)
	p.until = now.Add(max(p.last, min(asked, longestPause)))
	return p.until.Sub(now)
}

// end makes the next pause a first one.
func (p *pause) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = 0
}

// jitter adds up to a tenth, so that many do not come back in one moment.
func jitter(d time.Duration) time.Duration { return d + rand.N(d/10+1) }

package simulator

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// burstWindow rolls, for each credential. https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
const (
	burstWindow = 2 * time.Second
	oauthFactor = 4 // an OAuth token may do so many times as much as an API token
)

// burst counts the requests of each credential in the last two seconds, and the 429 that it did not heed.
type burst struct {
	limit      int // of an API token; negative: unlimited
	blockAfter int // negative: never
	blockFor   time.Duration
	users      map[credential]*usage
}

// usage is what is remembered of a credential.
type usage struct {
	recent  []time.Time // requests that were let in, ascending
	refused time.Time   // the last 429
	ignored int         // requests in a row that came in spite of a 429 before it was over
	blocked time.Time   // until when
}

func newBurst(o Options) burst {
	return burst{limit: o.Burst, blockAfter: o.BlockAfter, blockFor: o.BlockFor, users: map[credential]*usage{}}
}

func (b *burst) user(c credential) *usage {
	u := b.users[c]
	if u == nil {
		u = &usage{}
		b.users[c] = u
	}
	return u
}

func (b *burst) limitOf(c credential) int {
	if c.bearer {
		return b.limit * oauthFactor
	}
	return b.limit
}

// enter counts the request if there is room for it.
func (b *burst) enter(c credential, now time.Time) bool {
	u := b.user(c)
	u.recent = slices.DeleteFunc(u.recent, func(t time.Time) bool { return now.Sub(t) >= burstWindow })
	if b.limit >= 0 && len(u.recent) >= b.limitOf(c) {
		return false
	}
	if b.limit >= 0 {
		u.recent = append(u.recent, now)
	}
	return true
}

// refuse notes a 429. A client that sends again within the window has not heeded the one before; one that does so too
// often is blocked, unless it came through OAuth.
func (b *burst) refuse(c credential, now time.Time) {
	u := b.user(c)
	if now.Sub(u.refused) < burstWindow {
		u.ignored++
	} else {
		u.ignored = 0
	}
	u.refused = now
	if !c.bearer && b.blockAfter >= 0 && u.ignored >= b.blockAfter {
		u.ignored, u.blocked = 0, now.Add(b.blockFor)
	}
}

func (b *burst) isBlocked(c credential, now time.Time) bool { return now.Before(b.user(c).blocked) }

// setHeaders writes what is left after the request. The reset is in seconds, and always the whole window.
func (b *burst) setHeaders(h http.Header, c credential, left int) {
	if b.limit >= 0 {
		h.Set("x-ratelimit-limit", strconv.Itoa(b.limitOf(c)))
		h.Set("x-ratelimit-remaining", strconv.Itoa(left))
		h.Set("x-ratelimit-reset", strconv.Itoa(int(burstWindow/time.Second)))
	}
}

func (b *burst) left(c credential) int { return max(b.limitOf(c)-len(b.user(c).recent), 0) }

// SetBurst changes how many requests an API token may make in two seconds. A negative number is unlimited.
func (s *Simulator) SetBurst(requests int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.burst.limit = requests
}

// Unblock ends what Cloudflare began.
func (s *Simulator) Unblock() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.burst.users {
		u.blocked = time.Time{}
	}
}

package pipedrive

import (
	"crypto/sha256"
	"net/url"
	"sync"
	"time"
)

// grant is one answer of the token endpoint.
type grant struct {
	access  string
	refresh string
	renew   time.Time // when to get the next one
	domain  *url.URL  // where the API of the account lies; nil: what was said cannot be used
}

// tokens is what is known of one installed app's tokens. Its zero value knows nothing.
type tokens struct {
	mu      sync.Mutex
	grant   grant
	flight  *flight
	unsaved bool // grant.refresh is not in the store
	invalid map[[sha256.Size]byte]struct{}
}

// flight is a refresh under way. What stands below done may be read once done is closed.
type flight struct {
	done      chan struct{}
	grant     grant
	err       error
	abandoned bool // its caller gave up: somebody else has to try
}

// current returns the grant to use, or the flight to wait for. Who gets lead has to make that flight and land it.
func (t *tokens) current(stale string, now time.Time) (g grant, f *flight, lead bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.flight != nil:
		return grant{}, t.flight, false
	case t.grant.access != "" && t.grant.access != stale && now.Before(t.grant.renew):
		return t.grant, nil, false
	}
	t.flight = &flight{done: make(chan struct{})}
	return grant{}, t.flight, true
}

// land ends a flight. gaveUp says that its caller's context is over.
func (t *tokens) land(f *flight, g grant, err error, gaveUp bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flight = nil
	if err == nil {
		t.grant = g
	}
	f.grant, f.err, f.abandoned = g, err, err != nil && gaveUp
	close(f.done)
}

// keep remembers the newest refresh token, before the access token that came with it is used.
func (t *tokens) keep(refresh string, saved bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.grant.refresh, t.unsaved = refresh, !saved
}

func (t *tokens) newest() (refresh string, unsaved bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.grant.refresh, t.unsaved
}

// refuse remembers a refresh token that Pipedrive called invalid, for good. The access token that came with it is
// worth no request any more.
func (t *tokens) refuse(refresh string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.invalid == nil {
		t.invalid = map[[sha256.Size]byte]struct{}{}
	}
	t.invalid[sha256.Sum256([]byte(refresh))] = struct{}{}
	t.grant.access = ""
}

func (t *tokens) refused(refresh string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.invalid[sha256.Sum256([]byte(refresh))]
	return ok
}

// dead is whether any refresh token was called invalid.
func (t *tokens) dead() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.invalid) > 0
}

func (t *tokens) secrets() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return []string{t.grant.access, t.grant.refresh}
}

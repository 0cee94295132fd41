package webhook

import (
	"context"
	"sync"
	"time"
)

const (
	// mostPatience is how long a shared store may take while somebody waits for an answer.
	mostPatience = time.Second
	// storeRest is how long one that does not work is left alone.
	storeRest = 5 * time.Second
)

// Store keeps keys for several processes.
type Store interface {
	// Claim takes a key that nobody has, until it is accepted, released, or the ttl is over.
	Claim(ctx context.Context, key string, ttl time.Duration) (State, error)
	// Accept and Release end a claim. The request may be over by then, so they have a time of their own to do it within.
	Accept(key string, ttl, within time.Duration) error
	Release(key string, within time.Duration) error
}

// shared is a store that may not work. Then nothing is refused for it: to deliver a webhook twice is a nuisance, but after
// ten refusals Pipedrive sends nothing for half an hour.
type shared struct {
	Store
	patience time.Duration
	log      Logger

	mu       sync.Mutex
	askAgain time.Time // zero: it works
}

// claim takes a key for Fresh where nobody can say.
func (s *shared) claim(ctx context.Context, key string, ttl time.Duration) State {
	if s.resting() {
		return Fresh
	}
	patient, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	state, err := s.Claim(patient, key, ttl)
	switch {
	case err == nil:
		s.works()
		return state
	case ctx.Err() == nil: // else it is the request that has no more time
		s.fails(err)
	}
	return Fresh
}

// accept says whether the others will know.
func (s *shared) accept(key string, ttl, within time.Duration) bool {
	if s.resting() {
		return false
	}
	err := s.Accept(key, ttl, within)
	if err != nil {
		s.fails(err)
	}
	return err == nil
}

func (s *shared) release(key string, within time.Duration) {
	if s.resting() {
		return // the claim ends by itself
	}
	if err := s.Release(key, within); err != nil {
		s.fails(err)
	}
}

func (s *shared) resting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.askAgain)
}

func (s *shared) fails(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.askAgain.IsZero() {
		s.log.Warnf("dedupe.cache does not work. Webhooks are taken all the same, but what reaches several replicas may be delivered twice: %v", err)
	}
	s.askAgain = time.Now().Add(storeRest)
}

func (s *shared) works() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.askAgain.IsZero() {
		s.log.Infof("dedupe.cache works again")
	}
	s.askAgain = time.Time{}
}

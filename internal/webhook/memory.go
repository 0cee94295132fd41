package webhook

import (
	"context"
	"hash/maphash"
	"sync"
	"time"
)

// mostRemembered bounds a memory store to some 15 MiB. It is the traffic of a window of 30 minutes at 110 webhooks a
// second; beyond that the oldest are forgotten.
const mostRemembered = 200_000

// memory is the Store of one process. Claims need no place in it: the Deduper knows them.
type memory struct {
	born time.Time

	mu    sync.Mutex
	known map[digest]time.Duration // when it is forgotten, since born
	order []digest                 // by the time of acceptance; what is known begins at first
	first int
}

// digest stands for a key. Its seeds are this process's own, so nobody can make two keys that have the same.
type digest [2]uint64

var digestSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// NewMemory remembers accepted keys in this process.
func NewMemory() Store { return &memory{born: time.Now(), known: map[digest]time.Duration{}} }

func digestOf(key string) digest {
	return digest{maphash.String(digestSeeds[0], key), maphash.String(digestSeeds[1], key)}
}

func (m *memory) Claim(_ context.Context, key string, _ time.Duration) (State, error) {
	d, now := digestOf(key), time.Since(m.born)
	m.mu.Lock()
	defer m.mu.Unlock()
	if until, ok := m.known[d]; ok && now < until {
		return Accepted, nil
	}
	return Fresh, nil
}

func (m *memory) Accept(key string, ttl, _ time.Duration) error {
	d, now := digestOf(key), time.Since(m.born)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(now)
	if _, again := m.known[d]; !again {
		m.order = append(m.order, d)
	}
	m.known[d] = now + ttl
	return nil
}

// forget drops what is over, and the oldest when there is too much.
func (m *memory) forget(now time.Duration) {
	for m.first < len(m.order) {
		oldest := m.order[m.first]
		if now < m.known[oldest] && len(m.known) < mostRemembered {
			break
		}
		delete(m.known, oldest)
		m.first++
	}
	if m.first > len(m.order)/2 {
		m.order = append(m.order[:0], m.order[m.first:]...)
		m.first = 0
	}
}

func (m *memory) Release(string, time.Duration) error { return nil }

package webhook

import (
	"hash/maphash"
	"time"
)

// mostRemembered bounds a memory to some 20 MiB. It is the traffic of a window of 30 minutes at 110 webhooks a
// second; beyond that the oldest are forgotten.
const mostRemembered = 200_000

// memory remembers accepted keys in this process, all of them for the same time. Its owner sees to it that one goroutine
// at a time asks it.
type memory struct {
	born  time.Time
	known map[digest]struct{}
	order []remembered // what is known, by the time of acceptance; it begins at first
	first int
}

// remembered is a key that was accepted.
type remembered struct {
	digest
	until time.Duration // since the memory was born; never earlier than that of one before it
}

// digest stands for a key. Its seeds are this process's own, so nobody can make two keys that have the same.
type digest [2]uint64

var digestSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

func newMemory() *memory { return &memory{born: time.Now(), known: map[digest]struct{}{}} }

func digestOf(key string) digest {
	return digest{maphash.String(digestSeeds[0], key), maphash.String(digestSeeds[1], key)}
}

func (m *memory) holds(d digest) bool {
	m.forget(time.Since(m.born))
	_, known := m.known[d]
	return known
}

func (m *memory) remember(d digest, ttl time.Duration) {
	now := time.Since(m.born)
	m.forget(now)
	if _, again := m.known[d]; !again {
		m.known[d] = struct{}{}
		m.order = append(m.order, remembered{d, now + ttl})
	}
}

// forget drops what is over, and the oldest when there is too much.
func (m *memory) forget(now time.Duration) {
	for m.first < len(m.order) && (m.order[m.first].until <= now || len(m.known) >= mostRemembered) {
		delete(m.known, m.order[m.first].digest)
		m.first++
	}
	if m.first > len(m.order)/2 {
		m.order = append(m.order[:0], m.order[m.first:]...)
		m.first = 0
	}
}

package fields

import (
	"iter"
	"sync"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// mostMissing bounds what is remembered; further keys are not asked for.
const mostMissing = 10_000

// missing remembers keys that the list did not have when it was read because of them. Each of them has the list read
// again, as it may be newer than the list, but after a pause that doubles: one that nobody defines costs no more than
// the reading that every interval brings anyway.
type missing struct {
	mu   sync.Mutex
	keys map[string]wait
}

type wait struct {
	until time.Time
	pause time.Duration
}

// due tells whether there is a key that the list does not have and that is worth a reading.
func (m *missing) due(keys iter.Seq[string], list map[string]entity.Field, now time.Time) bool {
	for key := range keys {
		if _, known := list[key]; !known && m.isDue(key, now) {
			return true
		}
	}
	return false
}

func (m *missing) isDue(key string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, noted := m.keys[key]
	if !noted {
		return len(m.keys) < mostMissing
	}
	return !now.Before(w.until)
}

// note takes in which of the keys a list that was just read has.
func (m *missing) note(keys iter.Seq[string], list answer[map[string]entity.Field], first, longest time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range keys {
		if _, known := list.value[key]; known {
			delete(m.keys, key)
			continue
		}
		w, noted := m.keys[key]
		if noted && list.at.Before(w.until) || !noted && len(m.keys) >= mostMissing {
			continue
		}
		if m.keys == nil {
			m.keys = map[string]wait{}
		}
		w.pause = min(max(2*w.pause, first), longest)
		w.until = list.at.Add(w.pause)
		m.keys[key] = w
	}
}

package input

import "time"

// How long the host waits before it connects again: it doubles from the first to the longest.
const (
	firstBackoff   = 2 * time.Second
	longestBackoff = 30 * time.Second
)

type backoff struct{ last time.Duration }

func (b *backoff) next() time.Duration {
	b.last = min(max(2*b.last, firstBackoff), longestBackoff)
	return b.last
}

func (b *backoff) reset() { b.last = 0 }

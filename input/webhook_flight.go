package input

import (
	"context"
	"sync"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// flight bounds what the host has from a journal and has not acknowledged: by number, and by bytes unless one alone
// has more. One goroutine asks for room and takes it; many land.
type flight struct {
	changed chan struct{} // holds a token when something has landed

	mu      sync.Mutex
	entries int // that may still be taken
	bytes   int64
}

func newFlight(entries int) *flight {
	return &flight{changed: make(chan struct{}, 1), entries: entries, bytes: webhook.BodiesTogether}
}

// room waits until something may be taken, and says how much.
func (f *flight) room(ctx context.Context) (entries int, bytes int64, err error) {
	for {
		f.mu.Lock()
		entries, bytes = f.entries, f.bytes
		f.mu.Unlock()
		if entries > 0 && bytes > 0 {
			return entries, bytes, nil
		}
		select {
		case <-f.changed:
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		}
	}
}

// take counts something in; the returned function counts it out, once.
func (f *flight) take(entries int, bytes int64) (landed func()) {
	f.add(-entries, -bytes)
	return sync.OnceFunc(func() { f.add(entries, bytes) })
}

func (f *flight) add(entries int, bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entries += entries
	f.bytes += bytes
	if entries > 0 {
		select {
		case f.changed <- struct{}{}:
		default:
		}
	}
}

package pipedrive

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Pipedrive counts the requests of one credential in a window that rolls.
// https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
const (
	burstLength = 2 * time.Second
	burstGuess  = 20               // requests in one window until a header says; the smallest plan has as many
	burstMost   = 60 * time.Second // a longer reset is no burst window: somebody wrote an epoch into the header
)

// burst lets requests through so that no window holds more than the limit, first come, first served. A request
// occupies its place from before it is sent until burstLength after its answer: when it was counted lies in between,
// so the far side never sees more than we do.
type burst struct {
	mu      sync.Mutex
	limit   int
	told    bool        // an answer said the limit
	pending int         // sent and not answered
	leaving []time.Time // when the answered ones leave the window, ascending
	shut    time.Time   // nobody goes before this
	queue   []chan struct{}
	timer   *time.Timer // set while somebody waits for time to pass; nobody else calls its function
}

func newBurst() *burst { return &burst{limit: burstGuess} }

// enter waits for a place and takes it. Each nil has to be followed by one leave.
func (b *burst) enter(ctx context.Context) error {
	turn := make(chan struct{})
	b.mu.Lock()
	b.queue = append(b.queue, turn)
	b.admit(time.Now())
	b.mu.Unlock()

	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.queue, turn); i >= 0 {
		b.queue = slices.Delete(b.queue, i, i+1)
	} else { // the turn came in the same moment: pass it on
		b.pending--
	}
	b.admit(time.Now())
	return ctx.Err()
}

// leave ends what enter began. A request that was never sent gives its place back at once.
func (b *burst) leave(sent bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.pending--
	if sent {
		b.leaving = append(b.leaving, now.Add(burstLength))
	}
	b.admit(now)
}

// learn takes the limit of the window from an answer.
func (b *burst) learn(limit int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limit, b.told = limit, true
	b.admit(time.Now())
}

// closeFor keeps everybody out for d: the window is full, whoever filled it.
func (b *burst) closeFor(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if until := now.Add(d); until.After(b.shut) {
		b.shut = until
	}
	b.admit(now)
}

// admit gives turns as long as there are places, and sets the timer for the next one. The caller holds mu.
func (b *burst) admit(now time.Time) {
	for len(b.leaving) > 0 && !b.leaving[0].After(now) {
		b.leaving = b.leaving[1:]
	}
	for len(b.queue) > 0 && !b.shut.After(now) && b.pending+len(b.leaving) < b.limit {
		close(b.queue[0])
		b.queue = slices.Delete(b.queue, 0, 1)
		b.pending++
	}
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	if len(b.queue) == 0 {
		return
	}
	var next time.Time // zero: only an answer can make room
	if len(b.leaving) > 0 && b.pending+len(b.leaving) >= b.limit {
		next = b.leaving[0]
	}
	if b.shut.After(now) && b.shut.After(next) {
		next = b.shut
	}
	if !next.IsZero() {
		b.timer = time.AfterFunc(next.Sub(now), func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.admit(time.Now())
		})
	}
}

package webhook

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/journal"
)

// elbowRoom is how much has to fit into a journal for the door to call itself healthy: a large webhook.
const elbowRoom = 64 << 10

// Journalled accepts what is on disk, or delivered already.
type Journalled struct {
	journal   *journal.Journal
	maxBytes  int64
	recognise bool
	patience  time.Duration // how long a failed attempt makes it unhealthy

	born   time.Time
	failed atomic.Int64 // nanoseconds since born of the last attempt, when it failed; 0: it did not
}

// NewJournalled accepts into a journal of so many bytes. With recognise, what is pending there under the same key is
// not kept a second time: that is what is left of the deduper's memory after a restart.
func NewJournalled(j *journal.Journal, maxBytes int64, recognise bool, patience time.Duration) *Journalled {
	return &Journalled{journal: j, maxBytes: maxBytes, recognise: recognise, patience: patience, born: time.Now()}
}

// Accept returns when the delivery is on disk or delivered, or cannot be brought there in time.
func (a *Journalled) Accept(ctx context.Context, d *Delivery) error {
	if a.recognise && a.journal.Has(d.Key) {
		d.Settle(nil)
		return nil
	}
	err := a.journal.Append(ctx, journal.Entry{Lane: d.Lane, Key: d.Key, Accepted: d.Received, Body: d.Body, Note: &d.Frame})
	if err != nil {
		a.failed.Store(int64(max(1, time.Since(a.born))))
	} else if a.failed.Load() != 0 {
		a.failed.Store(0)
	}
	d.Settle(err)
	return err
}

// Healthy is false while there is no room, and for a while after an attempt that failed: a disk that is full shows in
// nothing else.
func (a *Journalled) Healthy() bool {
	if a.journal.Bytes()+elbowRoom > a.maxBytes {
		return false
	}
	failed := time.Duration(a.failed.Load())
	return failed == 0 || time.Since(a.born)-failed > a.patience
}

const (
	firstRetry   = time.Second
	longestRetry = time.Minute
)

// RetryAfter is how long an entry rests that has been refused so many times before: 1 s, doubling up to 1 min, each up
// to a fifth shorter so that what was refused together does not come back together.
func RetryAfter(refused int) time.Duration {
	wait := longestRetry
	if refused < 6 {
		wait = min(firstRetry<<refused, longestRetry)
	}
	return wait - rand.N(wait/5)
}

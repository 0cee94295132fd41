package output

import (
	"sync"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/callback"
)

// quietTries is how many tries may fail before a person should know. One that fails while a receiver restarts is
// nobody's business.
const quietTries = 2

// waitingEvery is how often it is worth a line that the receiver takes no callbacks: many messages wait for it at once.
const waitingEvery = time.Minute

// callbackWatch counts what the engine does, and says what a person should know.
type callbackWatch struct {
	attempts *service.MetricCounter
	latency  *service.MetricTimer
	log      *service.Logger

	mu     sync.Mutex
	said   time.Time // when the last line was written
	unsaid int       // tries that failed since
}

func newCallbackWatch(res *service.Resources) *callbackWatch {
	m := res.Metrics()
	w := &callbackWatch{
		attempts: m.NewCounter("pipedrive_callback_attempts_total", "result"),
		latency:  m.NewTimer("pipedrive_callback_latency_ns"),
		log:      res.Logger(),
	}
	// A counter that first appears with its first event never grew, for an alert that watches it.
	for _, r := range []callback.Result{callback.Done, callback.Limited, callback.Unavailable, callback.Unreachable, callback.Refused} {
		w.attempts.Incr(0, string(r))
	}
	return w
}

func (w *callbackWatch) Attempted(result callback.Result, took time.Duration) {
	w.attempts.Incr(1, string(result))
	w.latency.Timing(took.Nanoseconds())
}

// Waiting says that a try failed and another one will be made.
func (w *callbackWatch) Waiting(try int, wait time.Duration, err error) {
	w.log.Debugf("Try %d failed, the next is in %v: %v", try, wait, err)
	if try <= quietTries {
		return
	}
	w.mu.Lock()
	w.unsaid++
	n, due := w.unsaid, time.Since(w.said) >= waitingEvery
	if due {
		w.said, w.unsaid = time.Now(), 0
	}
	w.mu.Unlock()
	if due {
		w.log.Warnf("The receiver takes no callbacks, is it down? Failed tries since the last such line, beside the first %d of each message: %d. The newest was try %d, the next is in %v: %v",
			quietTries, n, try, wait, err)
	}
}

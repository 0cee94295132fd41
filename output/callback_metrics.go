package output

import (
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/callback"
)

// quietTries is how many tries may fail before a person should know. One that fails while a receiver restarts is
// nobody's business.
const quietTries = 2

// callbackWatch counts what the engine does, and says what a person should know.
type callbackWatch struct {
	attempts *service.MetricCounter
	latency  *service.MetricTimer
	log      *service.Logger
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

func (w *callbackWatch) Waiting(try int, wait time.Duration, err error) {
	say := w.log.Warnf
	if try <= quietTries {
		say = w.log.Debugf
	}
	say("Try %d failed, the next is in %v: %v", try, wait, err)
}

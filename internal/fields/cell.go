package fields

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// After a failure the next request waits, longer with each failure in a row.
const (
	firstRetry = 2 * time.Second
	lastRetry  = 5 * time.Minute
)

// patience is how long a request may take while there is an older answer.
const patience = 10 * time.Second

// answer is what came and when.
type answer[T any] struct {
	value T
	at    time.Time
}

// cell keeps the last answer to one question. However many want a newer one, one asks, in its own goroutine and context,
// and the others wait for it; when it goes away, the next one asks.
type cell[T any] struct {
	last atomic.Pointer[answer[T]] // nil: there is none yet

	mu       sync.Mutex
	asking   chan struct{} // closed when the request under way has ended; nil: there is none
	failures int           // in a row
	err      error         // of the last one
	retry    time.Time     // nobody asks before
}

// get returns the last answer, or a newer one if there is none or wants says so. An error means that there is none, or
// that ctx ended. failed hears of the first failure in a row if there is an older answer.
func (c *cell[T]) get(ctx context.Context, wants func(answer[T]) bool, failed func(error), request func(context.Context) (T, error)) (answer[T], error) {
	for {
		last := c.last.Load()
		if last != nil && !wants(*last) {
			return *last, nil
		}
		wait, err := c.turn(time.Now())
		switch {
		case err != nil && last != nil:
			return *last, nil
		case err != nil:
			return answer[T]{}, err
		case wait == nil:
			if err := c.ask(ctx, failed, request); err != nil {
				return answer[T]{}, err
			}
			continue
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return answer[T]{}, context.Cause(ctx)
		}
	}
}

// turn says whose turn it is: the caller's, when there is nothing to wait for, or nobody's for a while after a failure.
func (c *cell[T]) turn(now time.Time) (wait <-chan struct{}, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.asking != nil:
		return c.asking, nil
	case now.Before(c.retry):
		return nil, c.err
	}
	c.asking = make(chan struct{})
	return nil, nil
}

var errNoEnd = errors.New("the request came to no end")

// ask makes the request and keeps what came of it. Its own error is that of the caller's context, which says nothing
// about the request.
func (c *cell[T]) ask(ctx context.Context, failed func(error), request func(context.Context) (T, error)) error {
	var value T
	err := errNoEnd // unless it returns
	defer func() { c.settle(ctx, value, err, failed) }()
	within := ctx
	if c.last.Load() != nil {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	value, err = request(within)
	if ctx.Err() != nil && err != nil {
		return context.Cause(ctx)
	}
	return nil
}

func (c *cell[T]) settle(ctx context.Context, value T, err error, failed func(error)) {
	c.mu.Lock()
	now := time.Now()
	tell := false
	switch {
	case err == nil:
		c.last.Store(&answer[T]{value, now})
		c.failures, c.err, c.retry = 0, nil, time.Time{}
	case ctx.Err() == nil:
		c.failures++
		c.err, c.retry = err, now.Add(min(firstRetry<<min(c.failures-1, 16), lastRetry))
		tell = c.failures == 1 && c.last.Load() != nil && failed != nil
	}
	close(c.asking)
	c.asking = nil
	c.mu.Unlock()
	if tell {
		failed(err)
	}
}

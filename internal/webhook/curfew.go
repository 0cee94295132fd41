package webhook

import (
	"context"
	"sync"
	"time"
)

// curfew gives requests a context that ends when they must have their verdict. A context and a timer for each would cost
// as much as reading its frame, so all that come within a thirty-second part of the time share one, and the latest of
// them have so much less.
//
// It does not end with the request: what a client sent that hangs up is accepted all the same, and its retry
// recognised.
type curfew struct {
	after time.Duration

	mu     sync.Mutex
	ctx    context.Context //nolint:containedctx // shared by the requests of one moment
	cancel context.CancelFunc
	until  time.Time // new requests get another
}

// of returns the context of a request that began at a time.
func (c *curfew) of(began time.Time) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil || began.After(c.until) {
		c.until = began.Add(c.after / 32)
		c.ctx, c.cancel = context.WithDeadline(context.Background(), began.Add(c.after))
	}
	return c.ctx
}

// end ends the context that is left; those before it end by themselves.
func (c *curfew) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		c.cancel()
	}
}

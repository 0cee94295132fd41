package input

import (
	"context"
	"time"

	"github.com/Jeffail/shutdown"
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

const (
	lagEvery         = 5 * time.Second
	lastStoreTimeout = 5 * time.Second
	stopTimeout      = lastStoreTimeout + time.Second // a cache may not heed its context
)

// checkpoint stores positions as they move, outside of the acknowledgements, which must not wait for a cache.
type checkpoint struct {
	store   pollStore
	ledger  *cursor.Ledger
	books   books
	metrics *pollMetrics
	log     *service.Logger
	sig     *shutdown.Signaller

	lag     *time.Ticker
	backoff backoff
	booked  bool // the books are stored as they are
}

// books says what was spent of the budget.
type books struct {
	client  *pipedrive.Client
	account cursor.Account
}

func (b books) encode() ([]byte, error) {
	spend := b.client.Spend()
	return cursor.Books{Account: b.account, Spent: spend.Tokens, Resets: spend.Reset}.Encode()
}

func startCheckpoint(store pollStore, ledger *cursor.Ledger, books books, metrics *pollMetrics, log *service.Logger) *checkpoint {
	c := &checkpoint{store: store, ledger: ledger, books: books, metrics: metrics, log: log, sig: shutdown.NewSignaller(), lag: time.NewTicker(lagEvery), booked: true}
	go c.follow()
	return c
}

// stop stores a last time, gives the place back and waits for both.
func (c *checkpoint) stop() {
	c.sig.TriggerSoftStop()
	late := time.NewTimer(stopTimeout)
	defer late.Stop()
	select {
	case <-c.sig.HasStoppedChan():
	case <-late.C:
		c.log.Error("The cache of the checkpoint does not answer: stopping without a last store.")
	}
}

func (c *checkpoint) follow() {
	defer c.sig.TriggerHasStopped()
	defer c.store.release()
	ctx, done := c.sig.SoftStopCtx(context.Background())
	defer done()
	defer c.lag.Stop()
	for {
		select {
		case <-c.ledger.Moved():
			c.storeMoved(ctx)
		case <-c.lag.C:
			c.metrics.showLag(c.ledger)
		case <-c.sig.SoftStopChan():
			last, cancel := context.WithTimeout(context.Background(), lastStoreTimeout)
			defer cancel()
			if err := c.storeOnce(last); err != nil {
				c.log.Errorf("Storing the checkpoint before the stop: %v. What was delivered since it was last stored will be delivered again", err)
			}
			return
		}
	}
}

// storeMoved stores what moved, again and again until it is stored: until then no further pages are handed on than
// checkpoint_limit allows.
func (c *checkpoint) storeMoved(ctx context.Context) {
	for {
		err := c.storeOnce(ctx)
		if err == nil {
			if c.backoff.last > 0 {
				c.log.Info("The checkpoint is stored again")
			}
			c.backoff.reset()
			return
		}
		if ctx.Err() != nil {
			return
		}
		c.metrics.checkpointErrors.Incr(1)
		wait := c.backoff.next()
		c.log.Errorf("Storing the checkpoint, next try in %v; until then no more than checkpoint_limit pages of an object are handed on, and a restart would repeat them: %v", wait, err)
		if !c.wait(ctx, wait) {
			return
		}
	}
}

// wait goes on showing the lag, which grows while nothing can be stored.
func (c *checkpoint) wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return true
		case <-c.lag.C:
			c.metrics.showLag(c.ledger)
		case <-ctx.Done():
			return false
		}
	}
}

// storeOnce stores the positions that moved, and then the books.
func (c *checkpoint) storeOnce(ctx context.Context) error {
	moved, err := c.ledger.TakeUnstored()
	if err != nil {
		return err
	}
	for i, m := range moved {
		if err := c.store.save(ctx, c.store.positionKey(m.Object), m.Stored); err != nil {
			for _, rest := range moved[i:] {
				c.ledger.Requeue(rest.Object)
			}
			return err
		}
		m.Settle()
		c.booked = false
	}
	if c.booked {
		return nil
	}
	stored, err := c.books.encode()
	if err == nil {
		err = c.store.save(ctx, c.store.key, stored)
	}
	c.booked = err == nil
	return err
}

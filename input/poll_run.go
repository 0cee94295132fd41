package input

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
)

// pollRun is polling under way: the engine pushes pages, the ledger keeps their order, the checkpoint follows.
type pollRun struct {
	engine     *poll.Engine
	ledger     *cursor.Ledger
	checkpoint *checkpoint
	metrics    *pollMetrics
	log        *service.Logger
	batches    chan pollBatch
	labels     labels
}

type pollBatch struct {
	messages service.MessageBatch
	ack      service.AckFunc
}

func startPolling(ctx context.Context, c pollConfig, client *pipedrive.Client, res *service.Resources) (*pollRun, error) {
	me, err := client.Me(ctx)
	if err != nil {
		return nil, err
	}
	account := cursor.Account{Company: me.CompanyID, Host: me.Host}
	store, err := claimStore(c, res)
	if err != nil {
		return nil, err
	}
	sources, positions, err := loadSources(ctx, c, store, client, account, me.ServerTime, res.Logger())
	if err != nil {
		store.release()
		return nil, err
	}
	r := &pollRun{
		ledger:  cursor.NewLedger(c.limit, positions),
		metrics: newPollMetrics(res),
		log:     res.Logger(),
		batches: make(chan pollBatch),
		labels:  newLabels(account, c.instanceID),
	}
	r.checkpoint = startCheckpoint(store, r.ledger, books{client: client, account: account}, r.metrics, res.Logger())
	r.engine = poll.Start(poll.Config{
		Client:           client,
		Sources:          sources,
		HandOn:           r.handOn,
		Interval:         c.interval,
		FullReadInterval: c.fullReadInterval,
		Overlap:          c.overlap,
		CreatedTolerance: c.createdTolerance,
		PageSize:         c.pageSize,
		Owner:            fmt.Sprintf("%p", r),
		Log:              res.Logger(),
		Observer:         r.metrics,
	})
	return r, nil
}

// loadSources finds where each object was left, or where it begins.
func loadSources(
	ctx context.Context, c pollConfig, store pollStore, client *pipedrive.Client,
	account cursor.Account, serverTime time.Time, log *service.Logger,
) ([]poll.Source, map[string]*cursor.Position, error) {
	kept, err := store.loadBooks(ctx, account)
	if err != nil {
		return nil, nil, err
	}
	client.Restore(pipedrive.Spend{Reset: kept.Resets, Tokens: kept.Spent})
	if serverTime.IsZero() {
		serverTime = time.Now().UTC()
	}
	sources := make([]poll.Source, len(c.objects))
	positions := make(map[string]*cursor.Position, len(c.objects))
	for i, object := range c.objects {
		p, err := store.loadPosition(ctx, account, object.Name)
		if err != nil {
			return nil, nil, err
		}
		if p == nil {
			p = poll.NewPosition(account, object, c.startFrom, serverTime)
		} else if p.StartFrom != c.startFrom {
			log.Infof("start_from %q is ignored for %s: its checkpoint began with %q and goes on.", c.startFrom, object.Name, p.StartFrom)
		}
		sources[i] = poll.Source{Object: object, Position: p}
		positions[object.Name] = p
	}
	return sources, positions, nil
}

// handOn takes a page from the engine into flight and to the host.
func (r *pollRun) handOn(ctx context.Context, page poll.Page) error {
	keys := make([]cursor.RecordKey, len(page.Records))
	for i, rec := range page.Records {
		keys[i] = cursor.RecordKey{Kind: page.Object.Kind, ID: rec.ID}
	}
	resolve, err := r.ledger.Track(ctx, page.Object.Name, keys, page.Step)
	if err != nil {
		return err
	}
	if len(page.Records) == 0 {
		resolve()
		return nil
	}
	b := pollBatch{messages: r.labels.messages(page)}
	b.ack = func(_ context.Context, err error) error {
		r.countDropped(len(b.messages), err)
		resolve()
		return nil
	}
	select {
	case r.batches <- b:
		r.metrics.handedOn(page)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// countDropped counts what was refused for good: with auto_replay_nacks off, a refused record is dropped by the
// user's own choice and the cursor passes it.
func (r *pollRun) countDropped(batch int, err error) {
	if err == nil {
		return
	}
	dropped := batch
	var partly *service.BatchError
	if errors.As(err, &partly) && partly.IndexedErrors() > 0 {
		dropped = partly.IndexedErrors()
	}
	r.metrics.dropped.Incr(int64(dropped))
	r.log.Errorf("Dropping %d of %d records, because auto_replay_nacks is off and they were refused: %v", dropped, batch, err)
}

func (r *pollRun) stop() {
	r.engine.Stop()
	r.checkpoint.stop()
}

package input

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
	progress   *progress
	log        *service.Logger
	batches    chan pollBatch
	labels     labels
}

// pollBatch is a page on its way to the host, which makes messages of it while the engine reads the next.
type pollBatch struct {
	page     poll.Page
	received time.Time
	ack      service.AckFunc
}

func startPolling(ctx context.Context, c pollConfig, client *pipedrive.Client, res *service.Resources) (r *pollRun, err error) {
	store, err := claimStore(c, res)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			store.release()
		}
	}()
	// What is stored is read before Pipedrive is asked: a checkpoint that cannot be used costs no tokens, however often
	// it is tried.
	kept, err := store.load(ctx, c.objects)
	if err != nil {
		return nil, err
	}
	me, err := client.Me(ctx)
	if err != nil {
		return nil, err
	}
	account := cursor.Account{Company: me.CompanyID, Host: me.Host}
	if err := kept.belongs(store, account); err != nil {
		return nil, err
	}
	client.Restore(pipedrive.Spend{Reset: kept.books.Resets, Tokens: kept.books.Spent})
	sources, positions, err := begin(c, kept, account, me.ServerTime, res.Logger())
	if err != nil {
		return nil, err
	}
	r = &pollRun{
		ledger:  cursor.NewLedger(c.limit, positions),
		metrics: newPollMetrics(res),
		log:     res.Logger(),
		batches: make(chan pollBatch),
		labels:  newLabels(account, c.instanceID),
	}
	r.metrics.beginAtZero(c.objects)
	r.checkpoint = startCheckpoint(store, r.ledger, books{client: client, account: account}, r.metrics, res.Logger())
	r.progress = newProgress(c.objects, r.metrics, r.log)
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
		Observer: struct {
			*pollMetrics
			*progress
		}{r.metrics, r.progress},
	})
	return r, nil
}

// begin finds where each object was left, or where it begins.
func begin(
	c pollConfig, kept kept, account cursor.Account, serverTime time.Time, log *service.Logger,
) ([]poll.Source, map[string]*cursor.Position, error) {
	if serverTime.IsZero() {
		serverTime = time.Now().UTC()
	}
	sources := make([]poll.Source, len(c.objects))
	positions := make(map[string]*cursor.Position, len(c.objects))
	var fresh, elsewhere, further []string
	for i, object := range c.objects {
		p := kept.positions[object.Name]
		switch {
		case p == nil:
			if err := poll.CheckPast(c.startFrom, serverTime); err != nil {
				return nil, nil, err
			}
			p = poll.NewPosition(account, object, c.startFrom, serverTime)
			fresh = append(fresh, object.Name)
		case p.StartFrom != c.startFrom:
			elsewhere = append(elsewhere, object.Name)
			fallthrough
		default:
			further = append(further, object.Name+" "+p.Whence())
		}
		p.Account = account // the host may have been renamed
		sources[i] = poll.Source{Object: object, Position: p}
		positions[object.Name] = p
	}
	if len(further) > 0 {
		log.Infof("Reading goes on where the checkpoint ends: %s.", strings.Join(further, ", "))
	}
	if len(elsewhere) > 0 {
		log.Infof("start_from %q is ignored for %s: the checkpoint began elsewhere and goes on.", c.startFrom, strings.Join(elsewhere, ", "))
	}
	if len(fresh) > 0 && kept.books.Company != "" { // a cache may have lost them, too
		log.Infof("There is no checkpoint of %s yet: reading begins at start_from (%s).", strings.Join(fresh, ", "), c.startFrom)
	}
	return sources, positions, nil
}

// handOn takes a page from the engine into flight and to the host.
func (r *pollRun) handOn(ctx context.Context, page poll.Page) error {
	if len(page.Records) == 0 {
		r.ledger.Pass(page.Object.Name, page.Step)
		return nil
	}
	keys := make([]cursor.RecordKey, len(page.Records))
	for i, rec := range page.Records {
		keys[i] = cursor.RecordKey{Kind: page.Object.Kind, ID: rec.ID}
	}
	resolve, err := r.ledger.Track(ctx, page.Object.Name, keys, page.Step)
	if err != nil {
		return err
	}
	ack := func(_ context.Context, err error) error {
		r.countDropped(len(page.Records), err)
		resolve()
		return nil
	}
	select {
	case r.batches <- pollBatch{page, time.Now(), ack}:
		r.metrics.handedOn(page)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *pollRun) messages(b pollBatch) (service.MessageBatch, service.AckFunc, error) {
	return r.labels.messages(b.page, b.received), b.ack, nil
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
	r.progress.close()
	r.checkpoint.stop()
}

package input

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/journal"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/listen"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

const (
	// closeLimit is how long the answers to what was under way may take. Each is decided at once: this is for clients
	// that do not read theirs.
	closeLimit = 5 * time.Second
	// showInterval is how often the metrics are brought up to date.
	showInterval = time.Second
)

// listenersKey finds the listeners that the inputs of one process share among the host's generic resources.
type listenersKey struct{}

func listeners(res *service.Resources) *listen.Registry {
	r, _ := res.GetOrSetGeneric(listenersKey{}, listen.NewRegistry())
	return r.(*listen.Registry)
}

// webhookRun is an open door: from a Connect that succeeds to Close, or until the listener has died.
type webhookRun struct {
	source        webhookSource
	journal       *journal.Journal // nil: none
	handler       *webhook.Handler
	mount         *listen.Mount
	subscriptions *webhook.Subscriptions // nil: no registration
	metrics       *webhookMetrics
	log           *service.Logger

	ctx    context.Context //nolint:containedctx // ends with the run
	end    context.CancelCauseFunc
	owned  sync.WaitGroup
	stopAt sync.Once
}

// openDoor opens the journal, then the listener, then looks after the subscriptions: Pipedrive tries the URL when a
// webhook is made.
func openDoor(ctx context.Context, c webhookConfig, client *pipedrive.Client, res *service.Resources, metrics *webhookMetrics) (_ *webhookRun, err error) {
	r := &webhookRun{metrics: metrics, log: res.Logger()}
	r.ctx, r.end = context.WithCancelCause(context.Background())
	defer func() {
		if err != nil {
			r.stop()
		}
	}()
	h := c.handler
	h.Observer, h.Log = metrics, res.Logger()
	if h.Deduper, err = c.newDeduper(res); err != nil {
		return nil, err
	}
	if h.Acceptor, err = r.openSource(c); err != nil {
		return nil, err
	}
	if c.registration != nil {
		s := c.registration.subscription
		s.Client, s.Log, s.Observer = client, res.Logger(), metrics
		r.subscriptions = webhook.NewSubscriptions(s)
		h.Caretaker = r.subscriptions
	}
	r.handler = webhook.NewHandler(h)
	l := c.listen
	l.OnError = func(err error) { r.log.Warnf("%v", err) }
	if r.mount, err = listeners(res).Mount(ctx, l, h.Path, r.handler); err != nil {
		return nil, err
	}
	if c.healthPath != "" {
		if err = r.mount.Health(c.healthPath, r.handler.Healthy); err != nil {
			return nil, err
		}
	}
	r.owned.Go(r.watch)
	r.owned.Go(r.show)
	if r.subscriptions != nil {
		r.subscriptions.Start()
	}
	return r, nil
}

func (c webhookConfig) newDeduper(res *service.Resources) (*webhook.Deduper, error) {
	if !c.dedupe.enabled {
		return nil, nil
	}
	var store webhook.Store
	if c.dedupe.cache != "" {
		if !res.HasCache(c.dedupe.cache) {
			return nil, noDedupeCache(c.dedupe.cache)
		}
		store = webhookKeys{res: res, cache: c.dedupe.cache, path: c.handler.Path}
	}
	return webhook.NewDeduper(store, c.handler.ResponseTimeout+webhook.ClaimLinger, c.dedupe.window, res.Logger()), nil
}

func noDedupeCache(label string) error {
	return fmt.Errorf("%s.%s: there is no cache resource with the label %q; add one under cache_resources", pwFieldDedupe, pwFieldCache, label)
}

// openSource makes what accepts deliveries, and hands them on as the run's source.
func (r *webhookRun) openSource(c webhookConfig) (webhook.Acceptor, error) {
	messages := webhookMessages{instanceID: c.instanceID}
	if c.journal.path == "" {
		hall := webhook.NewHall(r.ctx.Done())
		r.source = &hallSource{hall: hall, most: c.handler.MaxInFlight, messages: messages}
		return hall, nil
	}
	j, err := journal.Open(journal.Options{Path: c.journal.path, MaxBytes: c.journal.maxBytes})
	if err != nil {
		return nil, err
	}
	if n := j.Pending(); n > 0 {
		r.log.Infof("The journal holds %d webhooks that wait for their delivery", n)
	}
	r.source = &journalSource{
		run: r.ctx, journal: j, flight: newFlight(c.handler.MaxInFlight), maxAttempts: c.journal.maxAttempts, messages: messages,
	}
	r.journal = j
	return webhook.NewJournalled(j, c.journal.maxBytes, c.dedupe.enabled, c.handler.ResponseTimeout), nil
}

// show keeps the metrics up to date.
func (r *webhookRun) show() {
	tick := time.NewTicker(showInterval)
	defer tick.Stop()
	for {
		r.metrics.showAnswers()
		if r.journal != nil {
			r.metrics.showJournal(r.journal)
		}
		select {
		case <-tick.C:
		case <-r.ctx.Done():
			return
		}
	}
}

// watch ends the run when its listener dies.
func (r *webhookRun) watch() {
	select {
	case err := <-r.mount.Err():
		r.end(err)
	case <-r.ctx.Done():
	}
}

// errStopped is why a run ended that was stopped.
var errStopped = errors.New("the input is closed")

// stop refuses what waits, answers every request that is under way and gives back what was opened. It is safe to call
// twice.
func (r *webhookRun) stop() {
	r.stopAt.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
		defer cancel()
		if r.subscriptions != nil {
			r.subscriptions.Stop(ctx) // while Pipedrive's last deliveries are still answered
		}
		r.end(errStopped)
		r.owned.Wait()
		if r.source != nil {
			if err := r.source.close(); err != nil {
				r.log.Errorf("Closing the door: %v", err)
			}
		}
		if r.mount != nil {
			ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
			defer cancel()
			if err := r.mount.Close(ctx); err != nil {
				r.log.Warnf("%v", err)
			}
			r.handler.Close()
		}
		r.metrics.showAnswers()
	})
}

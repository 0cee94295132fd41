package input

import (
	"context"
	"errors"
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/boltcache"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/checkup"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

// InspectPoll reads the configuration of a pipedrive_poll, in YAML and without its name, for the command `check`. It
// starts nothing; the client has to be closed.
func InspectPoll(where checkup.Where, yaml string, res *service.Resources) (p checkup.Poll, err error) {
	conf, err := pollSpec().ParseYAML(yaml, nil)
	if err != nil {
		return p, err
	}
	c, err := parsePollConfig(conf)
	if err != nil {
		return p, err
	}
	p = checkup.Poll{
		Objects:          c.objects,
		Interval:         c.interval,
		FullReadInterval: c.fullReadInterval,
		StartFrom:        c.startFrom,
		Cache:            c.cache,
	}
	store := pollStore{res: res, cache: c.cache, key: c.key}
	p.Load = func(ctx context.Context, account *cursor.Account) (checkup.Checkpoint, error) {
		kept, err := store.load(ctx, c.objects)
		if err == nil && account != nil {
			err = kept.belongs(store, *account)
		}
		return checkup.Checkpoint{Books: kept.books, Positions: kept.positions}, err
	}
	p.Reader, err = c.connection.Inspect(where, res)
	return p, err
}

// InspectWebhook does the same for a pipedrive_webhook; the client is that of its registration, if it has one.
func InspectWebhook(where checkup.Where, yaml string, res *service.Resources) (d checkup.Door, err error) {
	conf, err := webhookSpec().ParseYAML(yaml, nil)
	if err != nil {
		return d, err
	}
	c, err := parseWebhookConfig(conf)
	if err != nil {
		return d, err
	}
	d = checkup.Door{Where: where, Journal: c.journal.path}
	if c.dedupe.enabled {
		d.Cache = c.dedupe.cache
	}
	if c.registration == nil {
		return d, nil
	}
	reg := &checkup.Registration{Subscription: c.registration.subscription}
	if reg.Reader, err = c.registration.connection.Inspect(where, res); err != nil {
		return d, fmt.Errorf("%s.%w", pwFieldRegistration, err)
	}
	reg.Subscription.Client = reg.Client
	d.Registration = reg
	return d, nil
}

// ProbeCache writes to a cache resource for the command `check`.
func ProbeCache(ctx context.Context, label string, res *service.Resources) error {
	if !res.HasCache(label) {
		return fmt.Errorf("%w %q", checkup.ErrNoCache, label)
	}
	err := spec.ProbeCache(ctx, res, label)
	if errors.Is(err, boltcache.ErrHeld) {
		return fmt.Errorf("%w: %w", checkup.ErrHeld, err)
	}
	return err
}

package input

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/journal"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// webhookSource is where the host's batches come from and their verdicts go.
type webhookSource interface {
	// next waits until there is something and gives all there is, up to max_in_flight; or until the context ends or the run.
	next(ctx context.Context) (service.MessageBatch, service.AckFunc, error)
	// close settles what has no verdict yet: the host will give none.
	close() error
}

// hallSource hands on requests that wait for their answer.
type hallSource struct {
	hall     *webhook.Hall
	most     int
	messages webhookMessages
}

func (s *hallSource) next(ctx context.Context) (service.MessageBatch, service.AckFunc, error) {
	deliveries, err := s.hall.Next(ctx, s.most)
	if err != nil {
		return nil, nil, err
	}
	batch := make(service.MessageBatch, len(deliveries))
	for i, d := range deliveries {
		batch[i] = s.messages.message(&d.Frame, d.Body, d.Received)
	}
	index := indexOf(batch)
	return batch, func(_ context.Context, err error) error {
		each := verdictsOf(index, err)
		for i, d := range deliveries {
			s.hall.Verdict(d, each.on(i))
		}
		return nil
	}, nil
}

func (s *hallSource) close() error {
	s.hall.Close()
	return nil
}

// indexOf marks the messages of a batch, so that verdicts can tell them apart. One alone needs no mark.
func indexOf(batch service.MessageBatch) *service.Indexer {
	if len(batch) == 1 {
		return nil
	}
	return batch.Index()
}

const (
	// mostInBatch bounds the bytes of one batch from the journal.
	mostInBatch = 16 << 20
	// removalLimit is how long an acknowledgement may wait for the disk. The removal itself is not given up.
	removalLimit = 5 * time.Second
)

// journalSource hands on what is in the journal, until it is acknowledged.
type journalSource struct {
	run         context.Context //nolint:containedctx // of the source
	journal     *journal.Journal
	flight      *flight
	maxAttempts int // 0: no message is flagged
	messages    webhookMessages

	waiting []journal.Delivery // for which there was room, and which do not go into the batch before them
}

func (s *journalSource) next(ctx context.Context) (service.MessageBatch, service.AckFunc, error) {
	if len(s.waiting) == 0 {
		if err := s.wait(ctx); err != nil {
			return nil, nil, err
		}
	}
	deliveries := s.together()
	batch := make(service.MessageBatch, len(deliveries))
	size := int64(0)
	for i := range deliveries {
		batch[i] = s.message(&deliveries[i])
		size += int64(len(deliveries[i].Body))
	}
	landed := s.flight.take(len(deliveries), size)
	index := indexOf(batch)
	return batch, func(ctx context.Context, err error) error {
		defer landed()
		return s.judge(ctx, deliveries, verdictsOf(index, err))
	}, nil
}

func (s *journalSource) wait(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.run, cancel)()
	entries, size, err := s.flight.room(ctx)
	if err != nil {
		return err
	}
	s.waiting, err = s.journal.NextBatch(ctx, entries, min(size, mostInBatch))
	return err
}

// together takes what waits up to one that goes on flagged as failed, and such a one alone: with strict error handling the
// host has a whole batch skip its processors when the first message of it is flagged.
func (s *journalSource) together() []journal.Delivery {
	n := slices.IndexFunc(s.waiting, s.refusedTooOften)
	if n < 0 {
		n = len(s.waiting)
	}
	taken := s.waiting[:max(n, 1)]
	s.waiting = s.waiting[len(taken):]
	return taken
}

func (s *journalSource) refusedTooOften(d journal.Delivery) bool {
	return s.maxAttempts > 0 && d.Refused >= s.maxAttempts
}

func (s *journalSource) message(d *journal.Delivery) *service.Message {
	f, known := d.Note.(*webhook.Frame)
	var err error
	if !known {
		// What cannot be read any more was accepted by another version of this program, and is not withheld.
		var read webhook.Frame
		read, err = webhook.Parse(d.Body)
		f = &read
	}
	m := s.messages.message(f, d.Body, d.Accepted)
	if d.Refused > 0 {
		m.MetaSetMut(spec.MetaRefusals, strconv.Itoa(d.Refused))
	}
	switch {
	case err != nil:
		m.SetError(fmt.Errorf("reading a webhook from the journal: %w", err))
	case s.refusedTooOften(*d):
		m.SetError(fmt.Errorf("the output has refused it %d times", d.Refused))
	}
	return m
}

// judge removes what was delivered; the rest comes again.
func (s *journalSource) judge(ctx context.Context, deliveries []journal.Delivery, each verdicts) error {
	done := make([]journal.Delivery, 0, len(deliveries))
	for i, d := range deliveries {
		if each.on(i) == nil {
			done = append(done, d)
		} else {
			s.journal.Later(webhook.RetryAfter(d.Refused), d)
		}
	}
	if len(done) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, removalLimit)
	defer cancel()
	return s.journal.Done(ctx, done...)
}

func (s *journalSource) close() error { return s.journal.Close() }

// Package output is the door on the way out: pipedrive_callback posts events to somebody's application.
package output

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/Jeffail/shutdown"
	"github.com/redpanda-data/benthos/v4/public/service"
	"golang.org/x/sync/semaphore"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/callback"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

func init() {
	service.MustRegisterBatchOutput("pipedrive_callback", callbackSpec(),
		func(conf *service.ParsedConfig, res *service.Resources) (service.BatchOutput, service.BatchPolicy, int, error) {
			out, err := newCallbackOutput(conf, res)
			if err != nil {
				return nil, service.BatchPolicy{}, 0, err
			}
			return out, out.conf.batching, out.conf.maxInFlight, nil
		})
}

// callbackOutput is the door of the callback engine: it takes batches apart and puts the verdicts together.
type callbackOutput struct {
	conf   callbackConfig
	client *callback.Client
	slots  *semaphore.Weighted // one for each request that may be under way
	sig    *shutdown.Signaller
}

func newCallbackOutput(conf *service.ParsedConfig, res *service.Resources) (*callbackOutput, error) {
	c, err := parseCallbackConfig(conf)
	if err != nil {
		return nil, err
	}
	client, err := c.newClient(res)
	if err != nil {
		return nil, err
	}
	if replayedForEver(res.Path()) {
		res.Logger().Warn("This output is not inside a fallback: a message that the receiver refuses for good is replayed for ever, and holds back what comes behind it. Put it first in a fallback with a dead-letter output behind it.")
	}
	return &callbackOutput{
		conf:   c,
		client: client,
		slots:  semaphore.NewWeighted(int64(c.maxInFlight)),
		sig:    shutdown.NewSignaller(),
	}, nil
}

// replayedForEver tells from the place of an output whether the host replays what it refuses. Of a resource nobody knows
// where it is used.
func replayedForEver(path []string) bool {
	return len(path) > 0 && path[0] == "output" &&
		!slices.Contains(path, "fallback") && !slices.Contains(path, "drop_on")
}

// Connect connects nothing: every request finds its own way.
func (c *callbackOutput) Connect(context.Context) error {
	if c.sig.IsSoftStopSignalled() {
		return service.ErrEndOfInput
	}
	return nil
}

// WriteBatch posts every message of a batch and waits for all verdicts. It holds a slot for as long as a message is
// under way, waiting for its retry included: a receiver that is down is asked by max_in_flight messages, not by all.
func (c *callbackOutput) WriteBatch(ctx context.Context, batch service.MessageBatch) error {
	ctx, done := c.sig.SoftStopCtx(ctx)
	defer done()
	errs := make([]error, len(batch))
	// All messages are read before any is posted: reading one may read others of its batch.
	posts := make([]callback.Message, len(batch))
	for i := range batch {
		posts[i], errs[i] = c.conf.message(batch, i)
	}
	lanes, begun := c.lanes(batch, errs), 0
	var posting sync.WaitGroup
	for _, lane := range lanes {
		if c.slots.Acquire(ctx, 1) != nil {
			break
		}
		begun++
		posting.Go(func() {
			defer c.slots.Release(1)
			for _, p := range parcels(batch, posts, lane) {
				err := c.client.Deliver(ctx, p.post)
				for _, i := range p.indexes {
					errs[i] = err
				}
			}
		})
	}
	posting.Wait()
	err := verdict(batch, errs)
	if ctx.Err() != nil && (err != nil || begun < len(lanes)) {
		// The host's word for "closed": nothing is acknowledged, and nothing goes to a dead-letter output.
		return service.ErrEndOfInput
	}
	return err
}

// lanes parts a batch into messages that go one after another, by their indexes: those of one record, those that may
// share a notification, and those that name no record. With one slot all do. Those that have failed are left out.
func (c *callbackOutput) lanes(batch service.MessageBatch, errs []error) [][]int {
	var lanes [][]int
	known := map[string]int{}
	for i, m := range batch {
		if errs[i] != nil {
			continue
		}
		name := laneOf(m)
		if c.conf.maxInFlight == 1 {
			name = ""
		}
		lane, is := known[name]
		if !is {
			lane = len(lanes)
			known[name] = lane
			lanes = append(lanes, nil)
		}
		lanes[lane] = append(lanes[lane], i)
	}
	return lanes
}

func laneOf(m *service.Message) string {
	if togetherOf(m) > 1 {
		return kindOf(m)
	}
	id, _ := m.MetaGet(spec.MetaID)
	if id == "" {
		return ""
	}
	return kindOf(m) + "/" + id
}

// verdict makes one error of those of a batch, so that only the messages that failed are sent on.
func verdict(batch service.MessageBatch, errs []error) error {
	failed := 0
	var first error
	for _, err := range errs {
		if err == nil {
			continue
		}
		if failed++; first == nil {
			first = err
		}
	}
	if failed == 0 || len(batch) == 1 {
		return first
	}
	all := service.NewBatchError(batch, fmt.Errorf("%d of %d messages, the first: %w", failed, len(batch), first))
	for i, err := range errs {
		if err != nil {
			all.Failed(i, err)
		}
	}
	return all
}

// Close ends what is under way. It may be called while the others run, twice, and before Connect.
func (c *callbackOutput) Close(context.Context) error {
	c.sig.TriggerSoftStop()
	c.client.Close()
	return nil
}

// ConnectionTest asks for the head of the URL. Any answer will do: nothing is posted.
func (c *callbackOutput) ConnectionTest(ctx context.Context) service.ConnectionTestResults {
	header, _ := c.conf.known()
	if _, err := c.client.Probe(ctx, header); err != nil {
		return service.ConnectionTestFailed(err).AsList()
	}
	return service.ConnectionTestSucceeded().AsList()
}

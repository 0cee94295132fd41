// Package input registers the inputs of benthos-pipedrive. Import it for its side effects; the `bolt` cache comes
// along.
package input

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/Jeffail/shutdown"
	"github.com/redpanda-data/benthos/v4/public/service"

	_ "github.com/benthos-pipedrive/benthos-pipedrive/internal/boltcache"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

func init() {
	service.MustRegisterBatchInput("pipedrive_poll", pollSpec(),
		func(conf *service.ParsedConfig, res *service.Resources) (service.BatchInput, error) {
			in, err := newPollInput(conf, res)
			if err != nil {
				return nil, err
			}
			return service.AutoRetryNacksBatchedToggled(conf, traced("pipedrive_poll", in, res))
		})
}

func pollSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Beta().
		Version("0.1.0").
		Categories("Services").
		Summary("Reads every change of Pipedrive's deals, persons, organizations and other objects, by polling its API.").
		Description(pollDescription).
		Fields(pollFields()...).
		Example("Every change, from the beginning", "Prints every deal, person and organization, then every change of one; goes on where it stopped.", `
input:
  label: crm
  pipedrive_poll:
    api_token: ${PIPEDRIVE_API_TOKEN}
    checkpoint_cache: state

output:
  stdout: {}

cache_resources:
  - label: state
    bolt:
      path: ./state/benthos-pipedrive.db
`).
		Example("From now on, with an app's credential", "Reads what changes from the first start on, as an installed app.", `
input:
  pipedrive_poll:
    oauth2:
      client_id: ${PIPEDRIVE_CLIENT_ID}
      client_secret: ${PIPEDRIVE_CLIENT_SECRET}
      refresh_token: ${PIPEDRIVE_REFRESH_TOKEN}
      token_cache: state
    objects: [ deals, deals_archived, leads, activities ]
    start_from: now
    checkpoint_cache: state

cache_resources:
  - label: state
    bolt:
      path: ./state/benthos-pipedrive.db
`)
}

const pollDescription = `
Delivery is at least once, in the order of each record's changes. The checkpoint moves only past pages that the output has acknowledged, so a crash at any moment loses nothing and repeats at most the pages in flight; an orderly stop and start repeats nothing.

Each record is one message, in the very bytes that Pipedrive sent; each page is one batch.

### What is read

On the first walk every record comes once, with action ` + "`snapshot`" + `; while it goes on a line in the log every 10 seconds tells how far it is. Then every ` + "`interval`" + ` each object is asked for what changed. Lists without a time filter are read every ` + "`full_read_interval`" + ` and compared with the last reading; there a record that vanishes is reported as ` + "`deleted`" + ` with the body ` + "`{\"id\": …}`" + `. Pipedrive's lists show deletions of deals, but not of persons, organizations, products, activities, leads and notes: these come by webhook only.

### When it cannot read

Each kind of refusal has its own treatment, and none is asked again in a hot loop. A burst limit is waited for. When the daily budget is spent, nothing is asked until Pipedrive says so, or every ` + "`budget_probe_interval`" + `. An object that the credential may not read is one warning, and the others go on. While nothing can be read the input is not connected: ` + "`/ready`" + ` answers 503, and Pipedrive is asked again after 2 seconds at first, 30 at most.

### Metadata

` + "```text" + `
- pipedrive_via         always "poll"
- pipedrive_schema      rest_v1 or rest_v2: the shape of the record
- pipedrive_object      deal, person, organization, activity, …
- pipedrive_id          the record's id
- pipedrive_action      created, updated, deleted or snapshot
- pipedrive_time        when it changed: its update_time, else its add_time (RFC 3339, UTC)
- pipedrive_company_id  the company the record belongs to
- pipedrive_host        that company's host, like acme.pipedrive.com
- pipedrive_received_at when it was received (RFC 3339, UTC); only of a record that changed so lately that it may
                        change again in the same second
- pipedrive_instance_id only when instance_id is set
` + "```" + `
`

// pollInput is the door of the polling engine: it gives the host batches, and takes its acknowledgements to the
// ledger.
type pollInput struct {
	conf   pollConfig
	res    *service.Resources
	client *pipedrive.Client

	mu      sync.Mutex
	run     *pollRun // from the first Connect that succeeds until Close
	backoff backoff
	sig     *shutdown.Signaller
}

func newPollInput(conf *service.ParsedConfig, res *service.Resources) (*pollInput, error) {
	c, err := parsePollConfig(conf)
	if err != nil {
		return nil, err
	}
	client, err := c.connection.NewClient(res)
	if err != nil {
		return nil, err
	}
	if c.cache == "" {
		res.Logger().Warn("No checkpoint_cache is set: how far each object has been read is kept in memory, and every start begins at start_from again.")
	}
	return &pollInput{conf: c, res: res, client: client, sig: shutdown.NewSignaller()}, nil
}

// Connect asks who the credential is and loads the checkpoint; when polling has begun and the source was lost, it asks
// whether the source is back.
func (p *pollInput) Connect(ctx context.Context) error {
	ctx, done := p.sig.SoftStopCtx(ctx)
	defer done()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sig.IsSoftStopSignalled() {
		return service.ErrEndOfInput
	}
	var err error
	if p.run != nil {
		if err = p.run.engine.Revive(ctx); err == nil {
			p.res.Logger().Info("Pipedrive can be read again")
		}
	} else {
		p.run, err = startPolling(ctx, p.conf, p.client, p.res)
	}
	if err != nil {
		return p.later(ctx, err)
	}
	p.backoff.reset()
	return nil
}

// later tells the host when to connect again.
func (p *pollInput) later(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	wait := p.backoff.next()
	var l *pipedrive.LaterError
	if errors.As(err, &l) {
		wait = max(wait, min(l.After, p.conf.connection.ProbeInterval))
	}
	return service.NewErrBackOff(pipedrive.WithRemedy(err), wait)
}

// ReadBatch gives the next page.
func (p *pollInput) ReadBatch(ctx context.Context) (service.MessageBatch, service.AckFunc, error) {
	p.mu.Lock()
	run := p.run
	p.mu.Unlock()
	if run == nil {
		return nil, nil, service.ErrNotConnected
	}
	select {
	case b := <-run.batches:
		return run.messages(b)
	default:
	}
	select {
	case b := <-run.batches:
		return run.messages(b)
	case <-run.engine.Down():
		p.res.Logger().Errorf("Pipedrive cannot be read. Nothing is handed on until it can, and it is asked again with growing pauses: %v", pipedrive.WithRemedy(run.engine.Reason()))
		return nil, nil, service.ErrNotConnected
	case <-p.sig.SoftStopChan():
		return nil, nil, service.ErrEndOfInput
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// Close stops the walks, stores the checkpoint a last time and gives back what is shared. It may be called while the
// others run, twice, and before Connect.
func (p *pollInput) Close(context.Context) error {
	p.sig.TriggerSoftStop()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run != nil {
		p.run.stop()
		p.run = nil
	}
	p.client.Close()
	return nil
}

// ConnectionTest asks who the credential is, and whether the cache is there.
func (p *pollInput) ConnectionTest(ctx context.Context) service.ConnectionTestResults {
	if _, err := p.client.Me(ctx); err != nil {
		return service.ConnectionTestFailed(err).AsList()
	}
	if p.conf.cache != "" && !p.res.HasCache(p.conf.cache) {
		return service.ConnectionTestFailed(noCache(p.conf.cache)).AsList()
	}
	return service.ConnectionTestSucceeded().AsList()
}

func noCache(label string) error {
	return fmt.Errorf("%s: there is no cache resource with the label %q; add one under cache_resources", ppFieldCheckpointCache, label)
}

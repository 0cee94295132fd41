package input

import (
	"context"
	"sync"

	"github.com/Jeffail/shutdown"
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/journal"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

func init() {
	service.MustRegisterBatchInput("pipedrive_webhook", webhookSpec(),
		func(conf *service.ParsedConfig, res *service.Resources) (service.BatchInput, error) {
			in, err := newWebhookInput(conf, res)
			if err != nil {
				return nil, err
			}
			return traced("pipedrive_webhook", in, res), nil
		})
}

func webhookSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Beta().
		Version("0.2.0").
		Categories("Services").
		Summary("Receives Pipedrive's webhooks, answers 200 only for what is safe, and keeps the subscriptions in order.").
		Description(webhookDescription).
		Fields(webhookFields()...).
		Example("Safe before the answer", "Takes every webhook, keeps in a journal what the output does not have yet, and looks after the subscription in Pipedrive.", `
input:
  label: hooks
  pipedrive_webhook:
    address: 0.0.0.0:8080
    path: /events/pipedrive
    credentials:
      - { username: hook, password: "${HOOK_PASSWORD}" }
    journal:
      path: ./state/webhooks.db
    registration:
      enabled: true
      public_url: https://hooks.example.com
      api_token: ${PIPEDRIVE_API_TOKEN}

output:
  stdout: {}
`).
		Example("Several replicas behind a proxy", "Webhooks that were registered by hand, under the path that Cloud Elements gave instance 20931. The replicas recognise each other's duplicates through Redis.", `
input:
  pipedrive_webhook:
    address: 0.0.0.0:8080
    path: /events/pipedrive
    instance_id: "20931"
    credentials:
      - { username: hook, password: "${HOOK_PASSWORD}" }
      - { username: hook, password: "${OLD_HOOK_PASSWORD}" }
    allowed_ips: [ 10.0.0.0/8 ]
    trusted_proxies: [ 10.0.0.0/8 ]
    dedupe:
      cache: seen

output:
  stdout: {}

cache_resources:
  - label: seen
    memory: {} # in production: redis
`)
}

const webhookDescription = `
What was answered 200 is not lost: with a ` + "`journal`" + ` it is on disk by then unless the output has it already, and is delivered from there however long the output is down; without one the answer waits until the output has acknowledged the message. Delivery is at least once, and the webhooks of one record leave in the order in which they were accepted.

Each webhook is one message, in the very bytes that Pipedrive sent; those that wait at one moment are one batch. A message that is refused does not fail the others of its batch.

### Answers

In this order: 404 another path, 403 an address that is not allowed, 401 wrong or missing credentials (before the body is read), 405 not a POST, 415 not JSON, 413 too large, 400 not a webhook of Pipedrive, 200 accepted or accepted before, 503 cannot be accepted now. They have no text: what went wrong is in the log, at most once a minute for each kind, and in the metric ` + "`pipedrive_webhook_requests_total{result}`" + `. Objects and actions that nobody knows yet are accepted.

### What a refusal costs

Pipedrive tries again after 3, 30 and 150 seconds, then drops the event. Ten events whose first try is refused ban the webhook: for 30 minutes nothing is sent or kept. After three days without a success the webhook is deleted. So an output that may be down for more than seconds needs the ` + "`journal`" + `; ` + "`registration`" + ` makes anew what was banned or deleted; and a ` + "`pipedrive_poll`" + ` beside it heals what was lost all the same.

### Metadata

` + "```text" + `
- pipedrive_via             always "webhook"
- pipedrive_schema          webhook_v1 or webhook_v2: the shape of the body
- pipedrive_object          deal, person, organization, activity, …
- pipedrive_id              the record's id
- pipedrive_action          created, updated or deleted
- pipedrive_time            when it changed: the record's update_time, else its add_time; for a deletion the moment of it (RFC 3339, UTC)
- pipedrive_company_id      the company the record belongs to
- pipedrive_host            that company's host, like acme.pipedrive.com
- pipedrive_instance_id     only when instance_id is set
- pipedrive_event_id        Pipedrive's id of the event
- pipedrive_correlation_id  what Pipedrive's support asks for
- pipedrive_webhook_id      the subscription it came through
- pipedrive_attempt         1 to 4
- pipedrive_user_id         who made the change
- pipedrive_change_source   app or api
- pipedrive_bulk            true when it was one of a bulk edit
- pipedrive_received_at     when it was received (RFC 3339, UTC)
- pipedrive_refusals        how often the output has refused it; with a journal, and only when it has
` + "```" + `

What a webhook does not say is absent. Nothing of the request besides its body becomes metadata.
`

// webhookInput is the door of the webhook engine: it gives the host what was received, and takes its verdicts back to
// where they are waited for.
type webhookInput struct {
	conf    webhookConfig
	res     *service.Resources
	client  *pipedrive.Client // nil: no registration
	metrics *webhookMetrics

	mu      sync.Mutex
	run     *webhookRun // from the first Connect that succeeds until Close
	died    bool        // it was open, and is not now
	backoff backoff
	sig     *shutdown.Signaller
}

func newWebhookInput(conf *service.ParsedConfig, res *service.Resources) (*webhookInput, error) {
	c, err := parseWebhookConfig(conf)
	if err != nil {
		return nil, err
	}
	w := &webhookInput{conf: c, res: res, sig: shutdown.NewSignaller()}
	w.metrics = newWebhookMetrics(res, c.journal.path != "")
	w.metrics.begin(res, c)
	if c.registration != nil {
		if w.client, err = c.registration.connection.NewClient(res); err != nil {
			return nil, err
		}
	}
	if c.journal.path == "" {
		res.Logger().Warn("No journal is set: a webhook is accepted when the output has it, so an outage of the output costs events. Ten refused webhooks make Pipedrive drop everything for 30 minutes; after three days of them it deletes the webhook.")
	}
	return w, nil
}

// Connect opens the door, anew when the listener has died.
func (w *webhookInput) Connect(ctx context.Context) error {
	ctx, done := w.sig.SoftStopCtx(ctx)
	defer done()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sig.IsSoftStopSignalled() {
		return service.ErrEndOfInput
	}
	if w.run != nil {
		w.run.stop()
		w.run = nil
	}
	run, err := openDoor(ctx, w.conf, w.client, w.res, w.metrics)
	if ctx.Err() != nil && err != nil {
		return ctx.Err()
	}
	if err != nil {
		return service.NewErrBackOff(err, w.backoff.next())
	}
	w.run = run
	if w.died {
		w.died = false
		w.res.Logger().Info("The door is open again")
	}
	return nil
}

// ReadBatch gives what waits.
func (w *webhookInput) ReadBatch(ctx context.Context) (service.MessageBatch, service.AckFunc, error) {
	w.mu.Lock()
	run := w.run
	w.mu.Unlock()
	if run == nil {
		return nil, nil, service.ErrNotConnected
	}
	batch, ack, err := run.source.next(ctx)
	switch {
	case err == nil:
		w.mu.Lock()
		w.backoff.reset()
		w.mu.Unlock()
		return batch, ack, nil
	case w.sig.IsSoftStopSignalled():
		return nil, nil, service.ErrEndOfInput
	case run.ctx.Err() != nil:
		err = context.Cause(run.ctx)
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	}
	w.mu.Lock()
	w.died = true
	w.mu.Unlock()
	w.res.Logger().Errorf("The door is closed: %v", err)
	return nil, nil, service.ErrNotConnected
}

// Close answers every request that is under way and closes the door. It may be called while the others run, twice, and
// before Connect.
func (w *webhookInput) Close(context.Context) error {
	w.sig.TriggerSoftStop()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.run != nil {
		w.run.stop()
		w.run = nil
	}
	if w.client != nil {
		w.client.Close()
	}
	return nil
}

// ConnectionTest asks whether the address is free, the journal can be opened, the cache is there and, with
// registration, Pipedrive lists its webhooks. Nothing is kept open.
func (w *webhookInput) ConnectionTest(ctx context.Context) service.ConnectionTestResults {
	if err := w.try(ctx); err != nil {
		return service.ConnectionTestFailed(err).AsList()
	}
	return service.ConnectionTestSucceeded().AsList()
}

func (w *webhookInput) try(ctx context.Context) error {
	if _, err := w.conf.newDeduper(w.res); err != nil {
		return err
	}
	if w.client != nil {
		if _, err := w.client.Webhooks(ctx); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.run != nil {
		return nil // which holds both of what follows
	}
	if w.conf.journal.path != "" {
		j, err := journal.Open(journal.Options{Path: w.conf.journal.path, MaxBytes: w.conf.journal.maxBytes})
		if err != nil {
			return err
		}
		if err := j.Close(); err != nil {
			return err
		}
	}
	return listeners(w.res).Probe(ctx, w.conf.listen, w.conf.handler.Path)
}

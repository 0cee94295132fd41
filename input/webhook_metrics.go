package input

import (
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/journal"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// webhookMetrics counts what comes to the door and what waits behind it.
type webhookMetrics struct {
	requests      *service.MetricCounter
	latency       *service.MetricTimer
	duplicates    *service.MetricCounter
	subscriptions *service.MetricGauge
	repairs       *service.MetricCounter
	lookErrors    *service.MetricCounter

	pending, stuck, bytes *service.MetricGauge // nil without a journal
}

func newWebhookMetrics(res *service.Resources, journalled bool) *webhookMetrics {
	m := res.Metrics()
	w := &webhookMetrics{
		requests:      m.NewCounter("pipedrive_webhook_requests_total", "result"),
		latency:       m.NewTimer("pipedrive_webhook_accept_latency_ns"),
		duplicates:    m.NewCounter("pipedrive_webhook_duplicates_total"),
		subscriptions: m.NewGauge("pipedrive_webhook_subscriptions"),
		repairs:       m.NewCounter("pipedrive_webhook_repairs_total", "repair", "reason"),
		lookErrors:    m.NewCounter("pipedrive_webhook_registration_errors_total"),
	}
	if journalled {
		w.pending = m.NewGauge("pipedrive_journal_pending")
		w.stuck = m.NewGauge("pipedrive_journal_stuck")
		w.bytes = m.NewGauge("pipedrive_journal_bytes")
	}
	return w
}

// Answered is told by the handler. The latency is that of accepted webhooks alone: a scanner's requests are quick.
func (m *webhookMetrics) Answered(result webhook.Result, took time.Duration) {
	m.requests.Incr(1, string(result))
	switch result {
	case webhook.Taken:
		m.latency.Timing(took.Nanoseconds())
	case webhook.Duplicate:
		m.duplicates.Incr(1)
	}
}

func (m *webhookMetrics) Subscribed(n int) { m.subscriptions.Set(int64(n)) }

func (m *webhookMetrics) Repaired(c webhook.Change) {
	m.repairs.Incr(1, string(c.Repair), string(c.Reason))
}

func (m *webhookMetrics) LookFailed() { m.lookErrors.Incr(1) }

func (m *webhookMetrics) show(j *journal.Journal) {
	m.pending.Set(int64(j.Pending()))
	m.stuck.Set(int64(j.Stuck()))
	m.bytes.Set(j.Bytes())
}

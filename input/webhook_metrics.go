package input

import (
	"sync/atomic"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/journal"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// webhookMetrics counts what comes to the door and what waits behind it. To find the counter of a result takes as long as
// to check credentials, so answers are counted here and shown once in a while.
type webhookMetrics struct {
	answers [webhook.Results]atomic.Int64 // since they were last shown

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

// begin shows the counts that an alert may watch from the start, as one that first appears with its first event never
// grew, and what it compares with.
func (m *webhookMetrics) begin(res *service.Resources, c webhookConfig) {
	for result := webhook.NotFound; result < webhook.Results; result++ {
		m.requests.Incr(0, result.String())
	}
	m.duplicates.Incr(0)
	if c.registration != nil {
		m.lookErrors.Incr(0)
	}
	if c.journal.path != "" {
		res.Metrics().NewGauge("pipedrive_journal_max_bytes").Set(c.journal.maxBytes)
	}
}

// Answered is told by the handler. The latency is that of accepted webhooks alone: a scanner's requests are quick.
func (m *webhookMetrics) Answered(result webhook.Result, took time.Duration) {
	m.answers[result].Add(1)
	if result == webhook.Taken {
		m.latency.Timing(took.Nanoseconds())
	}
}

// showAnswers brings the counters up to date.
func (m *webhookMetrics) showAnswers() {
	for i := range m.answers {
		n := m.answers[i].Swap(0)
		if n == 0 {
			continue
		}
		result := webhook.Result(i)
		m.requests.Incr(n, result.String())
		if result == webhook.Duplicate {
			m.duplicates.Incr(n)
		}
	}
}

func (m *webhookMetrics) Subscribed(n int) { m.subscriptions.Set(int64(n)) }

func (m *webhookMetrics) Repaired(c webhook.Change) {
	m.repairs.Incr(1, string(c.Repair), string(c.Reason))
}

func (m *webhookMetrics) LookFailed() { m.lookErrors.Incr(1) }

func (m *webhookMetrics) showJournal(j *journal.Journal) {
	m.pending.Set(int64(j.Pending()))
	m.stuck.Set(int64(j.Stuck()))
	m.bytes.Set(j.Bytes())
}

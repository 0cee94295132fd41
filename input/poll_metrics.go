package input

import (
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
)

// pollMetrics counts what polling does. The label `object` is the word in `objects`.
type pollMetrics struct {
	records          *service.MetricCounter
	dropped          *service.MetricCounter
	lag              *service.MetricGauge
	interval         *service.MetricGauge
	checkpointErrors *service.MetricCounter
}

func newPollMetrics(res *service.Resources) *pollMetrics {
	m := res.Metrics()
	return &pollMetrics{
		records:          m.NewCounter("pipedrive_records_total", "object", "action"),
		dropped:          m.NewCounter("pipedrive_records_dropped_total"),
		lag:              m.NewGauge("pipedrive_poll_lag_seconds", "object"),
		interval:         m.NewGauge("pipedrive_poll_interval_seconds", "object"),
		checkpointErrors: m.NewCounter("pipedrive_checkpoint_errors_total"),
	}
}

// Interval is told by the engine when the budget was asked.
func (m *pollMetrics) Interval(object string, effective time.Duration) {
	m.interval.Set(int64(effective.Seconds()), object)
}

func (m *pollMetrics) handedOn(page poll.Page) {
	counts := map[poll.Action]int64{}
	for _, r := range page.Records {
		counts[r.Action]++
	}
	for action, n := range counts {
		m.records.Incr(n, page.Object.Name, string(action))
	}
}

// showLag sets how old the newest finished and acknowledged walk of each object is: a quiet night is no lag.
func (m *pollMetrics) showLag(ledger *cursor.Ledger) {
	ledger.Walked(func(object string, p *cursor.Position) {
		if !p.Walked.IsZero() {
			m.lag.Set(int64(max(0, time.Since(p.Walked)).Seconds()), object)
		}
	})
}

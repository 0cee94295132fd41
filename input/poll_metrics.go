package input

import (
	"math"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
)

// pollMetrics counts what polling does. The label `object` is the word in `objects`.
type pollMetrics struct {
	records          *service.MetricCounter
	dropped          *service.MetricCounter
	lag              *service.MetricGauge
	interval         *service.MetricGauge
	checkpointErrors *service.MetricCounter

	walkRecords *service.MetricGauge
	walkPages   *service.MetricGauge
	walkRate    *service.MetricGauge
	walkLeft    *service.MetricGauge
	walkDone    *service.MetricGauge
}

func newPollMetrics(res *service.Resources) *pollMetrics {
	m := res.Metrics()
	return &pollMetrics{
		records:          m.NewCounter("pipedrive_records_total", "object", "action"),
		dropped:          m.NewCounter("pipedrive_records_dropped_total"),
		lag:              m.NewGauge("pipedrive_poll_lag_seconds", "object"),
		interval:         m.NewGauge("pipedrive_poll_interval_seconds", "object"),
		checkpointErrors: m.NewCounter("pipedrive_checkpoint_errors_total"),

		walkRecords: m.NewGauge("pipedrive_first_walk_records", "object"),
		walkPages:   m.NewGauge("pipedrive_first_walk_pages", "object"),
		walkRate:    m.NewGauge("pipedrive_first_walk_records_per_second", "object"),
		walkLeft:    m.NewGauge("pipedrive_first_walk_seconds_left", "object"),
		walkDone:    m.NewGauge("pipedrive_first_walk_done", "object"),
	}
}

// beginAtZero shows all counts that an alert may watch: one that first appears with its first event never grew.
func (m *pollMetrics) beginAtZero(objects []entity.Object) {
	for _, object := range objects {
		for action := range actions {
			m.records.Incr(0, object.Name, string(action))
		}
	}
	m.dropped.Incr(0)
	m.checkpointErrors.Incr(0)
}

// Interval is told by the engine when the budget was asked.
func (m *pollMetrics) Interval(object string, effective time.Duration) {
	m.interval.Set(int64(effective.Seconds()), object)
}

// showFirstWalk sets what is known. Of a first walk that was over before this process nobody knows how long it was, and
// what cannot be estimated is not shown.
func (m *pollMetrics) showFirstWalk(object string, p poll.Progress, estimated bool) {
	done := int64(0)
	if p.Done {
		done = 1
	}
	m.walkDone.Set(done, object)
	if p.Pages > 0 {
		m.walkRecords.Set(p.Records, object)
		m.walkPages.Set(p.Pages, object)
	}
	if estimated {
		m.walkLeft.Set(int64(math.Ceil(p.Left.Seconds())), object)
	}
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

package spec

import (
	"strconv"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// clientMetrics counts what a client does, in the host's metrics.
type clientMetrics struct {
	requests  *service.MetricCounter
	latency   *service.MetricTimer
	limited   *service.MetricCounter
	spent     *service.MetricCounter
	remaining *service.MetricGauge
}

func newClientMetrics(res *service.Resources) *clientMetrics {
	m := res.Metrics()
	return &clientMetrics{
		requests:  m.NewCounter("pipedrive_requests_total", "object", "code"),
		latency:   m.NewTimer("pipedrive_request_latency_ns", "object"),
		limited:   m.NewCounter("pipedrive_rate_limited_total", "kind"),
		spent:     m.NewCounter("pipedrive_tokens_spent_total"),
		remaining: m.NewGauge("pipedrive_tokens_remaining"),
	}
}

// Request counts one exchange; code 0 is written `none`: there was no answer.
func (m *clientMetrics) Request(object string, code int, took time.Duration) {
	text := "none"
	if code != 0 {
		text = strconv.Itoa(code)
	}
	m.requests.Incr(1, object, text)
	m.latency.Timing(took.Nanoseconds(), object)
}

func (m *clientMetrics) Limited(kind pipedrive.Kind) { m.limited.Incr(1, string(kind)) }

func (m *clientMetrics) Spent(tokens int) { m.spent.Incr(int64(tokens)) }

func (m *clientMetrics) Remaining(tokens int64) { m.remaining.Set(tokens) }

package spec

import (
	"strconv"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// clientMetrics counts what a client does, in the host's metrics.
type clientMetrics struct {
	requests *service.MetricCounter
	latency  *service.MetricTimer
	limited  *service.MetricCounter
	spent    *service.MetricCounter

	remaining, share, reset *service.MetricGauge
}

func newClientMetrics(res *service.Resources) *clientMetrics {
	m := res.Metrics()
	c := &clientMetrics{
		requests:  m.NewCounter("pipedrive_requests_total", "object", "code"),
		latency:   m.NewTimer("pipedrive_request_latency_ns", "object"),
		limited:   m.NewCounter("pipedrive_rate_limited_total", "kind"),
		spent:     m.NewCounter("pipedrive_tokens_spent_total"),
		remaining: m.NewGauge("pipedrive_tokens_remaining"),
		share:     m.NewGauge("pipedrive_tokens_share"),
		reset:     m.NewGauge("pipedrive_tokens_reset_timestamp_seconds"),
	}
	// A counter that first appears with its first event never grew, for whoever watches it.
	for _, kind := range []pipedrive.Kind{pipedrive.KindBurst, pipedrive.KindDaily, pipedrive.KindBlocked} {
		c.limited.Incr(0, string(kind))
	}
	c.spent.Incr(0)
	return c
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

func (m *clientMetrics) Standing(s pipedrive.Standing) {
	m.remaining.Set(s.Left)
	m.share.Set(s.Share)
	m.reset.Set(s.Reset.Unix())
}

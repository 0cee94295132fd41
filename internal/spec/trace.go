package spec

import (
	"github.com/redpanda-data/benthos/v4/public/service"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

const tracerName = "benthos-pipedrive"

// Tracer makes spans; nil: nobody has configured a tracer, and whoever would make one need not bother.
func Tracer(res *service.Resources) trace.Tracer {
	provider := res.OtelTracer()
	if _, none := provider.(noop.TracerProvider); none {
		return nil
	}
	return provider.Tracer(tracerName)
}

// spanAttributes are the metadata that a span carries: which event it is, and by what Pipedrive's support finds it.
var spanAttributes = []struct {
	meta string
	key  attribute.Key
}{
	{MetaVia, "pipedrive.via"},
	{MetaObject, "pipedrive.object"},
	{MetaID, "pipedrive.id"},
	{MetaAction, "pipedrive.action"},
	{MetaCompanyID, "pipedrive.company_id"},
	{MetaEventID, "pipedrive.event_id"},
	{MetaCorrelationID, "pipedrive.correlation_id"},
	{MetaWebhookID, "pipedrive.webhook_id"},
	{MetaAttempt, "pipedrive.attempt"},
	{MetaEventKey, "pipedrive.event_key"},
}

// Describe gives a span what its message says about itself. It costs nothing when the span is not recorded.
func Describe(span trace.Span, m *service.Message) {
	if !span.IsRecording() {
		return
	}
	attributes := make([]attribute.KeyValue, 0, len(spanAttributes))
	for _, a := range spanAttributes {
		if value, has := m.MetaGet(a.meta); has {
			attributes = append(attributes, a.key.String(value))
		}
	}
	span.SetAttributes(attributes...)
}

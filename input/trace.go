package input

import (
	"context"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"go.opentelemetry.io/otel/trace"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

// traced gives each message of an input a span of its own, from when it was received to its acknowledgement, which says
// what event it is. Where nobody has configured a tracer the input stays as it is.
func traced(name string, in service.BatchInput, res *service.Resources) service.BatchInput {
	tracer := spec.Tracer(res)
	if tracer == nil {
		return in
	}
	return &tracedInput{BatchInput: in, tracer: tracer, span: "input_" + name}
}

type tracedInput struct {
	service.BatchInput
	tracer trace.Tracer
	span   string // the name that the host would give it
}

// ReadBatch begins the spans. The host finds them in the messages, and ends them.
func (t *tracedInput) ReadBatch(ctx context.Context) (service.MessageBatch, service.AckFunc, error) {
	batch, ack, err := t.BatchInput.ReadBatch(ctx)
	for i, m := range batch {
		ctx, span := t.tracer.Start(m.Context(), t.span, trace.WithTimestamp(received(m)))
		spec.Describe(span, m)
		batch[i] = m.WithContext(ctx)
	}
	return batch, ack, err
}

// ConnectionTest is that of the input.
func (t *tracedInput) ConnectionTest(ctx context.Context) service.ConnectionTestResults {
	if in, can := t.BatchInput.(service.ConnectionTestable); can {
		return in.ConnectionTest(ctx)
	}
	return service.ConnectionTestNotSupported().AsList()
}

// received is when a message came, so that its span shows how long it lay in the journal.
func received(m *service.Message) time.Time {
	text, _ := m.MetaGet(spec.MetaReceivedAt)
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at
	}
	return time.Now()
}

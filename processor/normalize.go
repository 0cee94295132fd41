// Package processor registers the processor of benthos-pipedrive. Import it for its side effects.
package processor

import (
	"context"

	"github.com/redpanda-data/benthos/v4/public/service"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

func init() {
	service.MustRegisterBatchProcessor("pipedrive_normalize", normalizeSpec(),
		func(conf *service.ParsedConfig, res *service.Resources) (service.BatchProcessor, error) {
			return newNormalize(conf, res)
		})
}

// normalize is the door of the events: it finds out what each message is, and lets the engine read and write it.
type normalize struct {
	conf    normalizeConfig
	resolve *resolver // nil: nobody asked for names
}

func newNormalize(conf *service.ParsedConfig, res *service.Resources) (*normalize, error) {
	c, err := parseNormalizeConfig(conf)
	if err != nil {
		return nil, err
	}
	n := &normalize{conf: c}
	if c.resolve {
		n.resolve, err = newResolver(c, res)
	}
	return n, err
}

// ProcessBatch gives each message its event. One that is no record or webhook keeps its content and is flagged as
// failed; the others are unharmed.
func (n *normalize) ProcessBatch(ctx context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	out := make(service.MessageBatch, len(batch))
	for i, msg := range batch {
		out[i] = msg.Copy()
		span := trace.SpanFromContext(msg.Context()) // the host's, of this processor and message
		e, err := n.read(ctx, batch, i, out[i])
		if err != nil {
			out[i].SetError(err)
			span.SetStatus(codes.Error, err.Error())
			continue
		}
		out[i].SetStructured(n.conf.write(e))
		out[i].MetaSetMut(spec.MetaEventKey, e.ID)
		out[i].MetaSetMut(spec.MetaOrder, e.Order())
		spec.Describe(span, out[i])
		if n.conf.together != "" {
			out[i].MetaSetMut(spec.MetaTogether, n.conf.together)
		}
	}
	return []service.MessageBatch{out}, nil
}

// Close gives back what is shared with other components. It has nothing to wait for.
func (n *normalize) Close(context.Context) error {
	if n.resolve != nil {
		n.resolve.client.Close()
	}
	return nil
}

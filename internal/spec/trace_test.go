package spec

import (
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/otel/trace"
)

func TestATracerThatNobodyConfiguredCostsNothing(t *testing.T) {
	assert.Nil(t, Tracer(service.MockResources()))
	m := service.NewMessage(nil)
	m.MetaSetMut(MetaEventID, "5f0e")
	assert.Zero(t, testing.AllocsPerRun(100, func() { Describe(trace.SpanFromContext(m.Context()), m) }))
}

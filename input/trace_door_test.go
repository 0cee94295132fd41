package input_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// spanBook keeps the attributes of spans that have ended.
type spanBook struct {
	noop.TracerProvider
	mu    sync.Mutex
	ended []map[string]string
}

type spanWriter struct {
	noop.Tracer
	book *spanBook
}

type bookedSpan struct {
	noop.Span
	book       *spanBook
	attributes map[string]string
	over       bool
}

func (b *spanBook) Tracer(string, ...trace.TracerOption) trace.Tracer {
	return spanWriter{book: b}
}

func (w spanWriter) Start(ctx context.Context, name string, _ ...trace.SpanStartOption) (context.Context, trace.Span) {
	s := &bookedSpan{book: w.book, attributes: map[string]string{"name": name}}
	return trace.ContextWithSpan(ctx, s), s
}

func (s *bookedSpan) IsRecording() bool {
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	return !s.over
}

func (s *bookedSpan) SetAttributes(all ...attribute.KeyValue) {
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	for _, a := range all {
		s.attributes[string(a.Key)] = a.Value.AsString()
	}
}

func (s *bookedSpan) End(...trace.SpanEndOption) {
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	s.over = true
	s.book.ended = append(s.book.ended, s.attributes)
}

// Spans change nothing of the verdicts: of the messages of one batch the bad one alone is refused. Each has a span.
func TestTracedMessagesHaveTheirOwnVerdicts(t *testing.T) {
	book := &spanBook{}
	env := service.GlobalEnvironment().Clone()
	require.NoError(t, env.RegisterOtelTracerProvider("span_book", service.NewConfigSpec(),
		func(*service.ParsedConfig) (trace.TracerProvider, error) { return book, nil }))
	b := env.NewStreamBuilder()
	require.NoError(t, b.SetLoggerYAML("level: NONE"))
	require.NoError(t, b.SetTracerYAML("span_book: {}"))
	address := freeAddress(t)
	require.NoError(t, b.AddInputYAML(strings.ReplaceAll(simpleWebhook, "%ADDRESS", address)))
	const requests = 20
	first, held := make(chan struct{}), make(chan struct{})
	var busy sync.Once
	batches := 0
	require.NoError(t, b.AddBatchConsumerFunc(func(_ context.Context, batch service.MessageBatch) error {
		busy.Do(func() { close(first); <-held })
		batches++
		for i, m := range batch {
			if id, _ := m.MetaGet("pipedrive_id"); id == "13" {
				return service.NewBatchError(batch, errors.New("one is bad")).Failed(i, errors.New("bad"))
			}
		}
		return nil
	}))
	stream, err := b.Build()
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- stream.Run(context.Background()) }()
	url := "http://" + address
	opened(t, url)

	assertDeal13AloneIsRefused(t, url, requests, first, held)
	require.NoError(t, stream.StopWithin(20*time.Second))
	require.NoError(t, <-ended)

	assert.Less(t, batches, requests, "some came together")
	ids := map[string]bool{}
	for _, attributes := range book.ended {
		if attributes["name"] == "input_pipedrive_webhook" {
			ids[attributes["pipedrive.event_id"]] = true
			assert.Equal(t, "c", attributes["pipedrive.correlation_id"])
		}
	}
	assert.Len(t, ids, requests, "each event has its own span, ended")
}

package processor

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Of the copies of a change one comes through the example, of what failed everything, though none of it has an id.
func TestJoinedDoorsDropCopiesAndNothingElse(t *testing.T) {
	b := service.NewStreamBuilder()
	b.SetLogger(slog.New(slog.DiscardHandler))
	require.NoError(t, b.AddCacheYAML("label: seen\nttlru: {}"))
	_, processors, _ := strings.Cut(joinedProcessors, "  processors:\n")
	for yaml := range strings.SplitSeq(processors, "\n    - ") {
		if yaml = strings.TrimPrefix(yaml, "    - "); strings.TrimSpace(yaml) != "" {
			require.NoError(t, b.AddProcessorYAML(strings.ReplaceAll(yaml, "\n    ", "\n")), yaml)
		}
	}
	produce, err := b.AddBatchProducerFunc()
	require.NoError(t, err)
	var mu sync.Mutex
	var came []string
	require.NoError(t, b.AddConsumerFunc(func(_ context.Context, m *service.Message) error {
		mu.Lock()
		defer mu.Unlock()
		content, err := m.AsBytes()
		if m.GetError() != nil {
			came = append(came, string(content))
		} else {
			came = append(came, "event")
		}
		return err
	}))
	stream, err := b.Build()
	require.NoError(t, err)
	ended := make(chan error)
	go func() { ended <- stream.Run(t.Context()) }()
	failing := []string{`not JSON`, `nor this`, `{"id":7}`, `{"id":7,"title":"x"}`, `{"meta":{}}`, `{"meta":{"v":1}}`}
	batch := service.MessageBatch{message(polledDeal, polledMetadata), message(changedDeal, nil)}
	for _, content := range failing {
		batch = append(batch, message(content, nil))
	}
	require.NoError(t, produce(t.Context(), batch))
	require.NoError(t, stream.Stop(t.Context()))
	require.NoError(t, <-ended)
	assert.ElementsMatch(t, append([]string{"event"}, failing...), came)
}

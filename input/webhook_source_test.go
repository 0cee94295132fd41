package input

import (
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/journal"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

// What goes on flagged as failed shares no batch with others, whatever waits before it and behind it: the host may have
// those skip their processors. How often a message was refused stands in its metadata, flagged or not.
func TestWhatIsFlaggedGoesOnAlone(t *testing.T) {
	j, err := journal.Open(journal.Options{Path: filepath.Join(t.TempDir(), "webhooks.db")})
	require.NoError(t, err)
	s := &journalSource{run: t.Context(), journal: j, flight: newFlight(10), maxAttempts: 2}
	defer func() { require.NoError(t, s.close()) }()
	accept := func(deals ...int) {
		for _, deal := range deals {
			body := fmt.Appendf(nil, `{"data":null,"meta":{"action":"delete","entity":"deal","entity_id":"%d","id":"e-%[1]d","version":"2.0"}}`, deal)
			require.NoError(t, j.Append(t.Context(), journal.Entry{Lane: strconv.Itoa(deal), Body: body}))
		}
	}
	take := func() []journal.Delivery {
		all, err := j.NextBatch(t.Context(), 10, 1<<20)
		require.NoError(t, err)
		return all
	}
	accept(1)
	once := take()
	accept(2, 3)
	j.Later(0, take()...)
	j.Later(0, take()...)
	j.Later(0, once...)
	accept(4, 5)

	var batches [][]string
	refusals := map[string]string{}
	var acks []service.AckFunc
	for n := 0; n < 5; {
		batch, ack, err := s.next(t.Context())
		require.NoError(t, err)
		acks = append(acks, ack)
		var ids []string
		for _, m := range batch {
			id, _ := m.MetaGet(spec.MetaID)
			if m.GetError() != nil {
				ids = append(ids, id+" flagged")
			} else {
				ids = append(ids, id)
			}
			if times, has := m.MetaGet(spec.MetaRefusals); has {
				refusals[id] = times
			}
			n++
		}
		batches = append(batches, ids)
	}
	assert.Equal(t, [][]string{{"1"}, {"2 flagged"}, {"3 flagged"}, {"4", "5"}}, batches)
	assert.Equal(t, map[string]string{"1": "1", "2": "2", "3": "2"}, refusals)
	for _, ack := range acks {
		require.NoError(t, ack(t.Context(), nil))
	}
	assert.Zero(t, j.Pending())
}

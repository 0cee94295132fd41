package input

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// What the host has and has not acknowledged is bounded, by number and by bytes; an acknowledgement that is called twice
// makes room once.
func TestFlightIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlight(3)
		entries, bytes, err := f.room(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 3, entries)
		assert.Equal(t, int64(webhook.BodiesTogether), bytes)
		first, second := f.take(2, 10), f.take(1, 10)

		got := make(chan int)
		go func() {
			entries, _, err := f.room(t.Context())
			assert.NoError(t, err)
			got <- entries
		}()
		synctest.Wait()
		assert.Empty(t, got)
		first()
		first()
		assert.Equal(t, 2, <-got)
		second()

		large := f.take(1, webhook.BodiesTogether+1) // one alone may have more
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, err = f.room(ctx)
		require.ErrorIs(t, err, context.Canceled)
		large()
		entries, bytes, err = f.room(ctx)
		require.NoError(t, err)
		assert.Equal(t, 3, entries)
		assert.Equal(t, int64(webhook.BodiesTogether), bytes)
	})
}

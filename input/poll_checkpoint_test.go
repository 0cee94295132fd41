package input

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// fullCache stores nothing while it is full.
type fullCache struct {
	service.Cache
	full atomic.Bool
}

func (c *fullCache) Set(ctx context.Context, key string, value []byte, ttl *time.Duration) error {
	if c.full.Load() {
		return errors.New("no space left on device")
	}
	return c.Cache.Set(ctx, key, value, ttl)
}

// withFullCache makes resources whose cache `state` is full until it is told otherwise.
func withFullCache(t *testing.T) (*service.Resources, *fullCache) {
	t.Helper()
	cache := &fullCache{}
	cache.full.Store(true)
	env := service.NewEnvironment()
	require.NoError(t, env.RegisterCache("full", service.NewConfigSpec(), func(*service.ParsedConfig, *service.Resources) (service.Cache, error) {
		return cache, service.MockResources(service.MockResourcesOptAddCache("inner")).AccessCache(t.Context(), "inner", func(inner service.Cache) { cache.Cache = inner })
	}))
	builder := env.NewResourceBuilder()
	require.NoError(t, builder.AddCacheYAML("label: state\nfull: {}"))
	res, closeAll, err := builder.Build()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, closeAll(context.Background())) })
	return res, cache
}

// A restart would repeat every page that is not in the stored checkpoint: acknowledged or not, they are no more than
// checkpoint_limit.
func TestNoMorePagesThanTheLimitAreHandedOnWhileTheCheckpointCannotBeStored(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 1000, DailyBudget: 100_000_000, Burst: 100_000_000})
	res, cache := withFullCache(t)
	conf, err := pollSpec().ParseYAML("api_token: "+sim.Token()+"\nbase_url: "+sim.URL()+"\nobjects: [ deals ]\npage_size: 100\ncheckpoint_limit: 3\ncheckpoint_cache: state", nil)
	require.NoError(t, err)
	in, err := newPollInput(conf, res)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, in.Close(context.Background())) })
	require.NoError(t, in.Connect(t.Context()))
	read := func(within time.Duration) error {
		ctx, done := context.WithTimeout(t.Context(), within)
		defer done()
		batch, ack, err := in.ReadBatch(ctx)
		if err != nil {
			return err
		}
		assert.Len(t, batch, 100)
		return ack(ctx, nil)
	}
	for range 3 {
		require.NoError(t, read(10*time.Second))
	}
	require.ErrorIs(t, read(500*time.Millisecond), context.DeadlineExceeded)
	cache.full.Store(false)
	for range 7 {
		require.NoError(t, read(10*time.Second), "it is stored with the next try")
	}
}

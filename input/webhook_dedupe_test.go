package input

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// Two replicas share what one has claimed and accepted; another door on the same cache knows nothing of it.
func TestReplicasShareTheirKeys(t *testing.T) {
	res := service.MockResources(service.MockResourcesOptAddCache("seen"))
	one := webhookKeys{res: res, cache: "seen", path: "/a"}
	other := webhookKeys{res: res, cache: "seen", path: "/a"}
	stranger := webhookKeys{res: res, cache: "seen", path: "/b"}
	claim := func(k webhookKeys) webhook.State {
		t.Helper()
		state, err := k.Claim(t.Context(), "key", time.Minute)
		require.NoError(t, err)
		return state
	}
	assert.Equal(t, webhook.Fresh, claim(one))
	assert.Equal(t, webhook.UnderWay, claim(other))
	assert.Equal(t, webhook.Fresh, claim(stranger))

	require.NoError(t, one.Release("key", time.Second))
	require.NoError(t, one.Release("key", time.Second), "it may be over by itself")
	assert.Equal(t, webhook.Fresh, claim(other), "what was refused is welcome again")
	require.NoError(t, other.Accept("key", time.Hour, time.Second))
	assert.Equal(t, webhook.Accepted, claim(one))
	assert.Equal(t, webhook.UnderWay, claim(stranger))
}

func TestACacheThatIsGoneIsAnError(t *testing.T) {
	k := webhookKeys{res: service.MockResources(), cache: "seen"}
	_, err := k.Claim(t.Context(), "key", time.Minute)
	require.ErrorContains(t, err, `claiming a key in cache "seen"`)
	require.Error(t, k.Accept("key", time.Minute, time.Second))
	require.Error(t, k.Release("key", time.Second))
}

// stuckCache answers nobody.
type stuckCache struct{}

func (stuckCache) wait(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func (c stuckCache) Get(ctx context.Context, _ string) ([]byte, error) { return nil, c.wait(ctx) }
func (c stuckCache) Set(ctx context.Context, _ string, _ []byte, _ *time.Duration) error {
	return c.wait(ctx)
}

func (c stuckCache) Add(ctx context.Context, _ string, _ []byte, _ *time.Duration) error {
	return c.wait(ctx)
}
func (c stuckCache) Delete(ctx context.Context, _ string) error { return c.wait(ctx) }
func (stuckCache) Close(context.Context) error                  { return nil }

// A cache that hangs holds nobody up for longer than is left for it.
func TestACacheThatHangsIsGivenUp(t *testing.T) {
	env := service.NewEnvironment()
	require.NoError(t, env.RegisterCache("stuck", service.NewConfigSpec(), func(*service.ParsedConfig, *service.Resources) (service.Cache, error) {
		return stuckCache{}, nil
	}))
	build := env.NewResourceBuilder()
	require.NoError(t, build.AddCacheYAML("label: seen\nstuck: {}"))
	res, stop, err := build.Build()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, stop(context.Background())) })
	k := webhookKeys{res: res, cache: "seen"}
	began := time.Now()
	require.ErrorIs(t, k.Accept("key", time.Minute, 10*time.Millisecond), context.DeadlineExceeded)
	require.ErrorIs(t, k.Release("key", 10*time.Millisecond), context.DeadlineExceeded)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = k.Claim(ctx, "key", time.Minute)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(began), 5*time.Second)
}

func TestVerdictsTellMessagesApart(t *testing.T) {
	bad := errors.New("bad")
	batch := service.MessageBatch{service.NewMessage(nil), service.NewMessage(nil), service.NewMessage(nil)}
	index := batch.Index()
	shuffled := service.MessageBatch{batch[2], batch[0]} // one was filtered out, the others changed places
	for _, test := range []struct {
		name string
		err  error
		want []error
	}{
		{"all are delivered", nil, []error{nil, nil, nil}},
		{"all are refused", bad, []error{bad, bad, bad}},
		{"one is refused", service.NewBatchError(batch, errors.New("some")).Failed(1, bad), []error{nil, bad, nil}},
		{"one of a changed batch is refused", service.NewBatchError(shuffled, errors.New("some")).Failed(0, bad), []error{nil, nil, bad}},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, onEach(3, verdictsOf(index, test.err)))
		})
	}
	whole := service.NewBatchError(batch, bad)
	for _, err := range onEach(3, verdictsOf(index, whole)) {
		assert.ErrorIs(t, err, bad)
	}
	strange := service.NewBatchError(service.MessageBatch{service.NewMessage(nil)}, bad).Failed(0, bad)
	for _, err := range onEach(3, verdictsOf(index, strange)) {
		assert.Error(t, err, "an error about nobody is about all")
	}
	assert.Equal(t, []error{bad}, onEach(1, verdictsOf(nil, bad)))
}

func onEach(messages int, v verdicts) (errs []error) {
	for i := range messages {
		errs = append(errs, v.on(i))
	}
	return errs
}

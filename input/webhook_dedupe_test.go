package input

import (
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

	require.NoError(t, one.Release(t.Context(), "key"))
	require.NoError(t, one.Release(t.Context(), "key"), "it may be over by itself")
	assert.Equal(t, webhook.Fresh, claim(other), "what was refused is welcome again")
	require.NoError(t, other.Accept(t.Context(), "key", time.Hour))
	assert.Equal(t, webhook.Accepted, claim(one))
	assert.Equal(t, webhook.UnderWay, claim(stranger))
}

func TestACacheThatIsGoneIsAnError(t *testing.T) {
	k := webhookKeys{res: service.MockResources(), cache: "seen"}
	_, err := k.Claim(t.Context(), "key", time.Minute)
	require.ErrorContains(t, err, `claiming a key in cache "seen"`)
	require.Error(t, k.Accept(t.Context(), "key", time.Minute))
	require.Error(t, k.Release(t.Context(), "key"))
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
			assert.Equal(t, test.want, verdicts(3, index, test.err))
		})
	}
	whole := service.NewBatchError(batch, bad)
	for _, err := range verdicts(3, index, whole) {
		assert.ErrorIs(t, err, bad)
	}
	strange := service.NewBatchError(service.MessageBatch{service.NewMessage(nil)}, bad).Failed(0, bad)
	for _, err := range verdicts(3, index, strange) {
		assert.Error(t, err, "an error about nobody is about all")
	}
	assert.Equal(t, []error{bad}, verdicts(1, nil, bad))
}

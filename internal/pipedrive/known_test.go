package pipedrive

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

func TestLimitsAreGuessesUntilAnAnswerTellsThem(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{DailyBudget: 60_000, Burst: 40})
	c := dial(t, sim.URL(), as(sim), func(cfg *Config) { cfg.DailyShare = 0.5 })
	assert.Equal(t, Limits{Daily: 30_000, Share: 15_000, Left: -1, Burst: 20}, c.Limits())
	_, err := c.Me(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Limits{Daily: 60_000, DailyTold: true, Share: 30_000, Left: 59_998, Burst: 40, BurstTold: true}, c.Limits())
}

// What others of the same company spent is not a client's cost, and a request that was turned away costs nothing.
func TestCostIsWhatAClientsOwnRequestsTook(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{Deals: 3})
	shared := NewShared()
	with := func(cfg *Config) { cfg.Shared = shared }
	one, other := dial(t, sim.URL(), as(sim), with), dial(t, sim.URL(), as(sim), with)
	deals, _ := entity.Lookup("deals")
	_, err := one.Me(t.Context())
	require.NoError(t, err)
	_, err = other.List(t.Context(), &deals, Query{})
	require.NoError(t, err)
	sim.FailNext(simulator.Unauthorized401())
	_, err = one.Me(t.Context())
	require.Error(t, err)
	assert.EqualValues(t, 2, one.Cost())
	assert.EqualValues(t, 10, other.Cost())
	assert.EqualValues(t, 12, one.Spend().Tokens)
}

func TestClientsThatAskTheSameAreOneConnection(t *testing.T) {
	t.Parallel()
	sim := simulator.RunT(t, simulator.Options{})
	shared := NewShared()
	with := func(cfg *Config) { cfg.Shared = shared }
	c := dial(t, sim.URL(), as(sim), with)
	assert.Equal(t, c.Asks(), dial(t, sim.URL(), as(sim), with).Asks())
	assert.NotEqual(t, c.Asks(), dial(t, sim.URL(), with).Asks(), "another credential")
	assert.NotEqual(t, c.Asks(), dial(t, "http://pipedrive.test", as(sim), with).Asks(), "another place")
}

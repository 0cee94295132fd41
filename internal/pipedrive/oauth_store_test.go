package pipedrive

import (
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnInvalidGrantIsOverWhenTheStoreShowsAnotherToken(t *testing.T) {
	t.Parallel()
	a, store := newApp(true), &shelf{}
	c := dial(t, "", a.install("refresh-old", store))
	requireCredential(t, list(t, c), "re-install the app")
	r := c.oauth
	text, _ := json.Marshal(stored{r.configured, "refresh-0"})
	store.text = string(text)
	require.NoError(t, list(t, c))
	assert.Equal(t, []string{"refresh-old", "refresh-0"}, a.refreshes)
}

func TestAStoredTokenCountsOnlyIfItDescendsFromTheConfiguredOne(t *testing.T) {
	t.Parallel()
	a, store := newApp(true), &shelf{}
	require.NoError(t, list(t, dial(t, "", a.install("refresh-0", store))))
	require.Equal(t, "refresh-1", store.token(t))

	require.NoError(t, list(t, dial(t, "", a.install("refresh-0", store))), "a restart goes on with the stored one")
	assert.Equal(t, []string{"refresh-0", "refresh-1"}, a.refreshes)

	a.valid = "refresh-new"
	require.NoError(t, list(t, dial(t, "", a.install("refresh-new", store))), "a new installation beats the store")
	assert.Equal(t, []string{"refresh-0", "refresh-1", "refresh-new"}, a.refreshes)
	assert.Equal(t, "refresh-3", store.token(t))
}

func TestAStoreThatCannotSaveIsAWarning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, notes := newApp(true), &diary{}
		store := &shelf{saveErr: errors.New("disk full, was refresh-1")}
		c := dial(t, "", a.install("refresh-0", store), func(cfg *Config) { cfg.Log = notes })
		require.NoError(t, list(t, c))
		assert.Contains(t, notes.text(), "disk full")
		<-time.After(time.Hour)
		store.saveErr = nil
		require.NoError(t, list(t, c), "the one in memory is used")
		assert.Equal(t, "refresh-2", store.token(t))
		store.saveErr = errors.New("disk full")
		for range 2 {
			<-time.After(time.Hour)
			require.NoError(t, list(t, c), "and not the older one in the store")
		}
		assert.Equal(t, "refresh-2", store.token(t))
		assert.Equal(t, []string{"refresh-0", "refresh-1", "refresh-2", "refresh-3"}, a.refreshes)
	})
}

func TestAStoreThatCannotBeReadIsNotTakenForAnEmptyOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, notes := newApp(true), &diary{}
		store := &shelf{loadErr: errors.New("connection refused")}
		c := dial(t, "", a.install("refresh-0", store), func(cfg *Config) { cfg.Log = notes })
		requireLater(t, list(t, c), KindStore)
		assert.Empty(t, a.refreshes)
		store.loadErr = nil
		require.NoError(t, list(t, c))
		store.loadErr = errors.New("connection refused")
		<-time.After(time.Hour)
		require.NoError(t, list(t, c), "the one in memory is used")
		assert.Contains(t, notes.text(), "connection refused")

		broken := dial(t, "", a.install("refresh-0", &shelf{text: "{"}), func(cfg *Config) { cfg.Log = notes })
		requireCredential(t, list(t, broken), "re-install")
		assert.Contains(t, notes.text(), "it is ignored")
	})
}

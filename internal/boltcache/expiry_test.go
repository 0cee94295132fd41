package boltcache

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// rows counts what the file holds, expired or not.
func rows(t testing.TB, c *cache) (values, expiries int) {
	t.Helper()
	require.NoError(t, c.file.db.View(func(tx *bbolt.Tx) error {
		e := readEntries(tx)
		values, expiries = e.values.Stats().KeyN, e.expiries.Stats().KeyN
		return nil
	}))
	return values, expiries
}

func TestAKeyExpiresWhenItsTimeIsOver(t *testing.T) {
	path := statePath(t)
	synctest.Test(t, func(t *testing.T) {
		c := openCache(t, path)
		minute := time.Minute
		require.NoError(t, c.Set(t.Context(), "short", []byte("v"), &minute))
		require.NoError(t, c.Set(t.Context(), "ever", []byte("v"), nil))

		<-time.After(minute - time.Microsecond)
		assertValue(t, c, "short", "v")
		require.ErrorIs(t, c.Add(t.Context(), "short", nil, nil), service.ErrKeyAlreadyExists)
		<-time.After(time.Microsecond)
		assertMissing(t, c, "short")
		assertValue(t, c, "ever", "v")
		require.NoError(t, c.Add(t.Context(), "short", []byte("again"), nil))
		<-time.After(1000 * time.Hour)
		assertValue(t, c, "short", "again")
	})
}

func TestExpiryOutlivesTheProcess(t *testing.T) {
	path := statePath(t)
	synctest.Test(t, func(t *testing.T) {
		minute := time.Minute
		first := openCache(t, path)
		require.NoError(t, first.Set(t.Context(), "k", []byte("v"), &minute))
		require.NoError(t, first.Close(t.Context()))

		second := openCache(t, path)
		assertValue(t, second, "k", "v")
		<-time.After(minute)
		assertMissing(t, second, "k")
	})
}

func TestAnotherLifetimeReplacesTheFirst(t *testing.T) {
	path := statePath(t)
	synctest.Test(t, func(t *testing.T) {
		c := openCache(t, path)
		second, hour := time.Second, time.Hour
		require.NoError(t, c.Set(t.Context(), "longer", []byte("1"), &second))
		require.NoError(t, c.Set(t.Context(), "longer", []byte("2"), &hour))
		require.NoError(t, c.Set(t.Context(), "ever", []byte("1"), &second))
		require.NoError(t, c.Set(t.Context(), "ever", []byte("2"), nil))
		require.NoError(t, c.Set(t.Context(), "gone", []byte("1"), &second))
		require.NoError(t, c.Delete(t.Context(), "gone"))
		require.NoError(t, c.Set(t.Context(), "gone", []byte("2"), nil))

		<-time.After(time.Minute)
		require.NoError(t, c.Set(t.Context(), "sweeps", nil, nil))
		assertValue(t, c, "longer", "2")
		assertValue(t, c, "ever", "2")
		assertValue(t, c, "gone", "2")
		_, expiries := rows(t, c)
		assert.Equal(t, 1, expiries, "a row for the key that expires")
	})
}

func TestTheDefaultLifetimeIsForWritersThatDoNotSay(t *testing.T) {
	path := statePath(t)
	synctest.Test(t, func(t *testing.T) {
		c := openCache(t, path)
		day, minute := 24*time.Hour, time.Minute
		c.ttl = &day
		require.NoError(t, c.Add(t.Context(), "mark", []byte("t"), nil))
		require.NoError(t, c.Set(t.Context(), "own", []byte("t"), &minute))
		<-time.After(time.Hour)
		assertMissing(t, c, "own")
		assertValue(t, c, "mark", "t")
		<-time.After(23 * time.Hour)
		assertMissing(t, c, "mark")
	})
}

func TestALifetimeOfNothingIsOverAtOnce(t *testing.T) {
	c := openCache(t, statePath(t))
	for _, ttl := range []time.Duration{0, -time.Hour, -1 << 63} {
		require.NoError(t, c.Set(t.Context(), "k", []byte("v"), &ttl))
		assertMissing(t, c, "k")
	}
	longest := time.Duration(1<<63 - 1)
	require.NoError(t, c.Set(t.Context(), "k", []byte("v"), &longest))
	assertValue(t, c, "k", "v")
}

// The marks of a dedupe: each key is written once and never asked for again.
func TestExpiredKeysDoNotPileUp(t *testing.T) {
	path := statePath(t)
	synctest.Test(t, func(t *testing.T) {
		c := openCache(t, path)
		minute := time.Minute
		items := make([]service.CacheItem, 500)
		for round := range 10 {
			for i := range items {
				items[i] = service.CacheItem{Key: fmt.Sprint(round, "/", i), TTL: &minute}
			}
			require.NoError(t, c.SetMulti(t.Context(), items...))
			values, expiries := rows(t, c)
			assert.LessOrEqual(t, values, 2*len(items))
			assert.Equal(t, values, expiries)
			<-time.After(time.Hour)
		}
	})
}

func TestASweepIsBounded(t *testing.T) {
	path := statePath(t)
	synctest.Test(t, func(t *testing.T) {
		c := openCache(t, path)
		minute := time.Minute
		items := make([]service.CacheItem, 500)
		for i := range items {
			items[i] = service.CacheItem{Key: fmt.Sprint(i), TTL: &minute}
		}
		require.NoError(t, c.SetMulti(t.Context(), items...))
		<-time.After(time.Hour)

		require.NoError(t, c.Set(t.Context(), "one", nil, nil))
		values, _ := rows(t, c)
		assert.Equal(t, len(items)-sweepExtra, values, "one written, 1 + sweepExtra removed")
		for range 10 {
			require.NoError(t, c.Set(t.Context(), "one", nil, nil))
		}
		values, expiries := rows(t, c)
		assert.Equal(t, 1, values)
		assert.Equal(t, 0, expiries)
	})
}

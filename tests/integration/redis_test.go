//go:build integration

package integration

import (
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// redisServer is one whose every answer is on disk.
func redisServer(t *testing.T) (d *daemon, url string) {
	t.Helper()
	d = newDaemon(t, "redis", "redis")
	port := freePort(t)
	d.args = []string{
		installed(t, "/usr/bin/redis-server"), "--bind", "127.0.0.1", "--port", port, "--dir", d.folder, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
	}
	url = "redis://127.0.0.1:" + port
	client := redisClient(t, url)
	d.ready = func() error { return client.Ping(t.Context()).Err() }
	d.start()
	return d, url
}

func redisClient(t *testing.T, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	require.NoError(t, err)
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestRedisStreamTellsTheAccount(t *testing.T) {
	server, url := redisServer(t)
	sim := unrest.Account(t)
	f := runRecipe(t, sim, "redis.yaml", "REDIS_URL="+url)
	unrest.Make(t, f, server, true)

	client, all, from := redisClient(t, url), unrest.NewEvents(), "-"
	unrest.RequireEvents(t, sim, all, func() {
		for {
			entries, err := client.XRangeN(t.Context(), "pipedrive", from, "+", 500).Result()
			require.NoError(t, err)
			if len(entries) == 0 {
				return
			}
			for _, entry := range entries {
				all.Take([]byte(entry.Values["event"].(string)), entry.Values["pipedrive_order"].(string))
				from = "(" + entry.ID
			}
		}
	})
	f.RequireLetter()
	f.Stop()
	position, err := client.Get(t.Context(), "benthos-pipedrive:pipedrive_poll.deals").Bytes()
	require.NoError(t, err, "the checkpoint is in Redis")
	require.NotEmpty(t, unrest.Decode(position))
}

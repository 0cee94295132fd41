//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// rabbitmq is a node of its own. The name server of Erlang's nodes, which each would start for all others, is a child of
// the test too.
func rabbitmq(t *testing.T) (d *daemon, url string) {
	t.Helper()
	names := newDaemon(t, "epmd", "rabbitmq")
	names.args = []string{installed(t, "/usr/bin/epmd"), "-address", "127.0.0.1", "-port", freePort(t)}
	names.ready = listens("127.0.0.1:" + names.args[4])
	names.start()

	d = newDaemon(t, "rabbitmq", "rabbitmq")
	port := freePort(t)
	config := filepath.Join(d.folder, "rabbitmq.conf")
	require.NoError(t, os.WriteFile(config, []byte("listeners.tcp.1 = 127.0.0.1:"+port+"\nlog.console = true\nlog.console.level = warning\nlog.file = false\n"), 0o644))
	d.env = []string{
		"ERL_EPMD_PORT=" + names.args[4], "ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_NODENAME=integration" + port + "@localhost", "RABBITMQ_DIST_PORT=" + freePort(t),
		"RABBITMQ_CONFIG_FILE=" + config, "RABBITMQ_MNESIA_BASE=" + filepath.Join(d.folder, "data"), "RABBITMQ_LOG_BASE=" + filepath.Join(d.folder, "log"),
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + filepath.Join(d.folder, "plugins"), "RABBITMQ_CONF_ENV_FILE=" + filepath.Join(d.folder, "none"),
		"RABBITMQ_PID_FILE=" + filepath.Join(d.folder, "pid"),
		"RABBITMQ_ALLOW_INPUT=yes", // then the script becomes the server instead of starting it
	}
	d.args = []string{installed(t, "/usr/lib/rabbitmq/bin/rabbitmq-server"), "-noinput"}
	url = "amqp://guest:guest@127.0.0.1:" + port + "/"
	d.ready = func() error {
		c, err := amqp.Dial(url)
		if err != nil {
			return err
		}
		return c.Close()
	}
	d.start()
	return d, url
}

func TestRabbitMQQueueTellsTheAccount(t *testing.T) {
	server, url := rabbitmq(t)
	sim := unrest.Account(t)
	f := runRecipe(t, sim, "rabbitmq.yaml", "AMQP_URL="+url)
	unrest.Work(t, sim, 50, time.Second) // waits: there is no queue yet
	channel := func() *amqp.Channel {
		conn, err := amqp.Dial(url)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		c, err := conn.Channel()
		require.NoError(t, err)
		return c
	}
	c := channel()
	_, err := c.QueueDeclare("crm", true, false, false, false, nil)
	require.NoError(t, err)
	require.NoError(t, c.QueueBind("crm", "#", "pipedrive", false, nil))
	unrest.Make(t, f, server, false)

	c, all := channel(), unrest.NewEvents()
	unrest.RequireEvents(t, sim, all, func() {
		for {
			d, waiting, err := c.Get("crm", true)
			require.NoError(t, err)
			if !waiting {
				return
			}
			all.Take(d.Body, d.Headers["pipedrive-order"].(string))
			require.Equal(t, d.Headers["pipedrive-object"].(string)+"."+unrest.Decode(d.Body)["action"].(string), d.RoutingKey)
		}
	})
	f.RequireLetter()
	f.Stop()
}

//go:build integration

package integration

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

func natsServer(t *testing.T) (d *daemon, url string) {
	t.Helper()
	d = newDaemon(t, "nats", "")
	port := freePort(t)
	d.args = []string{
		installed(t, "/usr/sbin/nats-server", "/usr/bin/nats-server"),
		"--addr", "127.0.0.1", "--port", port, "--jetstream", "--store_dir", filepath.Join(d.folder, "store"),
	}
	url = "nats://127.0.0.1:" + port
	d.ready = func() error {
		c, err := nats.Connect(url)
		if err != nil {
			return err
		}
		defer c.Close()
		return c.FlushTimeout(time.Second)
	}
	d.start()
	return d, url
}

func TestNATSStreamTellsTheAccount(t *testing.T) {
	server, url := natsServer(t)
	conn, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
	require.NoError(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	sim := unrest.Account(t)
	f := runRecipe(t, sim, "nats.yaml", "NATS_URL="+url)
	unrest.Work(t, sim, 50, time.Second) // waits: there is no stream yet
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "pipedrive", Subjects: []string{"pipedrive.>"}, Storage: jetstream.FileStorage, Duplicates: 10 * time.Minute,
	})
	require.NoError(t, err)
	unrest.Make(t, f, server, false)

	consumer, err := js.CreateConsumer(t.Context(), "pipedrive", jetstream.ConsumerConfig{AckPolicy: jetstream.AckNonePolicy})
	require.NoError(t, err)
	all, twice := unrest.NewEvents(), map[string]bool{}
	all.DropsEquals = true
	unrest.RequireEvents(t, sim, all, func() {
		for {
			batch, err := consumer.FetchNoWait(500)
			require.NoError(t, err)
			n := 0
			for msg := range batch.Messages() {
				n++
				all.Take(msg.Data(), msg.Headers().Get("pipedrive_order"))
				id := msg.Headers().Get(nats.MsgIdHdr)
				require.False(t, twice[id], "the server has dropped what came again")
				twice[id] = true
				require.Equal(t, "pipedrive."+msg.Headers().Get("pipedrive_object")+"."+msg.Headers().Get("pipedrive_id"), msg.Subject())
			}
			require.True(t, batch.Error() == nil || errors.Is(batch.Error(), nats.ErrTimeout), batch.Error())
			if n == 0 {
				return
			}
		}
	})
	f.RequireLetter()
	f.Stop()
}

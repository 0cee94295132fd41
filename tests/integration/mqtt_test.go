//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// mosquitto keeps the messages of sessions on disk when it is ended in order.
func mosquitto(t *testing.T) (d *daemon, url string) {
	t.Helper()
	d = newDaemon(t, "mosquitto", "mosquitto")
	port := freePort(t)
	config := filepath.Join(d.folder, "mosquitto.conf")
	require.NoError(t, os.WriteFile(config, []byte(strings.Join([]string{
		"listener " + port + " 127.0.0.1", "allow_anonymous true", "persistence true", "persistence_location " + d.folder + "/",
		"max_queued_messages 0", "log_dest stderr", "",
	}, "\n")), 0o644))
	d.args = []string{installed(t, "/usr/sbin/mosquitto"), "-c", config}
	d.ready = listens("127.0.0.1:" + port)
	d.start()
	return d, "tcp://127.0.0.1:" + port
}

func TestMQTTTopicsTellTheAccount(t *testing.T) {
	server, url := mosquitto(t)
	var mu sync.Mutex
	var came []mqtt.Message
	reader := mqtt.NewClient(mqtt.NewClientOptions().
		AddBroker(url).SetClientID("crm").SetCleanSession(false).SetConnectRetryInterval(50 * time.Millisecond).SetMaxReconnectInterval(100 * time.Millisecond).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
			mu.Lock()
			defer mu.Unlock()
			came = append(came, m)
		}))
	done := func(token mqtt.Token) {
		t.Helper()
		require.True(t, token.WaitTimeout(unrest.Patience))
		require.NoError(t, token.Error())
	}
	done(reader.Connect())
	t.Cleanup(func() { reader.Disconnect(100) })
	done(reader.Subscribe("pipedrive/#", 1, nil))

	sim := unrest.Account(t)
	f := runRecipe(t, sim, "mqtt.yaml", "MQTT_URL="+url)
	unrest.Make(t, f, server, false)
	all := unrest.NewEvents()
	unrest.RequireEvents(t, sim, all, func() {
		mu.Lock()
		defer mu.Unlock()
		for _, m := range came {
			e := unrest.Decode(m.Payload())
			all.Take(m.Payload(), e["order"].(string))
			require.Equal(t, "pipedrive/"+e["object"].(string)+"/"+e["object_id"].(string), m.Topic())
		}
		came = nil
	})
	f.RequireLetter()
	f.Stop()
}

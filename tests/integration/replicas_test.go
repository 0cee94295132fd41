//go:build integration

package integration

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"sigs.k8s.io/yaml"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// balancer stands in front of the doors, as an Ingress does. For a while it sends everything to both, as no good one does.
type balancer struct {
	doors []string
	both  atomic.Bool
	turn  atomic.Int64
	twice atomic.Int64 // how many deliveries both doors answered 200
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var statuses []int
	if b.both.Load() {
		statuses = make([]int, len(b.doors))
		var all sync.WaitGroup
		for i, door := range b.doors {
			all.Go(func() { statuses[i] = pass(r, door, body) })
		}
		all.Wait()
	} else {
		first := int(b.turn.Add(1))
		for i := range b.doors { // to the next that is there
			status := pass(r, b.doors[(first+i)%len(b.doors)], body)
			if statuses = append(statuses, status); status != 0 {
				break
			}
		}
	}
	accepted := 0
	for _, status := range statuses {
		if status == http.StatusOK {
			accepted++
		}
	}
	switch {
	case accepted > 1:
		b.twice.Add(1)
	case accepted == 0:
		w.WriteHeader(http.StatusBadGateway)
	}
}

// pass sends a request on; 0 is no answer.
func pass(r *http.Request, door string, body []byte) int {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+door+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header = r.Header.Clone()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// topic is a topic of a Kafka in this process, and what was read from it.
type topic struct {
	t       *testing.T
	brokers string
	away    atomic.Bool // connections that bring records are closed
	reader  *kgo.Client
	all     *unrest.Events
	times   map[string]int // by Pipedrive's id of an event, how often it is there
}

func newTopic(t *testing.T) *topic {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(6, "pipedrive"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	k := &topic{t: t, brokers: strings.Join(cluster.ListenAddrs(), ","), all: unrest.NewEvents(), times: map[string]int{}}
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return nil, errors.New("the connection is closed"), k.away.Load()
	})
	k.reader, err = kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("pipedrive"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	t.Cleanup(k.reader.Close)
	return k
}

func (k *topic) read() {
	k.t.Helper()
	for {
		ctx, cancel := context.WithTimeout(k.t.Context(), 200*time.Millisecond)
		fetched := k.reader.PollFetches(ctx)
		cancel()
		if fetched.NumRecords() == 0 {
			return
		}
		fetched.EachRecord(func(r *kgo.Record) {
			for _, h := range r.Headers {
				switch h.Key {
				case "pipedrive_order":
					k.all.Take(r.Value, string(h.Value))
				case "pipedrive_event_id":
					k.times[string(h.Value)]++
				}
			}
		})
	}
}

// The manifests' pipelines at work: two doors with a disk each and one Redis between them, one poller, one topic, and a reader
// that keeps a table. What reaches both doors comes out once; a door that is killed with a full journal has lost nothing once
// it is back on its disk; and the table is the account.
func TestTwoDoorsTakeADeliveryOnceAndLoseNoneWhenOneIsKilled(t *testing.T) {
	_, redisURL := redisServer(t)
	_, dsn := postgresql(t)
	kafka := newTopic(t)
	sim := unrest.Account(t)
	front := &balancer{}
	address := httptest.NewServer(front)
	defer address.Close()
	folder := t.TempDir()
	for name, pipeline := range pipelines(t) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(pipeline), 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "reader.yaml"), readerPipeline(t), 0o600))

	env := []string{"PUBLIC_URL=" + address.URL, "REDIS_URL=" + redisURL, "KAFKA_BROKERS=" + kafka.brokers}
	webhook := filepath.Join(folder, "webhook.yaml")
	doors := []*unrest.Feed{unrest.Start(t, binary, sim, webhook, env...), unrest.Start(t, binary, sim, webhook, env...)}
	front.doors = []string{doors[0].Hook, doors[1].Hook}
	unrest.Eventually(t, "both have agreed on one subscription", func() bool {
		active := 0
		for _, w := range sim.Webhooks() {
			if w.Active {
				active++
			}
		}
		return active == 1
	})
	unrest.Start(t, binary, sim, filepath.Join(folder, "poll.yaml"), env...)
	unrest.Start(t, binary, sim, filepath.Join(folder, "reader.yaml"), append(env, "POSTGRES_DSN="+dsn)...)

	front.both.Store(true)
	unrest.Work(t, sim, 100, 2*time.Second)
	unrest.Hurry(sim, 1)
	unrest.Drain(t, sim)
	told := map[string]bool{}
	for _, d := range sim.Deliveries() {
		told[d.EventID] = true
	}
	require.Greater(t, len(told), 200)
	unrest.Eventually(t, "all have come out", func() bool { kafka.read(); return len(kafka.times) == len(told) })
	for id, times := range kafka.times {
		require.Equal(t, 1, times, "the event %s reached both doors", id)
	}
	assert.Positive(t, front.twice.Load(), "some were answered 200 by both")

	front.both.Store(false)
	kafka.away.Store(true)
	unrest.Hurry(sim, 2)
	unrest.Drain(t, sim)
	doors[0].Kill()
	kafka.away.Store(false)
	pending := regexp.MustCompile(`(?m)^pipedrive_journal_pending\{.*\} 0$`)
	unrest.Eventually(t, "the other has delivered what it has", func() bool {
		_, metrics := unrest.Get("http://" + doors[1].HTTP + "/metrics")
		return pending.MatchString(metrics)
	})
	unrest.Hurry(sim, 3) // goes to the one that is there
	unrest.Drain(t, sim)
	kafka.read()
	missing := func() (n int) {
		for _, d := range sim.Deliveries() {
			if kafka.times[d.EventID] == 0 {
				n++
			}
		}
		return n
	}
	waiting := missing()
	assert.Positive(t, waiting, "what the killed one had accepted waits on its disk")
	doors[0].Start()
	unrest.RequireEvents(t, sim, kafka.all, kafka.read)
	assert.Zero(t, missing())
	t.Logf("%d deliveries, %d of them answered 200 by both doors; %d waited for the killed door", len(sim.Deliveries()), front.twice.Load(), waiting)

	db, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer db.Close(t.Context())
	unrest.RequireState(t, sim, func() unrest.State { return records(t, db) })
}

// readerPipeline is the reader of docs/scaling.md with the output of the recipe for PostgreSQL.
func readerPipeline(t *testing.T) []byte {
	t.Helper()
	page, err := os.ReadFile("../../docs/scaling.md")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(page), "```yaml\n")
	require.True(t, found)
	text, _, _ := strings.Cut(after, "```")
	text = strings.Replace(text, "localhost:9092", `"${KAFKA_BROKERS}"`, 1)
	var reader, recipe map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &reader))
	content, err := os.ReadFile("../../config/postgresql.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(content, &recipe))
	reader["output"], reader["output_resources"] = recipe["output"], recipe["output_resources"]
	pipeline, err := yaml.Marshal(reader)
	require.NoError(t, err)
	return pipeline
}

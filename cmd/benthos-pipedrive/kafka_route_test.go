//go:build !no_kafka

package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// kafka is a cluster in this process that speaks Kafka's protocol. While it is away it closes connections instead of
// taking records.
type kafka struct {
	*kfake.Cluster
	gone atomic.Bool
}

func newKafka(t *testing.T, topic string, partitions int32) *kafka {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(partitions, topic))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	k := &kafka{Cluster: cluster}
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return nil, errors.New("the connection is closed"), k.gone.Load()
	})
	return k
}

func (k *kafka) Away() { k.gone.Store(true) }
func (k *kafka) Back() { k.gone.Store(false) }

// A topic has every webhook at least once, all events of a record in one partition, and who folds them has the account.
func TestKafkaTopicTellsTheAccount(t *testing.T) {
	t.Parallel()
	cluster := newKafka(t, "pipedrive", 6)
	brokers := cluster.ListenAddrs()
	sim := unrest.Account(t)
	f := unrest.Run(t, unrest.Program{Path: os.Args[0], Env: []string{asProgram + "=1"}}, sim, "../../config/kafka.yaml",
		"KAFKA_BROKERS="+strings.Join(brokers, ","))
	unrest.Make(t, f, cluster, false)

	reader, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics("pipedrive"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	defer reader.Close()
	all, partitions := unrest.NewEvents(), map[string]int32{}
	unrest.RequireEvents(t, sim, all, func() {
		for {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			fetched := reader.PollFetches(ctx)
			cancel()
			if fetched.NumRecords() == 0 {
				return
			}
			fetched.EachRecord(func(r *kgo.Record) {
				order := ""
				for _, h := range r.Headers {
					if h.Key == "pipedrive_order" {
						order = string(h.Value)
					}
				}
				all.Take(r.Value, order)
				key := string(r.Key)
				e := unrest.Decode(r.Value)
				require.Equal(t, e["object"].(string)+"/"+e["object_id"].(string), key)
				if p, known := partitions[key]; known {
					require.Equal(t, p, r.Partition, key)
				}
				partitions[key] = r.Partition
			})
		}
	})
	f.RequireLetter()
	f.Stop()
}

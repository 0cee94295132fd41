package event_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/event"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

func TestOrderIsTheTimeThenWhoseWordItIs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, want string }{
		{"deal_polled", "2026-11-18T13:05:42.000Z/2/0001-01-01T00:00:00.000Z"},
		{"deal_changed_v1", "2026-11-18T13:05:42.000Z/1/2026-11-18T13:05:42.913Z"},
		{"deal_changed_v2", "2026-11-18T13:05:42.000Z/1/2026-11-18T13:05:42.913Z"},
		{"deal_deleted_poll", "2026-11-19T08:00:00.000Z/3/0001-01-01T00:00:00.000Z"},
	} {
		assert.Equal(t, test.want, read(t, sceneOf(t, test.name), event.Options{}).Order(), test.name)
	}
	for _, test := range []struct{ name, time, want string }{
		{"nobody knows when", "", "0001-01-01T00:00:00.000Z/2/2026-11-18T13:07:01.200Z"},
		{"with a fraction, as leads have it", "2026-11-18T13:05:42.5Z", "2026-11-18T13:05:42.500Z/2/2026-11-18T13:07:01.200Z"},
	} {
		about := event.About{Schema: event.RESTv2, Object: "deal", ObjectID: "1", Action: event.Updated, Time: test.time, ReceivedAt: "2026-11-18T13:07:01.2Z"}
		assert.Equal(t, test.want, read(t, scene{test.name, about, parse(t, []byte(`{"id":1}`))}, event.Options{}).Order(), test.name)
	}
	about := event.About{Schema: event.WebhookV2, Object: "user", ObjectID: "1", Action: event.Updated, Time: "2026-11-18T13:05:42Z"}
	body := parse(t, []byte(`{"data":{"id":1},"meta":{"timestamp":1795007142}}`))
	assert.Equal(t, "2026-11-18T13:05:42.000Z/1/2026-11-18T13:05:42.000Z", read(t, scene{"users have seconds", about, body}, event.Options{}).Order())
}

// Webhooks and polls come in any order, several times, webhooks perhaps not at all: whoever keeps the event with the
// greatest order has the last state, also when all of it happened within one second.
func TestWhoKeepsTheGreatestOrderHasTheLastState(t *testing.T) {
	t.Parallel()
	for round := range 300 {
		random := rand.New(rand.NewPCG(5, uint64(round)))
		sim := simulator.New(simulator.Options{Seed: uint64(round), Deals: 1})
		id := sim.IDs("deals")[0]
		version := []string{"1.0", "2.0"}[round%2]
		var events []*event.Event
		tell := func(action string, change func()) {
			for _, body := range sim.Told(version, change) {
				about := event.About{Schema: "webhook_v" + version[:1], Object: "deal", ObjectID: id, Action: action}
				if action == event.Deleted {
					about.Time = sim.Now().Format(time.RFC3339Nano)
				}
				if random.IntN(3) > 0 {
					events = append(events, read(t, scene{action, about, parse(t, body)}, event.Options{}))
				}
			}
		}
		poll := func(action string) {
			sim.Advance(time.Millisecond)
			about := event.About{Schema: event.RESTv2, Object: "deal", ObjectID: id, Action: action, ReceivedAt: sim.Now().Format(time.RFC3339Nano)}
			if action == event.Deleted {
				about.Time = gjson.GetBytes(sim.Written("deals", id, event.RESTv2), "update_time").Str
			}
			events = append(events, read(t, scene{"polled", about, parse(t, sim.Written("deals", id, event.RESTv2))}, event.Options{}))
		}
		for change := range 6 {
			sim.Advance(time.Duration(random.IntN(3)) * 250 * time.Millisecond)
			tell(event.Updated, func() { sim.Update("deals", id, simulator.Fields{"value": change}) })
			if random.IntN(3) == 0 {
				poll(event.Updated)
			}
			sim.Advance(time.Millisecond)
		}
		gone := round%5 == 0
		if gone {
			tell(event.Deleted, func() { sim.Delete("deals", id) })
			poll(event.Deleted)
		} else {
			poll(event.Updated)
		}
		events = append(events, events...)
		random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		kept := slices.MaxFunc(events, func(a, b *event.Event) int { return strings.Compare(a.Order(), b.Order()) })
		if gone {
			require.Equal(t, event.Deleted, kept.Action, "round %d", round)
		} else {
			require.Equal(t, json.Number("5"), kept.Data["value"], "round %d", round)
		}
	}
}

// By webhooks alone the last state wins too, in both versions.
func TestWebhooksOfOneSecondComeInTheirOrder(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.0", "2.0"} {
		sim := simulator.New(simulator.Options{Deals: 1})
		id := sim.IDs("deals")[0]
		var orders []string
		for change := range 5 {
			for _, body := range sim.Told(version, func() { sim.Update("deals", id, simulator.Fields{"value": change}) }) {
				about := event.About{Schema: "webhook_v" + version[:1], Object: "deal", ObjectID: id, Action: event.Updated}
				e := read(t, scene{version, about, parse(t, body)}, event.Options{})
				assert.Equal(t, json.Number(strconv.Itoa(change)), e.Data["value"])
				orders = append(orders, e.Order())
			}
			sim.Advance(2 * time.Millisecond)
		}
		require.Len(t, orders, 5)
		assert.IsIncreasing(t, orders)
	}
}

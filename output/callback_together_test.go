package output_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
)

// polled is a record as pipedrive_poll hands it on.
func polled(object string, id int) *service.Message {
	m := service.NewMessage(fmt.Appendf(nil, `{"id":%d,"title":"A < B & C","value":2500.10,"update_time":"2026-11-20T09:15:00Z","add_time":"2026-11-01T08:00:00Z"}`, id))
	for name, value := range map[string]string{
		"pipedrive_via": "poll", "pipedrive_schema": "rest_v2", "pipedrive_object": object, "pipedrive_id": fmt.Sprint(id), "pipedrive_action": "updated",
		"pipedrive_time": "2026-11-20T09:15:00Z", "pipedrive_company_id": "70551", "pipedrive_host": "kestrel.pipedrive.com", "pipedrive_instance_id": "20931",
	} {
		m.MetaSetMut(name, value)
	}
	return m
}

func polledPage(deals, persons int) (batch service.MessageBatch) {
	for i := range deals {
		batch = append(batch, polled("deal", 9007199254740993+i))
	}
	for i := range persons {
		batch = append(batch, polled("person", i+1))
	}
	return batch
}

const elements = "pipedrive_normalize: { format: elements, elements: { events_per_message: 10 } }"

// Cloud Elements had up to ten events in a notification when it polled.
func TestPolledEventsOfOneObjectShareNotificationsOfUpToTen(t *testing.T) {
	far := newReceiver(t, nil)
	p := newPipeline(t, far, "pipedrive_callback: { url: '%URL', signature: { scheme: elements, keys: [ key ] } }", elements)
	require.NoError(t, p.send(t.Context(), polledPage(25, 3)))
	p.stop()
	sizes := map[string][]int{}
	seen := map[string]bool{}
	for _, body := range far.bodies() {
		n := gjson.Parse(body)
		events := n.Get("message.events").Array()
		kind := events[0].Get("objectType").Str
		sizes[kind] = append(sizes[kind], len(events))
		for i, e := range events {
			assert.Equal(t, kind, e.Get("objectType").Str)
			assert.Equal(t, "pipedrive", e.Get("elementKey").Str)
			id := e.Get("objectId").Str
			assert.False(t, seen[kind+id], "%s %s comes twice", kind, id)
			seen[kind+id] = true
			record := n.Get(fmt.Sprintf("message.raw.objects.%d", i))
			assert.Equal(t, id, record.Get("id").Raw, "the body of each event, digit by digit")
			assert.Equal(t, "2500.10", record.Get("value").Raw)
		}
		assert.Equal(t, events[0].Get("objectId").Str, n.Get("message.raw.objectId").Str)
		assert.Equal(t, n.Get("id").Raw, n.Get("message.eventId").Raw)
		assert.Equal(t, "20931", n.Get("message.instanceId").Raw)
		assert.Contains(t, body, "A < B & C")
	}
	assert.Equal(t, map[string][]int{"opportunities": {10, 10, 5}, "contacts": {3}}, sizes)
	assert.Len(t, seen, 28)
}

// An event alone is what it was without this.
func TestOneEventAloneIsUnchanged(t *testing.T) {
	far := newReceiver(t, nil)
	p := newPipeline(t, far, "pipedrive_callback: { url: '%URL', signature: { scheme: elements, keys: [ key ] } }", elements)
	require.NoError(t, p.send(t.Context(), polledPage(1, 0)))
	p.stop()
	assert.NotContains(t, far.bodies()[0], `"objects"`)
	assert.Regexp(t, "^pd1_", far.ids[0])
}

// The ids of a notification are those of just these events: a receiver that remembers one must not drop others.
func TestANotificationIsKnownByAllItsEvents(t *testing.T) {
	far := newReceiver(t, nil)
	p := newPipeline(t, far, "pipedrive_callback: { url: '%URL', signature: { scheme: elements, keys: [ key ] } }", elements)
	ids := map[string]string{}
	numbers := map[string]string{}
	for _, name := range []string{"two", "two again", "one more", "the first"} {
		batch := polledPage(2, 0)
		switch name {
		case "one more":
			batch = polledPage(3, 0)
		case "the first":
			batch = polledPage(1, 0)
		}
		require.NoError(t, p.send(t.Context(), batch))
		bodies := far.bodies()
		ids[name] = far.ids[len(bodies)-1]
		numbers[name] = gjson.Get(bodies[len(bodies)-1], "message.eventId").Raw
	}
	p.stop()
	assert.Equal(t, ids["two"], ids["two again"], "the same over replays")
	assert.Equal(t, numbers["two"], numbers["two again"])
	for _, of := range []map[string]string{ids, numbers} {
		assert.NotEqual(t, of["two"], of["one more"])
		assert.NotEqual(t, of["two"], of["the first"])
	}
}

// The refusal of a notification is that of each of its events, and of no other.
func TestTheVerdictOnANotificationIsThatOfItsEvents(t *testing.T) {
	far := newReceiver(t, func(w http.ResponseWriter, body string) {
		if strings.Contains(body, "contacts") {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	file := filepath.Join(t.TempDir(), "dead_letters.jsonl")
	p := newPipeline(t, far, withDeadLetters(file, quick), elements)
	require.NoError(t, p.send(t.Context(), polledPage(12, 3)))
	p.stop()
	assert.Len(t, far.bodies(), 3)
	lines := deadLetters(t, file)
	require.Len(t, lines, 3)
	for _, line := range lines {
		letter := read(t, line)
		assert.Equal(t, "contacts", gjson.Get(letter.Body, "message.events.0.objectType").Str)
		assert.Equal(t, "1", gjson.Get(letter.Body, "message.events.#").Raw)
		assert.Regexp(t, "^pd1_", letter.Metadata["pipedrive_event_key"])
	}
}

// What cannot be joined is sent one by one, not lost.
func TestWhatIsNoNotificationIsSentAlone(t *testing.T) {
	far := newReceiver(t, nil)
	p := newPipeline(t, far, "pipedrive_callback: { url: '%URL', signature: { scheme: none } }",
		`mapping: 'meta pipedrive_together = "10"'`)
	bodies := []string{
		`{"message":{"events":[{}],"raw":{"object":{}}}}`, `{"message":{"events":[],"raw":{"object":{}}}}`,
		`{"message":{"events":[{}],"raw":{}}}`, `{"message":7}`, `no JSON`,
	}
	require.NoError(t, p.send(t.Context(), batchOf(bodies...)))
	p.stop()
	assert.Equal(t, bodies, far.bodies())
}

// With one slot all leave in the order in which they came, so only neighbours can share a notification.
func TestOneInFlightJoinsOnlyWhatFollowsEachOther(t *testing.T) {
	far := newReceiver(t, nil)
	p := newPipeline(t, far, "pipedrive_callback: { url: '%URL', signature: { scheme: none }, max_in_flight: 1 }", elements)
	batch := append(polledPage(2, 1), polledPage(1, 2)...)
	require.NoError(t, p.send(t.Context(), batch))
	p.stop()
	var order []string
	for _, body := range far.bodies() {
		order = append(order, gjson.Get(body, "message.raw.objectType").Str+gjson.Get(body, "message.events.#").Raw)
	}
	assert.Equal(t, []string{"opportunities2", "contacts1", "opportunities1", "contacts2"}, order)
}

// Headers that differ cannot be those of one request.
func TestMessagesWithOtherHeadersShareNoNotification(t *testing.T) {
	far := newReceiver(t, nil)
	p := newPipeline(t, far, "pipedrive_callback: { url: '%URL', signature: { scheme: none }, headers: { X-Id: '${! @pipedrive_id }' } }", elements)
	require.NoError(t, p.send(t.Context(), polledPage(3, 0)))
	p.stop()
	assert.Len(t, far.bodies(), 3)
}

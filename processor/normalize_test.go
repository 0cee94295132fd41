package processor

import (
	"strings"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

const (
	polledDeal  = `{"id":7,"title":"Forklift lease","value":2500.10,"update_time":"2026-11-20T09:15:00Z","add_time":"2026-11-01T08:00:00Z","custom_fields":{}}`
	changedDeal = `{"data":{"id":7,"title":"Forklift lease","value":2500.10,"update_time":"2026-11-20T09:15:00Z","add_time":"2026-11-01T08:00:00Z","custom_fields":{}},"previous":{"title":"Forklift"},` +
		`"meta":{"action":"change","entity":"deal","entity_id":"7","company_id":"70551","id":"c1d5d0a2-1111-4a4a-9b9b-0a0b0c0d0e0f","version":"2.0","timestamp":"2026-11-20T09:15:00.426Z","attempt":2,"host":"kestrel.pipedrive.com"}}`
)

var polledMetadata = map[string]string{
	spec.MetaVia: "poll", spec.MetaSchema: "rest_v2", spec.MetaObject: "deal", spec.MetaID: "7", spec.MetaAction: "updated",
	spec.MetaTime: "2026-11-20T09:15:00Z", spec.MetaCompanyID: "70551", spec.MetaHost: "kestrel.pipedrive.com",
}

func newProcessor(t *testing.T, yaml string) *normalize {
	t.Helper()
	n, err := tryProcessor(t, yaml)
	require.NoError(t, err)
	return n
}

func tryProcessor(t *testing.T, yaml string) (*normalize, error) {
	t.Helper()
	conf, err := normalizeSpec().ParseYAML(yaml, nil)
	require.NoError(t, err)
	return newNormalize(conf, service.MockResources())
}

func message(content string, metadata map[string]string) *service.Message {
	m := service.NewMessage([]byte(content))
	for name, value := range metadata {
		m.MetaSetMut(name, value)
	}
	return m
}

// run returns the content of what comes out; that of a failed message is its error.
func run(t *testing.T, n *normalize, batch ...*service.Message) (contents []string, out service.MessageBatch) {
	t.Helper()
	batches, err := n.ProcessBatch(t.Context(), batch)
	require.NoError(t, err)
	require.Len(t, batches, 1)
	for _, m := range batches[0] {
		content, err := m.AsBytes()
		require.NoError(t, err)
		if m.GetError() != nil {
			content = []byte(m.GetError().Error())
		}
		contents = append(contents, string(content))
	}
	return contents, batches[0]
}

func TestBothDoorsGiveOneEvent(t *testing.T) {
	n := newProcessor(t, ``)
	contents, out := run(t, n, message(polledDeal, polledMetadata), message(changedDeal, nil))
	polled, pushed := gjson.Parse(contents[0]), gjson.Parse(contents[1])
	assert.Equal(t, polled.Get("id").Str, pushed.Get("id").Str)
	assert.JSONEq(t, polled.Get("data").Raw, pushed.Get("data").Raw)
	assert.Equal(t, "2500.10", pushed.Get("data.value").Raw)
	assert.Equal(t, `["title"]`, pushed.Get("changed").Raw)
	assert.Equal(t, "null", polled.Get("changed").Raw)
	assert.Equal(t, "poll", polled.Get("source.via").Str)
	assert.JSONEq(t, `{"via":"webhook","schema":"webhook_v2","event_id":"c1d5d0a2-1111-4a4a-9b9b-0a0b0c0d0e0f","attempt":2,"bulk":false}`, pushed.Get("source").Raw)
	for i, m := range out {
		key, _ := m.MetaGet(spec.MetaEventKey)
		assert.Equal(t, gjson.Get(contents[i], "id").Str, key)
		order, _ := m.MetaGet(spec.MetaOrder)
		assert.True(t, strings.HasPrefix(order, strings.TrimSuffix(gjson.Get(contents[i], "time").Str, "Z")+".000Z/"), order)
	}
}

// A message that is nothing of Pipedrive's keeps its content and says what was expected; the others are unharmed.
func TestOneBadMessageHarmsNoOther(t *testing.T) {
	n := newProcessor(t, ``)
	bad := []struct {
		content, errContains string
		metadata             map[string]string
	}{
		{`not JSON`, "expected a Pipedrive record or webhook, got a message that is not JSON", nil},
		{polledDeal + polledDeal, "got a message that is not JSON", polledMetadata},
		{`{"id":7}`, "expected a webhook, or a record with the metadata pipedrive_schema or the field object", nil},
		{`{"meta":{"action":"change"}}`, "expected meta.version 2.0 or v 1", nil},
		{`[1]`, "expected a JSON object, got an array of 1", map[string]string{spec.MetaSchema: "webhook_v2", spec.MetaObject: "deal"}},
		{`{"id":7}`, "expected one of the schemas", map[string]string{spec.MetaSchema: "rest_v9"}},
	}
	batch := service.MessageBatch{message(polledDeal, polledMetadata)}
	for _, b := range bad {
		batch = append(batch, message(b.content, b.metadata))
	}
	batch = append(batch, message(changedDeal, nil))
	_, out := run(t, n, batch...)
	require.Len(t, out, len(batch))
	assert.NoError(t, out[0].GetError())
	assert.NoError(t, out[len(out)-1].GetError())
	for i, b := range bad {
		require.ErrorContains(t, out[i+1].GetError(), b.errContains)
		content, err := out[i+1].AsBytes()
		require.NoError(t, err)
		assert.Equal(t, b.content, string(content))
	}
}

// Processors before may have left any of Go's numbers, of which Bloblang makes some: they count as what they are written.
func TestNumbersThatAnotherProcessorLeftCount(t *testing.T) {
	n := newProcessor(t, ``)
	mapped := func(value float64) *service.Message {
		m := message("", polledMetadata)
		m.SetStructured(map[string]any{
			"id": int64(7), "title": "Forklift lease", "value": value, "custom_fields": map[string]any{},
			"update_time": "2026-11-20T09:15:00Z", "add_time": "2026-11-01T08:00:00Z",
		})
		return m
	}
	contents, _ := run(t, n, message(polledDeal, polledMetadata), mapped(2500.1), mapped(2500.2))
	id := func(i int) string { return gjson.Get(contents[i], "id").Str }
	assert.Equal(t, id(0), id(1))
	assert.NotEqual(t, id(1), id(2), "another value is another state")
}

// Metadata says which record a message was: what became of it since may be none.
func TestWhatIsNoRecordAnyMoreFails(t *testing.T) {
	n := newProcessor(t, ``)
	for _, format := range []string{"event", "cloudevents", "elements", "debezium"} {
		_, events := run(t, newProcessor(t, `format: `+format), message(polledDeal, polledMetadata))
		_, out := run(t, n, events...)
		assert.ErrorContains(t, out[0].GetError(), "expected record 7, got", "the event of another pipedrive_normalize in the form %s", format)
		_, events = run(t, newProcessor(t, `format: `+format), message(changedDeal, nil))
		_, out = run(t, n, events...)
		assert.ErrorContains(t, out[0].GetError(), "expected a webhook with meta, got an object of", "of a webhook, %s", format)
	}
	_, out := run(t, n, message(`{"owner":"Mara"}`, polledMetadata), message(`{"id":8}`, polledMetadata), message(`{"id":7}`, polledMetadata))
	assert.ErrorContains(t, out[0].GetError(), "expected record 7, got one without an id")
	assert.ErrorContains(t, out[1].GetError(), "expected record 7, got another")
	assert.NoError(t, out[2].GetError())
}

func TestARecordFromElsewhereNeedsItsObject(t *testing.T) {
	contents, _ := run(t, newProcessor(t, `object: ${! metadata("topic") }`),
		message(polledDeal, map[string]string{"topic": "deals"}),
		message(`{"id":3,"name":"Crane","active_flag":true}`, map[string]string{"topic": "product"}),
		message(`{"id":"x","name":"Quote"}`, map[string]string{"topic": "quote"}),
		message(`{"id":7}`, nil))
	assert.Equal(t, "deal", gjson.Get(contents[0], "object").Str)
	assert.Equal(t, "snapshot", gjson.Get(contents[0], "action").Str)
	assert.Equal(t, "rest_v1", gjson.Get(contents[1], "source.schema").Str)
	assert.Equal(t, "false", gjson.Get(contents[1], "data.is_deleted").Raw)
	assert.Equal(t, "quote", gjson.Get(contents[2], "object").Str)
	assert.Contains(t, contents[3], "the field object")
}

func TestAnObjectIsAWord(t *testing.T) {
	contents, _ := run(t, newProcessor(t, `object: ${! metadata("topic") }`), message(polledDeal, map[string]string{"topic": "CRM Deals"}))
	assert.Contains(t, contents[0], `object: "CRM Deals" is no name of the catalogue, and not in snake_case`)
}

// Who goes by metadata, to route or to make keys, finds it in messages from elsewhere too.
func TestWhatTheBodySaysIsInTheMetadata(t *testing.T) {
	_, out := run(t, newProcessor(t, `object: deals`), message(polledDeal, nil), message(changedDeal, nil), message(`{"id":7}`, map[string]string{spec.MetaCompanyID: "70551"}))
	for i, want := range []map[string]string{
		{spec.MetaSchema: "rest_v2", spec.MetaAction: "snapshot", spec.MetaTime: "2026-11-20T09:15:00Z", spec.MetaCompanyID: "", spec.MetaVia: ""},
		{spec.MetaSchema: "webhook_v2", spec.MetaAction: "updated", spec.MetaTime: "2026-11-20T09:15:00Z", spec.MetaCompanyID: "70551", spec.MetaVia: "webhook", spec.MetaAttempt: "2"},
		{spec.MetaSchema: "rest_v2", spec.MetaAction: "snapshot", spec.MetaTime: "", spec.MetaCompanyID: "70551"},
	} {
		want[spec.MetaObject], want[spec.MetaID] = "deal", "7"
		for name, value := range want {
			got, has := out[i].MetaGet(name)
			assert.Equal(t, value, got, name)
			assert.Equal(t, value != "", has, name)
		}
	}
}

// Some ways to carry a message keep some of its metadata: the object need not be said twice.
func TestTheObjectMayBeInTheMetadata(t *testing.T) {
	contents, _ := run(t, newProcessor(t, ``), message(polledDeal, map[string]string{spec.MetaObject: "deal", spec.MetaAction: "created", spec.MetaCompanyID: "70551"}))
	assert.Equal(t, "deal created 70551", gjson.Get(contents[0], "object").Str+" "+gjson.Get(contents[0], "action").Str+" "+gjson.Get(contents[0], "account.company_id").Str)
}

func TestFormats(t *testing.T) {
	for format, path := range map[string]string{"event": "object_id", "cloudevents": "subject", "elements": "message.events.0.objectId", "debezium": "source.object_id"} {
		contents, _ := run(t, newProcessor(t, `format: `+format), message(changedDeal, nil))
		assert.Equal(t, "7", gjson.Get(contents[0], path).Str, format)
	}
}

func TestBadConfigurationIsRefused(t *testing.T) {
	for yaml, errContains := range map[string]string{
		`format: avro`:                      `format: "avro" is not one of cloudevents, debezium, elements, event`,
		`unknown_fields: maybe`:             `unknown_fields: "maybe" is not one of keep, drop`,
		`elements: {events_per_message: 0}`: `elements.events_per_message: 0 is not from 1 to 1000`,
	} {
		_, err := tryProcessor(t, yaml)
		assert.ErrorContains(t, err, errContains, yaml)
	}
}

// Joining them is the output's work: a message that stood for several would lose all but one when the host delivers
// again what an output refused.
func TestMessagesThatMayShareANotificationSaySo(t *testing.T) {
	for yaml, want := range map[string]string{
		"format: elements\nelements: {events_per_message: 10}": "10",
		"format: elements": "",
		"format: event\nelements: {events_per_message: 10}": "",
	} {
		_, out := run(t, newProcessor(t, yaml), message(polledDeal, polledMetadata), message(polledDeal, polledMetadata))
		require.Len(t, out, 2)
		got, _ := out[1].MetaGet(spec.MetaTogether)
		assert.Equal(t, want, got, yaml)
	}
}

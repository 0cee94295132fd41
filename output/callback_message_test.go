package output

import (
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const unsigned = "url: 'https://app.example.com/events'\nsignature: { scheme: none }\n"

func message(body string, meta ...string) *service.Message {
	m := service.NewMessage([]byte(body))
	for i := 0; i < len(meta); i += 2 {
		m.MetaSetMut(meta[i], meta[i+1])
	}
	return m
}

// idOf is the message id that a message gets.
func idOf(t *testing.T, yaml string, m *service.Message) (string, error) {
	t.Helper()
	out, err := open(t, unsigned+yaml)
	require.NoError(t, err)
	post, err := out.conf.message(service.MessageBatch{m}, 0)
	return post.ID, err
}

func TestTheMessageIDIsTheEvents(t *testing.T) {
	const key = "pd1_9f86d081884c7d659a2feaa0c55ad015"
	for _, test := range []struct {
		name string
		m    *service.Message
	}{
		{"as an event", message(`{"id":"` + key + `","object":"deal"}`)},
		{"as a cloud event", message(`{"specversion":"1.0","id":"` + key + `"}`)},
		{"in the form of Cloud Elements, whose id is another", message(`{"id":5550001,"message":{}}`, "pipedrive_event_key", key)},
		{"in that of Debezium, which has none", message(`{"before":null,"after":{"id":"pd1_no"},"op":"c"}`, "pipedrive_event_key", key)},
		{"where the metadata know better", message(`{"id":"pd1_no"}`, "pipedrive_event_key", key)},
	} {
		id, err := idOf(t, "", test.m)
		require.NoError(t, err, test.name)
		assert.Equal(t, key, id, test.name)
	}
}

// A record's id is shared by all its changes: a receiver that remembers ids would drop the second.
func TestARecordsIDIsNotTakenForTheEvents(t *testing.T) {
	ids := map[string]string{}
	for _, test := range []struct {
		name string
		m    *service.Message
	}{
		{"a deal", message(`{"id":101,"title":"a"}`, "pipedrive_object", "deal")},
		{"the deal, changed", message(`{"id":101,"title":"b"}`, "pipedrive_object", "deal")},
		{"a lead, whose id is a text", message(`{"id":"adf21080-0e10-11eb-879b-05d71fb426ec","title":"a"}`, "pipedrive_object", "lead")},
		{"the lead, changed", message(`{"id":"adf21080-0e10-11eb-879b-05d71fb426ec","title":"b"}`, "pipedrive_object", "lead")},
		{"a stage is gone", message(`{"id":7}`, "pipedrive_object", "stage")},
		{"a pipeline with its id is gone", message(`{"id":7}`, "pipedrive_object", "pipeline")},
		{"so it is in another company", message(`{"id":7}`, "pipedrive_object", "pipeline", "pipedrive_company_id", "12345")},
		{"no JSON", message(`deal 101`)},
		{"nothing", message(``)},
	} {
		id, err := idOf(t, "", test.m)
		require.NoError(t, err)
		again, err := idOf(t, "", test.m.Copy())
		require.NoError(t, err)
		assert.Equal(t, id, again, "%s: the same over retries and replays", test.name)
		assert.Regexp(t, `^body_[0-9a-f]{32}$`, id)
		assert.Empty(t, ids[id], "%s has the id of another", test.name)
		ids[id] = test.name
	}
}

func TestTheMessageIDCanBeChosen(t *testing.T) {
	id, err := idOf(t, "message_id: '${! json(\"event.id\") }'", message(`{"event":{"id":42}}`, "pipedrive_event_key", "pd1_no"))
	require.NoError(t, err)
	assert.Equal(t, "42", id)

	// All messages without the value would have one id, and a receiver drop all but the first.
	_, err = idOf(t, "message_id: '${! json(\"event.id\") }'", message(`{}`))
	require.ErrorContains(t, err, "message_id: came out as null")
	_, err = idOf(t, "message_id: '${! json(\"event.id\") }'", message(`no JSON`))
	require.ErrorContains(t, err, "message_id")
}

func TestHeadersAreComputedForEachMessage(t *testing.T) {
	out, err := open(t, unsigned+"headers: { x-team: sales, X-Object: '${! @pipedrive_object }', X-Of: '${! batch_size() }' }")
	require.NoError(t, err)
	batch := service.MessageBatch{message(`{}`, "pipedrive_object", "deal"), message(`{}`, "pipedrive_object", "evil\r\nX-Evil: 1")}
	post, err := out.conf.message(batch, 0)
	require.NoError(t, err)
	assert.Equal(t, "sales", post.Header.Get("X-Team"))
	assert.Equal(t, "deal", post.Header.Get("X-Object"))
	assert.Equal(t, "2", post.Header.Get("X-Of"))
	_, err = out.conf.message(batch, 1)
	require.ErrorContains(t, err, "headers.X-Object: has a line break")
}

func TestLanesKeepTheOrderOfEachRecord(t *testing.T) {
	batch := service.MessageBatch{
		message("0", "pipedrive_object", "deal", "pipedrive_id", "1"),
		message("1"),
		message("2", "pipedrive_object", "person", "pipedrive_id", "1"),
		message("3", "pipedrive_object", "deal", "pipedrive_id", "1"),
		message("4"),
		message("5", "pipedrive_object", "deal", "pipedrive_id", "1", "pipedrive_company_id", "2"),
	}
	out, err := open(t, unsigned)
	require.NoError(t, err)
	assert.Equal(t, [][]int{{0, 3}, {1, 4}, {2}, {5}}, out.lanes(batch, make([]error, len(batch))))

	out, err = open(t, unsigned+"max_in_flight: 1")
	require.NoError(t, err)
	assert.Equal(t, [][]int{{0, 1, 2, 3, 4, 5}}, out.lanes(batch, make([]error, len(batch))))
}

func TestMetadataAreNotSentByThemselves(t *testing.T) {
	out, err := open(t, unsigned)
	require.NoError(t, err)
	post, err := out.conf.message(service.MessageBatch{message(`{}`, "pipedrive_host", "acme.pipedrive.com")}, 0)
	require.NoError(t, err)
	assert.Empty(t, post.Header)
}

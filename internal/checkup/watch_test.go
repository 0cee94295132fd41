package checkup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func sample(name string, value float64, labels ...string) Sample {
	s := Sample{Name: name, Labels: map[string]string{}, Value: value}
	for i := 0; i < len(labels); i += 2 {
		s.Labels[labels[i]] = labels[i+1]
	}
	return s
}

var crm = []string{"label", "crm", "path", "root.input"}

func of(object string, more ...string) []string {
	return append(append([]string{"object", object}, crm...), more...)
}

func TestAViewTellsHowEachObjectComesOn(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	then := Snapshot{At: at.Add(-2 * time.Second), Running: Running{Metrics: Metrics{
		sample("pipedrive_records_total", 40, of("persons", "action", "updated")...),
		sample("pipedrive_webhook_requests_total", 10, "result", "accepted"),
	}}}
	now := Snapshot{At: at, Running: Running{Metrics: Metrics{
		sample("pipedrive_first_walk_done", 1, of("persons")...),
		sample("pipedrive_first_walk_done", 0, of("deals")...),
		sample("pipedrive_first_walk_done", 0, "object", "deals", "label", "", "path", "root.input", "stream", "b"),
		sample("pipedrive_first_walk_records", 12_500, of("deals")...),
		sample("pipedrive_first_walk_pages", 25, of("deals")...),
		sample("pipedrive_first_walk_records_per_second", 1250, of("deals")...),
		sample("pipedrive_first_walk_seconds_left", 90, of("deals")...),
		sample("pipedrive_records_total", 40, of("persons", "action", "updated")...),
		sample("pipedrive_records_total", 5, of("persons", "action", "created")...),
		sample("pipedrive_records_total", 500, "object", "persons", "label", "other", "path", "root.input", "action", "created"),
		sample("pipedrive_poll_lag_seconds", 12, of("persons")...),
		sample("pipedrive_poll_interval_seconds", 60, of("persons")...),
		sample("pipedrive_tokens_remaining", 900, crm...),
		sample("pipedrive_tokens_remaining", 800, "label", "door"),
		sample("pipedrive_journal_pending", 3, "label", "door"),
		sample("pipedrive_webhook_requests_total", 14, "result", "accepted"),
		sample("pipedrive_webhook_requests_total", 99, "result", "unauthorized"),
	}}}
	v := Look(&then, now)
	assert.Equal(t, []ObjectView{
		{Where: "b root.input", Object: "deals", First: true, Rate: -1, Lag: -time.Second},
		{Where: "crm", Object: "deals", First: true, Records: 12_500, Pages: 25, Rate: 1250, Left: 90 * time.Second, Lag: -time.Second},
		{Where: "crm", Object: "persons", Records: 45, Rate: 2.5, Lag: 12 * time.Second, Every: time.Minute},
	}, v.Objects)
	require.NotNil(t, v.Tokens)
	assert.EqualValues(t, 800, *v.Tokens, "components of one company tell the same; the latest is the least")
	require.NotNil(t, v.Journal)
	assert.EqualValues(t, 3, *v.Journal)
	require.NotNil(t, v.Webhooks)
	assert.InDelta(t, 2, *v.Webhooks, 0.001)

	v = Look(nil, now)
	assert.InDelta(t, -1, v.Objects[2].Rate, 0, "one moment shows no rate")
	assert.Nil(t, v.Webhooks)
	v = Look(&now, Snapshot{At: at.Add(time.Second)})
	assert.Empty(t, v.Objects)
	assert.Nil(t, v.Tokens)
	assert.Nil(t, v.Journal)
}

func TestAComponentFindsItsOwnSeries(t *testing.T) {
	t.Parallel()
	m := Metrics{
		sample("pending", 1, "label", "door", "path", "root.input"),
		sample("pending", 2, "label", "", "path", "root.input"),
		sample("pending", 4, "label", "", "path", "root.input", "stream", "a"),
		sample("pending", 8, "label", "", "path", "root.input", "stream", "b"),
	}
	for _, test := range []struct {
		where Where
		sum   float64
	}{
		{Where{Label: "door", Path: "root.input_resources.0"}, 1},
		{Where{Path: "root.input"}, 2 + 4 + 8},
		{Where{Path: "root.input", Stream: "a"}, 2 + 4},
		{Where{Path: "root.output"}, 0},
	} {
		sum, told := m.Sum("pending", &test.where)
		assert.InDelta(t, test.sum, sum, 0, "%+v", test.where)
		assert.Equal(t, test.sum > 0, told)
	}
}

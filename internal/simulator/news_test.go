package simulator_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// told makes changes and returns the bodies of the one webhook, which is of the version.
func told(t *testing.T, version string, changes func(*simulator.Simulator)) (bodies []gjson.Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := everything(8)
		o.SendAtOnce = 1 // so that they come in the order of the changes
		s, r := hooked(t, o, simulator.Webhook{Version: version})
		changes(s)
		drain(t, s)
		bodies = r.all()
		for _, b := range bodies {
			require.True(t, gjson.Valid(b.Raw), b.Raw)
		}
	})
	return bodies
}

func TestChangeInVersion2(t *testing.T) {
	t.Parallel()
	var now time.Time
	got := told(t, "2.0", func(s *simulator.Simulator) {
		s.Advance(426 * time.Millisecond)
		now = s.Now()
		s.Update("deals", "3", simulator.Fields{"stage_id": 77, "stage_change_time": now})
	})
	require.Len(t, got, 1)
	b := got[0]
	assert.Equal(t, []string{"data", "previous", "meta"}, keysOf(b))
	assert.JSONEq(t, `["change","deal","3","10400001","1","1900001","1","2.0","general","app",1,false,"acme-sandbox.pipedrive.com"]`,
		b.Get(`meta.[action,entity,entity_id,company_id,user_id,webhook_id,webhook_owner_id,version,type,change_source,attempt,is_bulk_edit,host]`).Raw)
	assert.Equal(t, now.Format("2006-01-02T15:04:05.000Z"), b.Get("meta.timestamp").Str)
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$`, b.Get("meta.id").Str)
	assert.NotEqual(t, b.Get("meta.id").Str, b.Get("meta.correlation_id").Str)
	assert.Equal(t, `["1","2","3","4","5","6","7","8"]`, b.Get("meta.permitted_user_ids").Raw)
	assert.False(t, b.Get("meta.merged_to_id").Exists())
	assert.Equal(t, "77", b.Get("data.stage_id").Raw)
	assert.Equal(t, []string{"stage_id"}, keysOf(b.Get("previous")), "the times have changed too, and are not told")
	assert.Equal(t, `"3"`, b.Get("data.visible_to").Raw)
	for _, key := range []string{"is_deleted", "local_won_date", "arr"} {
		assert.False(t, b.Get("data."+key).Exists(), key)
	}
}

func TestCustomFieldsInVersion2NameTheirType(t *testing.T) {
	t.Parallel()
	var state map[string][]byte
	var keys []string
	types := map[string]bool{}
	for _, b := range told(t, "2.0", func(s *simulator.Simulator) {
		for _, id := range s.IDs("deals") {
			s.Update("deals", id, simulator.Fields{"title": "x"})
		}
		state = s.State("deals")
		for _, f := range s.CustomFields("deals") {
			keys = append(keys, f.Key)
		}
	}) {
		listed := gjson.ParseBytes(state[b.Get("meta.entity_id").Str]).Get("custom_fields")
		assert.Equal(t, keys, keysOf(b.Get("data.custom_fields")), "those without a value are null")
		b.Get("data.custom_fields").ForEach(func(key, value gjson.Result) bool {
			was := listed.Get(key.Str)
			if value.Type == gjson.Null {
				assert.Equal(t, gjson.Null, was.Type, "null or absent")
				return true
			}
			types[value.Get("type").Str] = true
			switch value.Get("type").Str {
			case "enum", "user", "org", "people":
				assert.Equal(t, was.Raw, value.Get("id").Raw)
			case "set":
				assert.Equal(t, was.Raw, value.Get("values.#.id").Raw)
			case "monetary":
				assert.Equal(t, was.Get("currency").Raw, value.Get("currency").Raw)
				assert.Equal(t, was.Get("value").Raw, value.Get("value").Raw)
			case "daterange", "timerange":
				assert.Equal(t, was.Get("value").Raw, value.Get("from").Raw)
				assert.Equal(t, was.Get("until").Raw, value.Get("until").Raw)
				assert.False(t, value.Get("value").Exists())
			case "time":
				assert.Equal(t, was.Get("value").Raw, value.Get("value").Raw)
				assert.Equal(t, was.Get("timezone_id").Raw, value.Get("timezone_id").Raw)
				assert.False(t, value.Get("timezone_name").Exists())
			case "address":
				assert.Equal(t, was.Get("locality").Raw, value.Get("locality").Raw)
			default:
				assert.Equal(t, was.Raw, value.Get("value").Raw)
			}
			return true
		})
	}
	assert.Len(t, types, 16, "every type comes up: %v", types)
}

func TestPreviousHasWhatChanged(t *testing.T) {
	t.Parallel()
	got := told(t, "2.0", func(s *simulator.Simulator) {
		s.Update("deals", "1", simulator.Fields{"status": "open", "won_time": nil, "close_time": nil, "lost_time": nil, "lost_reason": nil})
		s.Advance(time.Minute)
		s.Update("deals", "1", simulator.Fields{"status": "won", "won_time": s.Now(), "close_time": s.Now(), "stage_change_time": s.Now()})
		s.Update("deals", "1", simulator.Fields{"custom_fields": simulator.Fields{"k": "new"}})
		s.Touch("deals", "1")
		s.Advance(time.Minute)
		s.Update("notes", "1", simulator.Fields{"content": "other"})
	})
	require.Len(t, got, 5)
	assert.ElementsMatch(t, []string{"status", "won_time", "close_time", "update_time", "first_won_time"}, keysOf(got[1].Get("previous")))
	assert.JSONEq(t, `{"custom_fields":{"k":null}}`, got[2].Get("previous").Raw)
	assert.JSONEq(t, `{"type":"varchar","value":"new"}`, got[2].Get("data.custom_fields.k").Raw)
	assert.Equal(t, []string{"content", "update_time"}, keysOf(got[4].Get("previous")), "notes tell of the time")
	assert.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`, got[4].Get("data.update_time").Str)
}

func TestCreateAndDeleteInVersion2(t *testing.T) {
	t.Parallel()
	var before []byte
	got := told(t, "2.0", func(s *simulator.Simulator) {
		before, _ = s.Get("persons", "2")
		s.Add("deals", simulator.Fields{"title": "New"})
		s.Delete("persons", "2")
		s.SetQuirks(func(q *simulator.Quirks) { q.NewHasUpdateTime = true })
		s.Add("deals", nil)
		s.Purge("deals", "5") // thirty days later, when nobody is told
		s.Add("files", nil)   // files have no webhooks
	})
	require.Len(t, got, 3)
	assert.Equal(t, "create", got[0].Get("meta.action").Str)
	assert.Equal(t, "null", got[0].Get("previous").Raw)
	assert.Equal(t, "null", got[0].Get("data.update_time").Raw)
	assert.NotEqual(t, "null", got[0].Get("data.add_time").Raw)
	assert.Equal(t, "delete", got[1].Get("meta.action").Str)
	assert.Equal(t, "null", got[1].Get("data").Raw)
	assert.Equal(t, gjson.GetBytes(before, "name").Str, got[1].Get("previous.name").Str)
	assert.Equal(t, gjson.GetBytes(before, "emails").Raw, got[1].Get("previous.emails").Raw, "previous is the last full state")
	assert.NotEqual(t, "null", got[2].Get("data.update_time").Raw)
}

func TestMergeIsTwoEvents(t *testing.T) {
	t.Parallel()
	change := func(s *simulator.Simulator) { s.Merge("persons", "4", "2") }
	got := told(t, "2.0", change)
	require.Len(t, got, 2)
	assert.JSONEq(t, `["delete","4","2"]`, got[0].Get("meta.[action,entity_id,merged_to_id]").Raw)
	assert.JSONEq(t, `["change","2","4"]`, got[1].Get("meta.[action,entity_id,merged_from_id]").Raw)
	got = told(t, "1.0", change)
	require.Len(t, got, 2)
	assert.Equal(t, "deleted.person", got[0].Get("event").Str)
	assert.Equal(t, "merged.person", got[1].Get("event").Str)
	assert.Equal(t, "2", got[1].Get("meta.id").Raw)

	s := simulator.New(everything(4))
	s.Merge("deals", "1", "2")
	assert.True(t, field(t, s, "deals", "1", "is_deleted").Bool())
	assert.Panics(t, func() { s.Merge("deals", "2", "2") })
}

func TestBulkUpdateSaysSo(t *testing.T) {
	t.Parallel()
	change := func(s *simulator.Simulator) {
		s.BulkUpdate("deals", []string{"1", "2", "3"}, simulator.Fields{"value": 5})
	}
	times := map[string]bool{}
	got := told(t, "2.0", change)
	require.Len(t, got, 3)
	for _, b := range got {
		assert.True(t, b.Get("meta.is_bulk_edit").Bool())
		times[b.Get("data.update_time").Str] = true
	}
	assert.Len(t, times, 1)
	assert.True(t, told(t, "1.0", change)[2].Get("meta.is_bulk_update").Bool())
}

func TestUnsetFieldsCanBeAbsent(t *testing.T) {
	t.Parallel()
	got := told(t, "2.0", func(s *simulator.Simulator) {
		s.SetQuirks(func(q *simulator.Quirks) { q.NoUnsetFields = true })
		for _, id := range s.IDs("deals") {
			s.Touch("deals", id)
		}
	})
	for _, b := range got {
		assert.NotContains(t, b.Get("data.custom_fields").Raw, "{null")
		b.Get("data.custom_fields").ForEach(func(_, value gjson.Result) bool {
			return assert.NotEqual(t, gjson.Null, value.Type)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s, r := hooked(t, simulator.Options{Deals: 1, NoCustomFields: true}, simulator.Webhook{})
		s.Touch("deals", "1")
		drain(t, s)
		assert.Equal(t, "{}", r.all()[0].Get("data.custom_fields").Raw)
	})
}

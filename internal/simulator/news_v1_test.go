package simulator_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

func TestVersion1(t *testing.T) {
	t.Parallel()
	var now time.Time
	got := told(t, "1.0", func(s *simulator.Simulator) {
		s.Advance(426 * time.Millisecond)
		now = s.Now()
		s.Update("deals", "3", simulator.Fields{"title": "New", "label_ids": []int{4, 9}})
		s.Add("organizations", nil)
		s.Delete("activities", "2")
		s.Add("leads", nil) // version 1.0 knows no leads
		s.Delete("users", "8")
		s.Add("activity_types", nil)
	})
	require.Len(t, got, 5)
	b := got[0]
	assert.Equal(t, []string{"v", "matches_filters", "meta", "current", "previous", "event", "retry"}, keysOf(b))
	assert.JSONEq(t, `[1,"updated","deal",3,10400001,1,[1,2,3,4,5,6,7,8],"1900001",false,{"current":[]},false]`,
		b.Get(`meta.[v,action,object,id,company_id,user_id,permitted_user_ids,webhook_id,is_bulk_update,matches_filters,pipedrive_service_name]`).Raw)
	assert.Equal(t, now.Unix(), b.Get("meta.timestamp").Int())
	assert.Equal(t, now.UnixMicro(), b.Get("meta.timestamp_micro").Int())
	assert.Equal(t, "updated.deal", b.Get("event").Str)
	assert.Equal(t, "0", b.Get("retry").Raw)
	assert.Equal(t, keysOf(b.Get("current")), keysOf(b.Get("previous")), "previous is the whole old record")
	assert.Equal(t, "New", b.Get("current.title").Str)
	assert.NotEqual(t, "New", b.Get("previous.title").Str)
	assert.Equal(t, "4,9", b.Get("current.label").Str)
	assert.Equal(t, now.Format(time.DateTime), b.Get("current.update_time").Str)
	assert.Equal(t, `"3"`, b.Get("current.visible_to").Raw)
	assert.Equal(t, gjson.Number, b.Get("current.user_id").Type)
	assert.NotEmpty(t, b.Get("current.person_name").Str+b.Get("current.org_name").Str)
	b.Get("current").ForEach(func(key, value gjson.Result) bool {
		assert.False(t, value.IsObject(), "version 1.0 is flat: %s", key)
		return true
	})
	assert.Contains(t, b.Get("current").Raw, `_currency":"EUR"`)

	assert.Equal(t, "added.organization", got[1].Get("event").Str)
	assert.Equal(t, "null", got[1].Get("previous").Raw)
	assert.True(t, got[1].Get("current.address_locality").Exists())
	assert.Equal(t, "deleted.activity", got[2].Get("event").Str)
	assert.Equal(t, "null", got[2].Get("current").Raw)
	assert.True(t, got[2].Get("previous.participants").IsArray())
	assert.Equal(t, "deleted.user", got[3].Get("event").Str)
	assert.Equal(t, "8", got[3].Get("previous.0.id").Raw, "users come in a list of one")
	assert.False(t, got[3].Get("meta.permitted_user_ids").Exists())
	assert.Equal(t, "added.activityType", got[4].Get("event").Str)
}

func TestUsersAreOdd(t *testing.T) {
	t.Parallel()
	var now time.Time
	got := told(t, "2.0", func(s *simulator.Simulator) {
		now = s.Now()
		s.Delete("users", "3")
		s.Update("users", "2", simulator.Fields{"name": "Other"})
	})
	require.Len(t, got, 2)
	assert.Equal(t, "change", got[0].Get("meta.action").Str, "a deletion is a change")
	assert.JSONEq(t, `{"active_flag":true}`, got[0].Get("previous").Raw)
	assert.Equal(t, "false", got[0].Get("data.active_flag").Raw)
	assert.Equal(t, `"3"`, got[0].Get("data.id").Raw)
	assert.Equal(t, `"3"`, got[0].Get("meta.id").Raw, "the event has the user's id")
	assert.Equal(t, now.Unix(), got[0].Get("meta.timestamp").Int())
	assert.Equal(t, gjson.Number, got[0].Get("meta.timestamp").Type)
	assert.False(t, got[0].Get("meta.permitted_user_ids").Exists())
	assert.Equal(t, "2", got[1].Get("meta.id").Str)
}

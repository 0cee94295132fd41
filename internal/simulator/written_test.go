package simulator_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// rawJSON is a value as it stands.
func rawJSON(text string) json.RawMessage { return json.RawMessage(text) }

func written(t *testing.T, s *simulator.Simulator, list string, id any, schema string) gjson.Result {
	t.Helper()
	body := s.Written(list, id, schema)
	require.True(t, body == nil || gjson.ValidBytes(body), "%s", body)
	return gjson.ParseBytes(body)
}

func TestWrittenKnowsWhichSchemasThereAre(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(3))
	all := "rest_v1 rest_v2 webhook_v1 webhook_v2"
	for list, schemas := range map[string]string{
		"deals": all, "persons": all, "organizations": all, "activities": all, "products": all, "pipelines": all, "stages": all,
		"leads": "rest_v1 webhook_v2", "notes": "rest_v1 webhook_v1 webhook_v2", "users": "rest_v1 webhook_v1 webhook_v2",
		"files": "rest_v1", "call_logs": "rest_v1", "activity_types": "rest_v1 webhook_v1",
		"projects": "rest_v2 webhook_v2", "tasks": "rest_v2 webhook_v2",
	} {
		for _, schema := range strings.Fields(all) {
			body := written(t, s, list, s.IDs(list)[1], schema)
			assert.Equal(t, slices.Contains(strings.Fields(schemas), schema), body.Exists(), "%s in %s", list, schema)
		}
	}
	assert.Panics(t, func() { s.Written("deals", 1, "rest_v3") })
	assert.Panics(t, func() { s.Written("deals", 99, "rest_v2") })
}

func TestWrittenIsTheRecordAsItIsNow(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(5))
	s.Update("deals", "2", simulator.Fields{"title": "Now", "value": "2500.10", "label_ids": []int{4, 9}})
	listed, _ := s.Get("deals", "2")
	assert.Equal(t, string(listed), written(t, s, "deals", 2, "rest_v2").Raw)
	assert.Equal(t, "Now", written(t, s, "deals", 2, "rest_v1").Get("title").Str)
	v2 := written(t, s, "deals", "2", "webhook_v2")
	assert.Equal(t, []string{"data", "previous", "meta"}, keysOf(v2))
	assert.Equal(t, "change", v2.Get("meta.action").Str)
	assert.Equal(t, "Now", v2.Get("data.title").Str)
	assert.Equal(t, []string{"title"}, keysOf(v2.Get("previous")))
	v1 := written(t, s, "deals", "2", "webhook_v1")
	assert.Equal(t, "updated.deal", v1.Get("event").Str)
	assert.Equal(t, "4,9", v1.Get("current.label").Str)
	after, _ := s.Get("deals", "2")
	assert.Equal(t, listed, after, "nothing was written for it")
	assert.Equal(t, "5", written(t, s, "users", 5, "webhook_v1").Get("current.0.id").Raw)
}

// https://pipedrive.readme.io/docs/pipedrive-api-v2-migration-guide
func TestRESTv1HasTheOldNamesAndForms(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(12))
	set := func(list string, f simulator.Fields) gjson.Result {
		s.Update(list, "7", f)
		return written(t, s, list, 7, "rest_v1")
	}
	at := time.Date(2026, 11, 20, 9, 15, 0, 0, time.UTC)

	deal := set("deals", simulator.Fields{
		"owner_id": 3, "person_id": 2, "org_id": 4, "visible_to": 3, "label_ids": []int{4, 9}, "status": "won", "won_time": at,
		"update_time": at, "is_archived": false,
	})
	assert.Equal(t, []string{"id", "name", "email", "has_pic", "pic_hash", "active_flag", "value"}, keysOf(deal.Get("user_id")))
	assert.Equal(t, "3", deal.Get("user_id.value").Raw)
	assert.Equal(t, []string{"active_flag", "name", "email", "phone", "owner_id", "company_id", "value"}, keysOf(deal.Get("person_id")))
	assert.Equal(t, "2", deal.Get("person_id.value").Raw)
	assert.Equal(t, []string{"name", "people_count", "owner_id", "address", "label_ids", "active_flag", "cc_email", "owner_name", "value"}, keysOf(deal.Get("org_id")))
	assert.Equal(t, "4", deal.Get("org_id.value").Raw)
	assert.JSONEq(t, `["3","4,9","2026-11-20 09:15:00","2026-11-20 09:15:00",false,false]`,
		deal.Get("[visible_to,label,won_time,update_time,active,deleted]").Raw)
	for _, key := range strings.Fields("owner_id is_deleted label_ids custom_fields acv") {
		assert.False(t, deal.Get(key).Exists(), key)
	}
	assert.Equal(t, "null", set("deals", simulator.Fields{"person_id": nil, "label_ids": []int{}}).Get("person_id").Raw)
	assert.Equal(t, "null", written(t, s, "deals", 7, "rest_v1").Get("label").Raw)

	person := set("persons", simulator.Fields{"phones": []int{}, "label_ids": []int{4}})
	assert.JSONEq(t, `[{"value":"","primary":true}]`, person.Get("phone").Raw, "an empty list")
	assert.Equal(t, person.Get("email.0.value").Str, person.Get("primary_email").Str)
	assert.JSONEq(t, `[4,[4],true]`, person.Get("[label,label_ids,active_flag]").Raw)
	assert.True(t, person.Get("postal_address_locality").Exists())

	org := set("organizations", simulator.Fields{"address": map[string]any{"value": "Main St 1", "locality": "Springfield"}})
	assert.JSONEq(t, `["Main St 1","Springfield",null]`, org.Get("[address,address_locality,address_route]").Raw)
	org = set("organizations", simulator.Fields{"address": nil})
	assert.JSONEq(t, `[null,null]`, org.Get("[address,address_locality]").Raw)

	activity := set("activities", simulator.Fields{
		"due_time": "10:00:00", "duration": nil, "done": false, "marked_as_done_time": nil, "busy": true, "type": "call",
		"participants": []map[string]any{{"person_id": 3, "primary": true}},
	})
	assert.JSONEq(t, `["10:00","","",true,"Call",[{"person_id":3,"primary_flag":true}],null]`,
		activity.Get("[due_time,duration,marked_as_done_time,busy_flag,type_name,participants,attendees]").Raw)
	assert.Equal(t, "null", set("activities", simulator.Fields{"participants": []int{}}).Get("participants").Raw)

	product := set("products", simulator.Fields{"category": 15})
	assert.JSONEq(t, `["15",true,true]`, product.Get("[category,selectable,active_flag]").Raw)
	assert.ElementsMatch(t, []string{"id", "product_id", "price", "currency", "cost", "overhead_cost", "notes"}, keysOf(product.Get("prices.0")))
	assert.True(t, product.Get("owner_id.value").Exists())

	pipeline := written(t, s, "pipelines", 7, "rest_v1")
	assert.JSONEq(t, `[true,true,false]`, pipeline.Get("[active,deal_probability,selected]").Raw)
	stage := written(t, s, "stages", 7, "rest_v1")
	assert.JSONEq(t, `[true,false,null]`, stage.Get("[active_flag,rotten_flag,rotten_days]").Raw)
	assert.NotEmpty(t, stage.Get("pipeline_name").Str)
}

// https://pipedrive.readme.io/docs/core-api-concepts-custom-fields
func TestCustomFieldsInAllEncodings(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(3))
	const until = `{"value":"2026-11-01","until":"2026-11-30"}`
	for _, tc := range []struct {
		kind, v2, webhookV2 string
		v1                  string // with k for the key
		refers              bool   // to a record, which REST v1 has as an object
	}{
		{"varchar", `"abc"`, `{"type":"varchar","value":"abc"}`, `{"k":"abc"}`, false},
		{"varchar_auto", `"abc"`, `{"type":"varchar_auto","value":"abc"}`, `{"k":"abc"}`, false},
		{"text", `"abc"`, `{"type":"text","value":"abc"}`, `{"k":"abc"}`, false},
		{"phone", `"+372 555"`, `{"type":"phone","value":"+372 555"}`, `{"k":"+372 555"}`, false},
		{"double", `12.50`, `{"type":"double","value":12.50}`, `{"k":12.50}`, false},
		{"monetary", `{"value":500,"currency":"EUR"}`, `{"type":"monetary","value":500,"currency":"EUR"}`, `{"k":500,"k_currency":"EUR"}`, false},
		{"enum", `17`, `{"type":"enum","id":17}`, `{"k":"17"}`, false},
		{"set", `[13,14]`, `{"type":"set","values":[{"id":13},{"id":14}]}`, `{"k":"13,14"}`, false},
		{"user", `2`, `{"type":"user","id":2}`, `{"k":2}`, true},
		{"org", `3`, `{"type":"org","id":3}`, `{"k":3}`, true},
		{"people", `1`, `{"type":"people","id":1}`, `{"k":1}`, true},
		{"date", `"2026-11-20"`, `{"type":"date","value":"2026-11-20"}`, `{"k":"2026-11-20"}`, false},
		{"daterange", until, `{"type":"daterange","from":"2026-11-01","until":"2026-11-30"}`, `{"k":"2026-11-01","k_until":"2026-11-30"}`, false},
		{
			"time", `{"value":"09:00:00","timezone_id":318,"timezone_name":"Europe/London"}`,
			`{"type":"time","value":"09:00:00","timezone_id":318}`, `{"k":"09:00:00"}`, false,
		},
		{
			"timerange", `{"value":"09:00:00","until":"17:00:00","timezone_id":318,"timezone_name":"Europe/London"}`,
			`{"type":"timerange","from":"09:00:00","until":"17:00:00","timezone_id":318}`, `{"k":"09:00:00","k_until":"17:00:00"}`, false,
		},
		{
			"address", `{"value":"Main St 1","locality":"Springfield"}`, `{"type":"address","value":"Main St 1","locality":"Springfield"}`,
			`{"k":"Main St 1","k_subpremise":null,"k_street_number":null,"k_route":null,"k_sublocality":null,"k_locality":"Springfield",
			"k_admin_area_level_1":null,"k_admin_area_level_2":null,"k_country":null,"k_postal_code":null,"k_formatted_address":null}`, false,
		},
	} {
		t.Run(tc.kind, func(t *testing.T) {
			key := fieldNamed(t, s, "deals", tc.kind).Key
			s.Update("deals", "1", simulator.Fields{"custom_fields": simulator.Fields{key: rawJSON(tc.v2)}})
			assert.Equal(t, tc.v2, written(t, s, "deals", 1, "rest_v2").Get("custom_fields."+key).Raw)
			assert.JSONEq(t, tc.webhookV2, written(t, s, "deals", 1, "webhook_v2").Get("data.custom_fields."+key).Raw)
			current := written(t, s, "deals", 1, "webhook_v1").Get("current")
			assert.JSONEq(t, tc.v1, ofKey(current, key))
			rest := written(t, s, "deals", 1, "rest_v1")
			if !tc.refers {
				assert.JSONEq(t, tc.v1, ofKey(rest, key))
			} else {
				assert.Equal(t, tc.v2, rest.Get(key+".value").Raw)
				assert.NotEmpty(t, rest.Get(key+".name").Str)
			}

			// Leads have it at their root, and tell of it as deals do.
			f := simulator.Fields{}
			gjson.Parse(tc.v1).ForEach(func(name, value gjson.Result) bool {
				f[strings.Replace(name.Str, "k", key, 1)] = rawJSON(value.Raw)
				return true
			})
			lead := s.Add("leads", f)
			assert.JSONEq(t, tc.v1, ofKey(written(t, s, "leads", lead, "rest_v1"), key))
			told := written(t, s, "leads", lead, "webhook_v2").Get("data.custom_fields." + key)
			gjson.Parse(tc.webhookV2).ForEach(func(name, value gjson.Result) bool {
				return assert.JSONEq(t, value.Raw, told.Get(name.Str).Raw, name.Str)
			})

			s.Update("deals", "1", simulator.Fields{"custom_fields": simulator.Fields{key: nil}})
			assert.Equal(t, "null", written(t, s, "deals", 1, "webhook_v2").Get("data.custom_fields."+key).Raw)
			for _, record := range []gjson.Result{written(t, s, "deals", 1, "webhook_v1").Get("current"), written(t, s, "deals", 1, "rest_v1")} {
				gjson.Parse(ofKey(record, key)).ForEach(func(name, value gjson.Result) bool {
					return assert.Equal(t, gjson.Null, value.Type, name.Str)
				})
			}
		})
	}
}

// ofKey are the members of an object that belong to the key, which is written k.
func ofKey(object gjson.Result, key string) string {
	var members []string
	for _, m := range regexp.MustCompile(`"`+key+`(_[a-z_0-9]+)?":`).FindAllStringSubmatch(object.Raw, -1) {
		members = append(members, `"k`+m[1]+`":`+object.Get(key+m[1]).Raw)
	}
	return "{" + strings.Join(members, ",") + "}"
}

// Where a seeded record has no value, REST v2 says null or nothing, v1 null, and leads nothing.
func TestSeededRecordsLeaveCustomFieldsUnset(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(100))
	nulls, absent := 0, 0
	for id, body := range s.State("deals") {
		old := written(t, s, "deals", id, "rest_v1")
		for _, f := range s.CustomFields("deals") {
			switch value := gjson.GetBytes(body, "custom_fields."+f.Key); {
			case !value.Exists():
				absent++
				assert.Equal(t, "null", old.Get(f.Key).Raw)
			case value.Type == gjson.Null:
				nulls++
				assert.Equal(t, "null", old.Get(f.Key).Raw)
			}
		}
	}
	assert.Greater(t, nulls, 100)
	assert.Greater(t, absent, 30)
	for _, body := range s.State("leads") {
		assert.NotRegexp(t, `"[0-9a-f]{40}":null`, string(body))
	}
}

func TestToldIsWhatWebhooksWouldSay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(everything(5))
		changes := func() {
			s.Add("persons", nil)
			s.Merge("persons", "4", "2")
			s.Delete("leads", s.IDs("leads")[0])
			s.Touch("files", "1") // which have no webhooks
		}
		var actions []string
		for _, body := range s.Told("2.0", changes) {
			actions = append(actions, gjson.GetBytes(body, "meta.action").Str+" "+gjson.GetBytes(body, "meta.entity").Str)
		}
		assert.Equal(t, []string{"create person", "delete person", "change person", "delete lead"}, actions)
		actions = nil
		for _, body := range s.Told("1.0", func() { s.Delete("deals", "1"); s.Merge("persons", "5", "2") }) {
			actions = append(actions, gjson.GetBytes(body, "event").Str)
		}
		assert.Equal(t, []string{"deleted.deal", "deleted.person", "merged.person"}, actions)
		assert.Empty(t, s.Deliveries())
		assert.Panics(t, func() { s.Told("3.0", changes) })

		// Subscribers hear of it as ever.
		hooked, r := hooked(t, everything(2), simulator.Webhook{})
		told := hooked.Told("2.0", func() { hooked.Touch("deals", "1") })
		drain(t, hooked)
		require.Len(t, r.all(), 1)
		assert.Equal(t, r.all()[0].Get("data").Raw, gjson.GetBytes(told[0], "data").Raw)
		assert.Equal(t, r.all()[0].Get("meta.id").Raw, gjson.GetBytes(told[0], "meta.id").Raw)
	})
}

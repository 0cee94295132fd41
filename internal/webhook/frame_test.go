package webhook_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

const dealV2 = `{"data":{"id":7301,"title":"Rooftop solar, phase two","status":"open","value":18400.5,"currency":"CHF",` +
	`"stage_id":12,"pipeline_id":2,"person_id":880,"org_id":417,"owner_id":31,"creator_user_id":31,` +
	`"add_time":"2026-10-02T07:30:11Z","update_time":"2026-11-18T13:05:42Z","stage_change_time":"2026-11-18T13:05:42Z",` +
	`"close_time":null,"won_time":null,"lost_time":null,"lost_reason":null,"expected_close_date":"2027-01-31",` +
	`"probability":40,"label_ids":[3],"visible_to":"3","is_archived":false,"archive_time":null,` +
	`"custom_fields":{"c0ffee00112233445566778899aabbccddeeff00":{"type":"enum","id":77}}},` +
	`"previous":{"stage_id":11},` +
	`"meta":{"action":"change","entity":"deal","entity_id":"7301","company_id":"60606",` +
	`"id":"9b0d1f6e-3c55-4c0e-8f0a-2d51f3a7c901","correlation_id":"e2a4c6d8-1b3d-4f5a-9c7e-0a1b2c3d4e5f",` +
	`"is_bulk_edit":true,"timestamp":"2026-11-18T13:05:42.913Z","type":"general","user_id":"31","version":"2.0",` +
	`"webhook_id":"45001","webhook_owner_id":"31","change_source":"api","permitted_user_ids":["31","32","40"],` +
	`"attempt":1,"host":"helio.pipedrive.com"}}`

const dealV1 = `{"v":1,"matches_filters":{"current":[5]},"meta":{"v":1,"action":"updated","object":"deal","id":7301,` +
	`"company_id":60606,"user_id":31,"host":"helio.pipedrive.com","timestamp":1795007142,` +
	`"timestamp_micro":1795007142913004,"prepublish_timestamp":1795007142990,"permitted_user_ids":[31,"*"],` +
	`"trans_pending":false,"is_bulk_update":false,"pipedrive_service_name":false,"change_source":"app",` +
	`"matches_filters":{"current":[5]},"webhook_id":"45002"},"retry":2,` +
	`"current":{"id":7301,"title":"Rooftop solar","update_time":"2026-11-18 13:05:42","add_time":"2026-10-02 07:30:11"},` +
	`"previous":{"id":7301,"title":"Rooftop","update_time":"2026-11-17 08:00:00"},"event":"updated.deal"}`

// v2 and v1 are bodies with these members in meta and the rest behind it.
func v2(meta, rest string) string { return `{"meta":{"version":"2.0",` + meta + `}` + rest + `}` }
func v1(meta, rest string) string { return `{"v":1,"meta":{` + meta + `}` + rest + `}` }

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func parse(t *testing.T, body string) webhook.Frame {
	t.Helper()
	f, err := webhook.Parse([]byte(body))
	require.NoError(t, err)
	return f
}

func TestFrameSaysEverythingThatIsDecidedOn(t *testing.T) {
	t.Parallel()
	f := parse(t, dealV2)
	assert.NotEmpty(t, f.Key)
	f.Key = ""
	assert.Equal(t, webhook.Frame{
		Schema: "webhook_v2", Object: "deal", ID: "7301", Action: "updated", Time: at("2026-11-18T13:05:42Z"),
		Company: "60606", Host: "helio.pipedrive.com", EventID: "9b0d1f6e-3c55-4c0e-8f0a-2d51f3a7c901",
		CorrelationID: "e2a4c6d8-1b3d-4f5a-9c7e-0a1b2c3d4e5f", WebhookID: "45001", UserID: "31", ChangeSource: "api",
		Attempt: 1, Bulk: true, Lane: "60606/deal/7301",
	}, f)

	f = parse(t, dealV1)
	assert.NotEmpty(t, f.Key)
	f.Key = ""
	assert.Equal(t, webhook.Frame{
		Schema: "webhook_v1", Object: "deal", ID: "7301", Action: "updated", Time: at("2026-11-18T13:05:42Z"),
		Company: "60606", Host: "helio.pipedrive.com", WebhookID: "45002", UserID: "31", ChangeSource: "app",
		Attempt: 3, Lane: "60606/deal/7301",
	}, f)
}

func TestFrameOfAnyEntityAndAction(t *testing.T) {
	t.Parallel()
	const lead = "3f2a9c10-77aa-4b1e-9d3c-5e6f708192a3"
	for _, c := range []struct{ name, body, object, id, action string }{
		{"v2 create", v2(`"action":"create","entity":"deal","entity_id":"7"`, `,"data":{},"previous":null`), "deal", "7", "created"},
		{"v2 delete", v2(`"action":"delete","entity":"person","entity_id":"7"`, `,"data":null,"previous":{"id":7}`), "person", "7", "deleted"},
		{"v2 winner of a merge", v2(`"action":"change","entity":"person","entity_id":"7","merged_from_id":"8"`, ``), "person", "7", "updated"},
		{"v2 loser of a merge", v2(`"action":"delete","entity":"person","entity_id":"8","merged_to_id":"7"`, ``), "person", "8", "deleted"},
		{"v2 user goes", v2(`"action":"change","entity":"user","entity_id":"31"`, `,"data":{"active_flag":false}`), "user", "31", "updated"},
		{"v2 lead", v2(`"action":"change","entity":"lead","entity_id":"`+lead+`"`, ``), "lead", lead, "updated"},
		{"v2 product of a deal", v2(`"action":"create","entity":"deal_product","entity_id":"7"`, ``), "deal_product", "7", "created"},
		{"v2 board", v2(`"action":"delete","entity":"board","entity_id":"7"`, ``), "board", "7", "deleted"},
		{"v2 field", v2(`"action":"change","entity":"dealField","entity_id":"a1b2"`, ``), "deal_field", "a1b2", "updated"},
		{"v2 field without entity_id", v2(`"action":"change","entity":"dealField"`, `,"data":{"field_code":"a1b2"}`), "deal_field", "a1b2", "updated"},
		{"v2 deletion without entity_id", v2(`"action":"delete","entity":"board"`, `,"data":null,"previous":{"id":7}`), "board", "7", "deleted"},
		{"v2.1", `{"meta":{"version":"2.1","action":"change","entity":"deal","entity_id":7}}`, "deal", "7", "updated"},
		{"v2 next year", v2(`"action":"autoArchive","entity":"Sales Quote-Line","entity_id":"7"`, ``), "sales_quote_line", "7", "auto_archive"},
		{"v2 number id", v2(`"action":"change","entity":"deal","entity_id":9007199254740993`, ``), "deal", "9007199254740993", "updated"},
		{"v2 number version", `{"meta":{"version":2.0,"action":"change","entity":"deal","entity_id":7}}`, "deal", "7", "updated"},
		{"v2 with v 1", `{"v":1,"meta":{"version":"2.0","action":"change","entity":"deal","entity_id":"7","id":8}}`, "deal", "7", "updated"},
		{"v1 added", v1(`"action":"added","object":"note","id":7`, `,"current":{},"previous":null,"retry":0`), "note", "7", "created"},
		{"v1 merged", v1(`"action":"merged","object":"organization","id":7`, ``), "organization", "7", "updated"},
		{"v1 deleted", v1(`"action":"deleted","object":"activity","id":7`, `,"current":null`), "activity", "7", "deleted"},
		{"v1 activity type", v1(`"action":"updated","object":"activityType","id":7`, ``), "activity_type", "7", "updated"},
		{"v1 string id", v1(`"action":"updated","object":"deal","id":"7"`, ``), "deal", "7", "updated"},
		{"v1 large id", v1(`"action":"updated","object":"deal","id":9223372036854775809`, ``), "deal", "9223372036854775809", "updated"},
		{"v1 string version", `{"v":"1","meta":{"action":"updated","object":"deal","id":7}}`, "deal", "7", "updated"},
		{"blanks around", " \n" + v2(`"action":"change","entity":"deal","entity_id":"7"`, ``) + "\r\n", "deal", "7", "updated"},
		{"escapes", v2(`"act\u0069on":"\u0063hange","entity":"deal","entity_id":"\u0037"`, ``), "deal", "7", "updated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := parse(t, c.body)
			assert.Equal(t, [...]string{c.object, c.id, c.action}, [...]string{f.Object, f.ID, f.Action})
			assert.Equal(t, "/"+c.object+"/"+c.id, f.Lane)
			assert.NotEmpty(t, f.Key)
		})
	}
}

func TestFrameTime(t *testing.T) {
	t.Parallel()
	change := func(timestamp, data string) string {
		return v2(`"action":"change","entity":"x","entity_id":"7","timestamp":`+timestamp, `,"data":`+data)
	}
	const stamp = `"2026-11-18T13:05:42.913Z"`
	for _, c := range []struct{ name, body, want string }{
		{"update", change(stamp, `{"update_time":"2026-11-01T01:02:03Z","add_time":"2026-10-01T00:00:00Z"}`), "2026-11-01T01:02:03Z"},
		{"milliseconds of a lead", change(stamp, `{"update_time":"2026-11-01T01:02:03.045Z"}`), "2026-11-01T01:02:03.045Z"},
		{"never updated", change(stamp, `{"update_time":null,"add_time":"2026-10-01T00:00:00Z"}`), "2026-10-01T00:00:00Z"},
		{"another zone", change(stamp, `{"update_time":"2026-11-01T01:02:03+02:00"}`), "2026-10-31T23:02:03Z"},
		{"user", change("1795007142", `{"created":"2020-01-01 00:00:00","modified":"2026-11-01 01:02:03"}`), "2026-11-01T01:02:03Z"},
		{"new user", change("1795007142", `{"modified":null,"created":"2026-11-01 01:02:03"}`), "2026-11-01T01:02:03Z"},
		{"user of version 1", v1(`"action":"updated","object":"user","id":31,"timestamp":1795007142`,
			`,"current":[{"id":31,"modified":"2026-11-01 01:02:03"}],"previous":[{"id":31}]`), "2026-11-01T01:02:03Z"},
		{"record without times", change(stamp, `{"id":7}`), "2026-11-18T13:05:42.913Z"},
		{"seconds", change("1795007142", `{}`), "2026-11-18T13:05:42Z"},
		{"seconds in a string", change(`"1795007142"`, `{}`), "2026-11-18T13:05:42Z"},
		{"milliseconds", change("1795007142913", `{}`), "2026-11-18T13:05:42.913Z"},
		{"microseconds", v1(`"action":"updated","object":"deal","id":7,"timestamp_micro":1795007142913004`, ``), "2026-11-18T13:05:42.913004Z"},
		{"unreadable update", change(stamp, `{"update_time":"soon","add_time":"2026-10-01T00:00:00Z"}`), "2026-10-01T00:00:00Z"},
		{"record that is none", change(stamp, `"gone"`), "2026-11-18T13:05:42.913Z"},
		{"deletion", v2(`"action":"delete","entity":"deal","entity_id":"7","timestamp":`+stamp,
			`,"data":null,"previous":{"update_time":"2026-11-01T01:02:03Z"}`), "2026-11-18T13:05:42.913Z"},
		{"deletion with its record", v2(`"action":"delete","entity":"deal","entity_id":"7","timestamp":`+stamp,
			`,"data":{"update_time":"2026-11-01T01:02:03Z"}`), "2026-11-18T13:05:42.913Z"},
		{"nothing tells", change("null", `{}`), "0001-01-01T00:00:00Z"},
		{"nonsense", change("1e300", `{}`), "0001-01-01T00:00:00Z"},
		{"before all", change("-5", `{}`), "0001-01-01T00:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := parse(t, c.body)
			assert.Equal(t, c.want, f.Time.Format(time.RFC3339Nano))
			assert.Equal(t, time.UTC, f.Time.Location())
		})
	}
}

func TestFrameAttemptAndBulk(t *testing.T) {
	t.Parallel()
	two := func(meta string) string { return v2(`"action":"change","entity":"deal","entity_id":"7"`+meta, ``) }
	one := func(meta, rest string) string { return v1(`"action":"updated","object":"deal","id":7`+meta, rest) }
	for _, c := range []struct {
		name, body string
		attempt    int
		bulk       bool
	}{
		{"v2 last", two(`,"attempt":4,"is_bulk_edit":true`), 4, true},
		{"v2 strings", two(`,"attempt":"2","is_bulk_edit":"true"`), 2, true},
		{"v2 silent", two(``), 1, false},
		{"v2 nonsense", two(`,"attempt":-3,"is_bulk_edit":{}`), 1, false},
		{"v2 beyond sense", two(`,"attempt":1e18`), 1, false},
		{"v1 first", one(`,"is_bulk_update":true`, `,"retry":0`), 1, true},
		{"v1 last", one(``, `,"retry":3`), 4, false},
		{"v1 silent", one(``, ``), 1, false},
		{"v1 nonsense", one(``, `,"retry":[1]`), 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := parse(t, c.body)
			assert.Equal(t, c.attempt, f.Attempt)
			assert.Equal(t, c.bulk, f.Bulk)
		})
	}
}

// What is no id or no name counts as absent, and is no reason to refuse a webhook that has the rest.
func TestFrameLeavesOutWhatItCannotUse(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`null`, `{}`, `[1]`, `true`, `1.5`, `"a\nb"`, `"a\u2028b"`, `"` + strings.Repeat("9", 257) + `"`, "\"\xff\""} {
		f := parse(t, v2(fmt.Sprintf(`"action":"change","entity":"deal","entity_id":"7","company_id":%[1]s,"user_id":%[1]s,`+
			`"webhook_id":%[1]s,"host":%[1]s,"change_source":%[1]s,"correlation_id":%[1]s,"id":%[1]s`, value), ``))
		f.Key = ""
		assert.Equal(t, webhook.Frame{
			Schema: webhook.SchemaV2, Object: "deal", ID: "7", Action: "updated", Attempt: 1, Lane: "/deal/7",
		}, f, value)
	}
	assert.Equal(t, "München", parse(t, v2(`"action":"change","entity":"deal","entity_id":"7","host":"München"`, ``)).Host)
}

func TestNotAFrame(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	for _, c := range []struct{ name, body, errContains string }{
		{"nothing", "", "got nothing"},
		{"blanks", " \n", "got nothing"},
		{"no JSON", "<html>" + secret, "13 bytes that are not JSON"},
		{"cut", dealV2[:len(dealV2)-1], "end early"},
		{"two values", dealV2 + dealV2, "not JSON"},
		{"array", "[" + dealV2 + "]", "got an array"},
		{"string", `"` + secret + `"`, "got a string"},
		{"number", "1", "got a number"},
		{"null", "null", "got a null"},
		{"boolean", "true", "got a boolean"},
		{"no keys", "{}", "an object without keys"},
		{"no meta", `{"id":"` + secret + `","password":1}`, "got an object of id, password"},
		{"meta is a string", `{"meta":"` + secret + `"}`, "got an object of meta"},
		{"no version", `{"meta":{"action":"change","entity":"deal","entity_id":"7"}}`, "expected meta.version 2.0 or v 1"},
		{"version 3", `{"v":3,"meta":{"version":"` + secret + `"}}`, "expected meta.version 2.0 or v 1"},
		{"v2 no action", v2(`"entity":"deal","entity_id":"7"`, ``), "expected meta.action"},
		{"v2 no entity", v2(`"action":"change","entity_id":"7"`, ``), "expected meta.entity, "},
		{"v2 no id", v2(`"action":"change","entity":"deal"`, ``), "expected meta.entity_id"},
		{"v2 null id", v2(`"action":"change","entity":"deal","entity_id":null`, ``), "expected meta.entity_id"},
		{"v2 empty id", v2(`"action":"change","entity":"deal","entity_id":""`, ``), "expected meta.entity_id"},
		{"v2 id of two lines", v2(`"action":"change","entity":"deal","entity_id":"`+secret+`\n"`, ``), "expected meta.entity_id"},
		{"v2 long id", v2(`"action":"change","entity":"deal","entity_id":"`+strings.Repeat(secret, 99)+`"`, ``), "expected meta.entity_id"},
		{"v2 broken id", v2(`"action":"change","entity":"deal","entity_id":7.5`, ``), "expected meta.entity_id"},
		{"v1 no action", v1(`"object":"deal","id":7`, ``), "expected meta.action"},
		{"v1 no object", v1(`"action":"updated","id":7`, ``), "expected meta.object"},
		{"v1 no id", v1(`"action":"updated","object":"deal"`, ``), "expected meta.id"},
		{"long key", `{"` + strings.Repeat(secret, 4) + `":1}`, "got an object of ?"},
		{"odd keys", `{"` + secret + `\nx":1,"über":2,"":3}`, "an object of ?, ?, ?"},
		{"many keys", `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1}`, "a, b, c, d, e, f, g, h and 2 more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, err := webhook.Parse([]byte(c.body))
			require.ErrorContains(t, err, c.errContains)
			assert.Zero(t, f)
			assert.NotContains(t, err.Error(), secret)
			assert.NotContains(t, err.Error(), "\n")
			assert.Less(t, len(err.Error()), 500)
		})
	}
}

func TestFrameOutlivesItsBody(t *testing.T) {
	t.Parallel()
	for _, text := range []string{dealV2, dealV1, v1(`"action":"glue","object":"thing","id":7`, ``)} {
		body := []byte(text)
		f, err := webhook.Parse(body)
		require.NoError(t, err)
		copy(body, bytes.Repeat([]byte{'x'}, len(body)))
		assert.Equal(t, parse(t, text), f)
	}
}

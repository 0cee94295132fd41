package event_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/Jeffail/gabs/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/event"
)

func TestOneChangeIsOneEventWhicheverWayItCame(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"deal_polled", "deal_changed_v1", "deal_changed_v2"},
		{"deal_snapshot", "deal_created_v2"}, // update_time a second after add_time, or none yet
		{"deal_deleted_poll", "deal_deleted_v2"},
		{"user_gone_v1", "user_gone_v2"},
	} {
		first := read(t, sceneOf(t, same[0]), event.Options{})
		for _, name := range same[1:] {
			assert.Equal(t, first.ID, read(t, sceneOf(t, name), event.Options{}).ID, "%s and %s", same[0], name)
		}
		resolved := event.Options{Resolve: true, Fields: definitions}
		assert.Equal(t, first.ID, read(t, sceneOf(t, same[0]), resolved).ID, "the id does not depend on resolve")
	}
}

// Two states of a record in one second are two events.
func TestEveryStateHasAnIDOfItsOwn(t *testing.T) {
	t.Parallel()
	s := sceneOf(t, "deal_polled")
	seen := map[string]string{read(t, s, event.Options{}).ID: "as it was"}
	change := func(what string, path []string, v any) {
		body := parse(t, s.body.Bytes())
		_, err := body.Set(v, path...)
		require.NoError(t, err)
		id := read(t, scene{what, s.about, body}, event.Options{}).ID
		assert.Empty(t, seen[id], "%s has the same id", what)
		seen[id] = what
	}
	for name, v := range map[string]any{
		"title": "x", "owner_id": json.Number("42"), "value": json.Number("18250.76"), "currency": "SEK", "person_id": nil, "org_id": json.Number("9"),
		"stage_id": json.Number("6"), "pipeline_id": json.Number("3"), "status": "won", "is_archived": true, "probability": json.Number("0"),
		"lost_reason": "price", "visible_to": json.Number("1"), "expected_close_date": nil, "label_ids": []any{json.Number("6")},
		"update_time": "2026-11-18T13:05:43Z",
	} {
		change(name, []string{name}, v)
	}
	for key, v := range map[string]any{
		"9d20c8e7415b6fa3c2d1e0f9887766554433221a": json.Number("16"),
		"c0ffee00112233445566778899aabbccddeeff00": []any{json.Number("13")},
		"77a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3": "south",
		"4be1f0aa93c7d2568e01b7f3a5c94d6e8f2013b7": map[string]any{"value": json.Number("2300"), "currency": "USD"},
	} {
		change(key, []string{"custom_fields", key}, v)
	}
}

// Whatever people type, the values of one field are not taken for those of another, or of the same.
func TestNoTextMakesTwoStatesOne(t *testing.T) {
	t.Parallel()
	const schema = event.RESTv2
	for _, c := range []struct{ object, a, b string }{
		{"deal", `{"id":7,"title":"Lease\u001e42"}`, `{"id":7,"title":"Lease","owner_id":"42\u001e"}`},
		{"deal", `{"id":7,"title":"Lease4","owner_id":2}`, `{"id":7,"title":"Lease","owner_id":42}`},
		{"deal", `{"id":7,"custom_fields":{"ab":"x\u001ecd=y"}}`, `{"id":7,"custom_fields":{"ab":"x","cd":"y"}}`},
		{"product", `{"id":7,"prices":[{"price":5,"currency":"EUR","notes":"x"}]}`, `{"id":7,"prices":[{"price":5,"currency":"EUR","notes":""}]}`},
		{"lead", `{"id":7,"label_ids":["a,b"]}`, `{"id":7,"label_ids":["a","b"]}`},
		{"board", `{"id":7,"tags":["a,b","c"]}`, `{"id":7,"tags":["a","b,c"]}`},
		{"board", `{"id":7,"name":"x\u001cnote=y"}`, `{"id":7,"name":"x","note":"y"}`},
		{"board", `{"id":7,"name":"x\u001f\\"}`, `{"id":7,"name":"x\u001c"}`},
		{"note", `{"id":7,"content":"x","is_deleted":true}`, `{"id":7,"content":"x"}`},
	} {
		about := event.About{Schema: schema, Object: c.object, ObjectID: "7", Action: event.Updated}
		a := read(t, scene{c.a, about, parse(t, []byte(c.a))}, event.Options{})
		b := read(t, scene{c.b, about, parse(t, []byte(c.b))}, event.Options{})
		assert.NotEqual(t, a.ID, b.ID, "%s and %s", c.a, c.b)
	}
}

// What is unset is as what is absent, in objects without a table too.
func TestUnsetAndAbsentAreOne(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ object, a, b string }{
		{"board", `{"id":7,"name":"x","color":null,"custom_fields":{"ab":null}}`, `{"id":7,"name":"x","custom_fields":{}}`},
		{"deal", `{"id":7,"value":-0.0}`, `{"id":7,"value":0}`},
		{"product", `{"id":7,"prices":[{"price":5,"currency":"EUR","cost":0.00}]}`, `{"id":7,"prices":[{"price":5,"currency":"EUR"}]}`},
	} {
		about := event.About{Schema: event.RESTv2, Object: c.object, ObjectID: "7", Action: event.Updated}
		a := read(t, scene{c.a, about, parse(t, []byte(c.a))}, event.Options{})
		b := read(t, scene{c.b, about, parse(t, []byte(c.b))}, event.Options{})
		assert.Equal(t, a.ID, b.ID, "%s and %s", c.a, c.b)
	}
}

// Of several older names of one field, which may contradict each other, the same one counts every time.
func TestReadingAgainGivesTheSameEvent(t *testing.T) {
	t.Parallel()
	about := event.About{Schema: event.RESTv1, Object: "filter", Action: event.Updated}
	body := parse(t, []byte(`{"id":7,"active_flag":false,"deleted":false}`))
	for range 50 {
		assert.Equal(t, false, read(t, scene{"", about, body}, event.Options{}).Data["is_deleted"])
	}
}

// Whether a time has a fraction differs by schema: it makes no other second of it.
func TestFractionsOfASecondMakeNoOtherEvent(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, updated := range []string{"2026-11-20T09:15:05Z", "2026-11-20T09:15:05.900Z", "2026-11-20T09:15:00Z", ""} {
		about := event.About{Schema: event.RESTv2, Object: "project", Action: event.Updated}
		body := parse(t, []byte(`{"id":7,"add_time":"2026-11-20T09:15:00.120Z","update_time":"`+updated+`"}`))
		ids[read(t, scene{"", about, body}, event.Options{}).ID] = true
	}
	assert.Len(t, ids, 1)
}

// For five seconds a new record has one second, as the doors differ there, and not any longer.
func TestTheSecondOfAChangeIsItsOwnFiveSecondsAfterTheCreation(t *testing.T) {
	t.Parallel()
	ids := map[string]string{}
	for _, updated := range []string{"00", "05", "06", "07"} {
		about := event.About{Schema: event.RESTv2, Object: "deal", Action: event.Updated}
		body := parse(t, []byte(`{"id":7,"add_time":"2026-11-20T09:15:00Z","update_time":"2026-11-20T09:15:`+updated+`Z"}`))
		ids[updated] = read(t, scene{updated, about, body}, event.Options{}).ID
	}
	assert.Equal(t, ids["00"], ids["05"])
	assert.NotEqual(t, ids["05"], ids["06"])
	assert.NotEqual(t, ids["06"], ids["07"])
}

// What only one door carries, and what moves by itself, is no difference.
func TestTheIDLeavesOutWhatOnlyOneDoorCarries(t *testing.T) {
	t.Parallel()
	s := sceneOf(t, "deal_polled")
	want := read(t, s, event.Options{}).ID
	for name, v := range map[string]any{
		"followers_count": json.Number("9"), "next_activity_id": json.Number("4"), "acv": json.Number("1"), "local_won_date": "2026-11-18",
		"value": json.Number("18250.750"), "visible_to": "3", "lost_reason": "", "something_new": true,
	} {
		body := parse(t, s.body.Bytes())
		_, err := body.Set(v, name)
		require.NoError(t, err)
		assert.Equal(t, want, read(t, scene{name, s.about, body}, event.Options{}).ID, name)
	}
}

// A time of any zone keeps its digits in UTC.
func TestTimesStayExact(t *testing.T) {
	t.Parallel()
	for came, want := range map[string]any{
		"2026-11-20T09:15:00Z": "2026-11-20T09:15:00Z", "2026-11-20T09:15:00.120Z": "2026-11-20T09:15:00.120Z", "2026-11-20 09:15:00.120": "2026-11-20T09:15:00.120Z",
		"2026-11-20T01:15:00.120+02:00": "2026-11-19T23:15:00.120Z", "2026-11-20T01:15:00-08:30": "2026-11-20T09:45:00Z", "2026-11-20T09:15:00.000000001+00:00": "2026-11-20T09:15:00.000000001Z",
		"2026-11-20T9:15:00,50+02:00": "2026-11-20T07:15:00.50Z", "0000-00-00 00:00:00": nil, "": nil, "2026-11-20": "2026-11-20", "soon": "soon",
	} {
		about := event.About{Schema: event.RESTv2, Object: "project", Action: event.Updated}
		body := parse(t, []byte(`{"id":7,"archive_time":"`+came+`"}`))
		assert.Equal(t, want, read(t, scene{came, about, body}, event.Options{}).Data["archive_time"], came)
	}
}

func TestNumbersAndMoneyStayExact(t *testing.T) {
	t.Parallel()
	about := event.About{Schema: event.RESTv2, Object: "deal", Action: event.Updated}
	e := read(t, scene{"", about, parse(t, []byte(`{"id":9007199254740993,"value":2500.10,"org_id":123456789012345678901234567890}`))}, event.Options{})
	out, err := json.Marshal(e.Plain())
	require.NoError(t, err)
	assert.Contains(t, string(out), `"value":2500.10`)
	assert.Contains(t, string(out), `"org_id":123456789012345678901234567890`)
	assert.Equal(t, "9007199254740993", e.ObjectID)
}

func TestReadingLeavesTheBodyAsItWas(t *testing.T) {
	t.Parallel()
	for _, s := range scenes(t) {
		before := s.body.String()
		read(t, s, event.Options{Resolve: true, Fields: definitions})
		assert.Equal(t, before, s.body.String(), s.name)
	}
}

// A record that is no input of ours says itself what happened to it, as far as it can.
func TestWhatNobodySaidTheRecordSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, action, time string }{
		{`{"id":7,"add_time":"2026-10-01T00:00:00Z"}`, "snapshot", "2026-10-01T00:00:00Z"},
		{`{"id":7,"update_time":"2026-11-01T00:00:00Z","add_time":"2026-10-01T00:00:00Z"}`, "snapshot", "2026-11-01T00:00:00Z"},
		{`{"id":7,"is_deleted":true,"update_time":"2026-11-01T00:00:00Z"}`, "deleted", "2026-11-01T00:00:00Z"}, // of the deletion
		{`{"id":7,"status":"deleted"}`, "deleted", ""},
		{`{"id":7,"update_time":"soon","add_time":"2026-10-01T00:00:00Z"}`, "snapshot", "2026-10-01T00:00:00Z"},
		{`{"id":7,"update_time":1763630100,"add_time":"then"}`, "snapshot", ""},
	} {
		e := read(t, scene{"", event.About{Schema: event.RESTv2, Object: "deal"}, parse(t, []byte(c.body))}, event.Options{})
		assert.Equal(t, [3]string{c.action, c.time, "7"}, [3]string{e.Action, e.Time, e.ObjectID}, c.body)
	}
}

func TestKnownOnlyLeavesOutWhatTheTablesDoNotHave(t *testing.T) {
	t.Parallel()
	e := read(t, sceneOf(t, "deal_changed_v1"), event.Options{KnownOnly: true})
	assert.NotContains(t, e.Data, "formatted_value")
	assert.NotContains(t, e.Data, "active")
	assert.Equal(t, json.Number("41"), e.Data["owner_id"])
	assert.Contains(t, e.Data, "custom_fields")
	board := read(t, sceneOf(t, "board_changed_v2"), event.Options{KnownOnly: true})
	assert.Equal(t, "Delivery", board.Data["name"], "an object without a table keeps all")
}

func TestWhatIsNoRecordIsAnErrorInOneLine(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	for _, c := range []struct{ name, schema, body, errContains string }{
		{"text", event.RESTv2, `"` + secret + `"`, "expected a JSON object, got a string"},
		{"list", event.RESTv2, `[1,2]`, "expected a JSON object, got an array of 2"},
		{"null", event.RESTv1, `null`, "expected a JSON object, got null"},
		{"number", event.WebhookV1, `7`, "expected a JSON object, got a number"},
		{"no meta", event.WebhookV2, `{"data":{"id":7}}`, "expected a webhook with meta, got an object of 1 without"},
		{"no record", event.WebhookV2, `{"meta":{}}`, "expected a record in data or previous, got none"},
		{"no record of a change", event.WebhookV2, `{"meta":{},"data":null,"previous":{"id":7}}`, "expected the record as updated in data, got null"},
		{"record is a text", event.WebhookV2, `{"meta":{},"data":"` + secret + `"}`, "data: expected a JSON object, got a string"},
		{"two users", event.WebhookV1, `{"meta":{},"current":[{},{}]}`, "current: expected a JSON object, got an array of 2"},
		{"no id", event.RESTv2, `{"title":"` + secret + `"}`, "expected a record with an id"},
		{"no schema", "", `{"id":7}`, "expected one of the schemas rest_v1"},
		{"custom fields are a list", event.RESTv2, `{"id":7,"custom_fields":[1]}`, "custom_fields: expected a JSON object, got an array of 1"},
		{"unknown type", event.WebhookV2, `{"meta":{},"data":{"id":7,"custom_fields":{"ab":{"type":"hologram","value":"` + secret + `"}}}}`, `custom field "ab": the type "hologram" is not known`},
		{"untyped", event.WebhookV2, `{"meta":{},"data":{"id":7,"custom_fields":{"ab":"` + secret + `"}}}`, `custom field "ab": expected an object with a type, got a string`},
		{"untyped, as it was", event.WebhookV2, `{"meta":{},"data":{"id":7},"previous":{"custom_fields":{"ab":5}}}`, `previous: custom field "ab": expected an object with a type, got a number`},
		{"enum without id", event.WebhookV2, `{"meta":{},"data":{"id":7,"custom_fields":{"ab":{"type":"enum","value":"` + secret + `"}}}}`, `custom field "ab": expected id in the type enum, got an object of 2 without`},
		{"daterange without from", event.WebhookV2, `{"meta":{},"data":{"id":7,"custom_fields":{"ab":{"type":"daterange","value":"` + secret + `"}}}}`, `custom field "ab": expected from in the type daterange`},
		{"set of a text", event.WebhookV2, `{"meta":{},"data":{"id":7,"custom_fields":{"ab":{"type":"set","values":"` + secret + `"}}}}`, `custom field "ab": expected an array in values of the type set, got a string`},
		{"object of version 1", event.RESTv1, `{"id":7,"` + key + `":{"x":"` + secret + `"}}`, `custom field "` + key + `": expected an object with value or id, got an object of 1`},
		{"object without value", event.RESTv2, `{"id":7,"custom_fields":{"ab":{"x":1}}}`, `custom field "ab": expected an object with value or id, got an object of 1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := event.Read(parse(t, []byte(c.body)), event.About{Schema: c.schema, Object: "deal", Action: event.Updated}, event.Options{})
			require.ErrorContains(t, err, c.errContains)
			assert.NotContains(t, err.Error(), secret)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestRecordsOfTheRESTAPIAreToldApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ object, body, want string }{
		{"deal", `{"id":7,"add_time":"2026-10-01T00:00:00Z"}`, event.RESTv2},
		{"deal", `{"id":7,"add_time":"2026-10-01 00:00:00"}`, event.RESTv1},
		{"person", `{"id":7,"active_flag":true}`, event.RESTv1},
		{"deal", `{"id":7,"` + strings.Repeat("ab", 20) + `":null}`, event.RESTv1},
		{"lead", `{"id":"x","add_time":"2026-10-01T00:00:00.123Z"}`, event.RESTv1},
		{"anything", `{}`, event.RESTv2},
	} {
		assert.Equal(t, c.want, event.RESTSchema(parse(t, []byte(c.body)), c.object), "%s %s", c.object, c.body)
	}
}

// A record of hundreds of fields is ordinary, and costs what its fields cost.
func TestManyFieldsAreOrdinary(t *testing.T) {
	t.Parallel()
	var fields []string
	for i := range 200 {
		fields = append(fields, fmt.Sprintf(`"%040x":{"type":"varchar","value":"%d"}`, i, i))
	}
	body := `{"meta":{},"data":{"id":7,"custom_fields":{` + strings.Join(fields, ",") + `}},"previous":{}}`
	e := read(t, scene{"", event.About{Schema: event.WebhookV2, Object: "deal", Action: event.Updated}, parse(t, []byte(body))}, event.Options{})
	assert.Len(t, e.Data["custom_fields"], 200)
}

// No bytes make it panic, and what it writes is JSON.
func FuzzRead(f *testing.F) {
	for _, body := range []string{
		`{"id":7}`, `{"data":{"id":7,"custom_fields":{"ab":{"type":"set","values":[{"id":1}]}}},"previous":{"label":3},"meta":{"merged_to_id":"8"}}`,
		`{"meta":{},"current":[{"id":7,"due_time":{"value":[]}}],"previous":[{"id":7,"label":"1,2"}]}`,
		`{"id":"x","address":"y","address_route":1,"emails":[{"value":""},7],"prices":[[]],"update_time":"0000-00-00 00:00:00"}`,
	} {
		for _, object := range []string{"deal", "organization", "activity", "product", "user", "anything"} {
			f.Add([]byte(body), "webhook_v2", object, "updated")
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, schema, object, action string) {
		c, err := gabs.ParseJSON(body)
		if err != nil {
			return
		}
		for _, s := range []string{schema, event.RESTv1, event.RESTv2, event.WebhookV1, event.WebhookV2} {
			e, err := event.Read(c, event.About{Schema: s, Object: object, Action: action}, event.Options{Resolve: true, Fields: definitions})
			if err != nil {
				continue
			}
			for form, write := range forms {
				_, err := json.Marshal(write(e))
				require.NoError(t, err, form)
			}
		}
	})
}

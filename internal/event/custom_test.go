package event_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/event"
)

// customTypes are the types of custom fields as each schema writes them, K for the key.
var customTypes = []struct{ kind, rest1, rest2, hook2, want string }{
	{"varchar", `"K":"abc"`, `"abc"`, `{"type":"varchar","value":"abc"}`, `"abc"`},
	{"varchar_auto", `"K":"17"`, `"17"`, `{"type":"varchar_auto","value":"17"}`, `"17"`},
	{"text", `"K":"two\nlines"`, `"two\nlines"`, `{"type":"text","value":"two\nlines"}`, `"two\nlines"`},
	{"phone", `"K":"+1 201 555 0142"`, `"+1 201 555 0142"`, `{"type":"phone","value":"+1 201 555 0142"}`, `"+1 201 555 0142"`},
	{"double", `"K":12.50`, `12.50`, `{"type":"double","value":12.50}`, `12.50`},
	{"monetary", `"K":500.10,"K_currency":"EUR"`, `{"value":500.10,"currency":"EUR"}`, `{"type":"monetary","value":500.10,"currency":"EUR"}`, `{"value":500.10,"currency":"EUR"}`},
	{"enum", `"K":"17"`, `17`, `{"type":"enum","id":17}`, `17`},
	{"enum", `"K":"17"`, `{"id":17,"label":"Hot"}`, `{"type":"enum","id":17}`, `17`},
	{"set", `"K":"13,14"`, `[13,14]`, `{"type":"set","values":[{"id":13},{"id":14}]}`, `[13,14]`},
	{"set", `"K":"13"`, `[{"id":13,"label":"North"}]`, `{"type":"set","values":[{"id":13}]}`, `[13]`},
	{"user", `"K":{"id":41,"name":"Mara","value":41}`, `41`, `{"type":"user","id":41}`, `41`},
	{"org", `"K":{"name":"Kestrel","value":377}`, `377`, `{"type":"org","id":377}`, `377`},
	{"people", `"K":612`, `612`, `{"type":"people","id":612}`, `612`},
	{"date", `"K":"2026-11-20"`, `"2026-11-20"`, `{"type":"date","value":"2026-11-20"}`, `"2026-11-20"`},
	{"daterange", `"K":"2026-11-01","K_until":"2026-11-30"`, `{"value":"2026-11-01","until":"2026-11-30"}`, `{"type":"daterange","from":"2026-11-01","until":"2026-11-30"}`, `{"value":"2026-11-01","until":"2026-11-30"}`},
	{"time", `"K":"09:00:00"`, `{"value":"09:00:00","timezone_id":318,"timezone_name":"Europe/London"}`, `{"type":"time","value":"09:00:00","timezone_id":318}`, `{"value":"09:00:00"}`},
	{"timerange", `"K":"09:00:00","K_until":"17:00:00"`, `{"value":"09:00:00","until":"17:00:00","timezone_id":318,"timezone_name":"Europe/London"}`, `{"type":"timerange","from":"09:00:00","until":"17:00:00","timezone_id":318}`, `{"value":"09:00:00","until":"17:00:00"}`},
	{"address", `"K":"Main St 1","K_lat":52.5`, `{"value":"Main St 1","lat":52.5}`, `{"type":"address","value":"Main St 1","lat":52.5}`, `{"value":"Main St 1","lat":52.5}`},
	{"address", `"K":"Main St 1","K_route":"Main St","K_formatted_address":"Main St 1, Springfield"`, `{"value":"Main St 1","route":"Main St","formatted_address":"Main St 1, Springfield"}`, `{"type":"address","value":"Main St 1","route":"Main St","formatted_address":"Main St 1, Springfield"}`, `{"value":"Main St 1","route":"Main St","formatted_address":"Main St 1, Springfield"}`},
}

const key = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"

// written is a deal with one custom field in each schema.
func written(t *testing.T, rest1, rest2, hook2 string) map[string]scene {
	t.Helper()
	about := func(schema string) event.About {
		return event.About{Schema: schema, Object: "deal", ObjectID: "7", Action: event.Updated}
	}
	v1 := `{"id":7,"update_time":"2026-11-20 09:15:00",` + strings.ReplaceAll(rest1, "K", key) + `}`
	return map[string]scene{
		event.RESTv1:    {"", about(event.RESTv1), parse(t, []byte(v1))},
		event.RESTv2:    {"", about(event.RESTv2), parse(t, []byte(`{"id":7,"update_time":"2026-11-20T09:15:00Z","custom_fields":{"`+key+`":`+rest2+`}}`))},
		event.WebhookV1: {"", about(event.WebhookV1), parse(t, []byte(`{"meta":{},"current":`+v1+`}`))},
		event.WebhookV2: {"", about(event.WebhookV2), parse(t, []byte(`{"meta":{},"data":{"id":7,"update_time":"2026-11-20T09:15:00Z","custom_fields":{"`+key+`":`+hook2+`}}}`))},
	}
}

// Every type, from every schema, comes to the form of REST v2; all of them have one id, with definitions or without.
func TestCustomFieldsOfEveryTypeComeToOneForm(t *testing.T) {
	t.Parallel()
	for _, c := range customTypes {
		defined := map[string]entity.Field{key: {Key: key, Name: "Field", Type: c.kind}}
		ids := map[string]bool{}
		for schema, s := range written(t, c.rest1, c.rest2, c.hook2) {
			ids[read(t, s, event.Options{}).ID] = true
			e := read(t, s, event.Options{Resolve: true, Fields: defined})
			ids[e.ID] = true
			got, want := e.Data["custom_fields"].(map[string]any)[key], parse(t, []byte(c.want)).Data()
			assert.Equal(t, want, sharedPart(got, want), "%s of %s, digit by digit", c.kind, schema)
			if o, is := got.(map[string]any); is {
				assert.NotContains(t, o, "type")
			}
			assert.Equal(t, e.Data["custom_fields"].(map[string]any)[key], e.Named["Field"], "without options a value is its own name")
		}
		assert.Len(t, ids, 1, "%s: one state, one id", c.kind)
	}
}

// sharedPart is what of a value is in the other too: schemas differ in whether they name a time zone.
func sharedPart(v, other any) any {
	o, ok := v.(map[string]any)
	want, both := other.(map[string]any)
	if !ok || !both {
		return v
	}
	part := map[string]any{}
	for name := range want {
		part[name] = o[name]
	}
	return part
}

func TestUnsetAndAbsentCustomFieldsAreOne(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, c := range []string{`null`, `{}`, `{"` + key + `":null}`} {
		for _, schema := range []string{event.RESTv2, event.WebhookV2} {
			body := `{"id":7,"update_time":"2026-11-20T09:15:00Z","custom_fields":` + c + `}`
			if schema == event.WebhookV2 {
				body = `{"meta":{},"data":` + body + `}`
			}
			e := read(t, scene{"", event.About{Schema: schema, Object: "deal", Action: event.Updated}, parse(t, []byte(body))}, event.Options{})
			assert.Equal(t, map[string]any{}, e.Data["custom_fields"], "%s %s", schema, c)
			ids[e.ID] = true
		}
	}
	e := read(t, scene{"", event.About{Schema: event.RESTv1, Object: "deal", Action: event.Updated}, parse(t, []byte(`{"id":7,"update_time":"2026-11-20 09:15:00","`+key+`":null,"`+key+`_currency":null}`))}, event.Options{})
	assert.Equal(t, map[string]any{}, e.Data["custom_fields"])
	ids[e.ID] = true
	assert.Len(t, ids, 1)
}

// A currency of no amount, and an end of no beginning, is no value in any schema.
func TestAValueOfNothingIsUnset(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rest1, rest2, hook2 string }{
		{`"K":null,"K_currency":"EUR"`, `{"value":null,"currency":"EUR"}`, `{"type":"monetary","value":null,"currency":"EUR"}`},
		{`"K":null,"K_until":null`, `{"value":null,"until":null}`, `{"type":"daterange","from":null,"until":null}`},
		{`"K":null`, `{"id":null,"label":null}`, `{"type":"enum","id":null}`},
		{`"K":null`, `null`, `{"type":"set","values":null}`},
		{`"K":null`, `null`, `{"type":"varchar","value":null}`},
	} {
		ids := map[string]bool{}
		for schema, s := range written(t, c.rest1, c.rest2, c.hook2) {
			e := read(t, s, event.Options{})
			assert.Empty(t, e.Data["custom_fields"], "%s of %s", c, schema)
			ids[e.ID] = true
		}
		assert.Len(t, ids, 1, c)
	}
}

// Webhooks of version 1.0 have all fields before and after, but not the same ones: what only one of the two has is no change.
func TestWhatOnlyOneStateHasIsNoChangeInVersion1(t *testing.T) {
	t.Parallel()
	const gone, unset, kept = "1a1b2c3d4e5f60718293a4b5c6d7e8f901234567", "2a1b2c3d4e5f60718293a4b5c6d7e8f901234567", "3a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
	body := parse(t, []byte(`{"meta":{},"current":{"id":7,"`+unset+`":null,"`+kept+`":"a"},"previous":{"id":7,"next":1,"`+gone+`":"x","`+unset+`":"y","`+kept+`":"a"}}`))
	e := read(t, scene{"", event.About{Schema: event.WebhookV1, Object: "deal", Action: event.Updated}, body}, event.Options{})
	assert.Equal(t, []string{"custom_fields." + unset}, e.Changed)
	assert.Equal(t, map[string]any{"custom_fields": map[string]any{unset: "y"}}, e.Previous)
}

// The definitions that an event needs are those of its record now and before: of one that is gone there is nothing else.
func TestCustomKeysAreThoseOfBothStates(t *testing.T) {
	t.Parallel()
	const now, before = "1a1b2c3d4e5f60718293a4b5c6d7e8f901234567", "2a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
	for schema, body := range map[string]string{
		event.WebhookV2: `{"meta":{},"data":{"id":7,"custom_fields":{"` + now + `":{"type":"int","value":1},"` + key + `":null,"ab":1}},"previous":{"custom_fields":{"` + before + `":{"type":"int","value":1}}}}`,
		event.WebhookV1: `{"meta":{},"current":{"id":7,"` + now + `":1,"` + now + `_currency":"EUR","` + key + `":null},"previous":{"` + before + `":1}}`,
	} {
		assert.ElementsMatch(t, []string{now, before}, slices.Collect(event.CustomKeys(parse(t, []byte(body)), schema)), schema)
	}
	gone := `{"meta":{},"data":null,"previous":{"id":7,"custom_fields":{"` + before + `":{"type":"int","value":1}}}}`
	assert.Equal(t, []string{before}, slices.Collect(event.CustomKeys(parse(t, []byte(gone)), event.WebhookV2)))
}

// Names and labels are for people; what has none keeps its key or id, so nothing is lost.
func TestNamedHasWhatHasAName(t *testing.T) {
	t.Parallel()
	e := read(t, sceneOf(t, "deal_changed_v2"), event.Options{Resolve: true, Fields: definitions})
	assert.Equal(t, map[string]any{
		"Contract": map[string]any{"value": json.Number("2300"), "currency": "EUR"},
		"Tier":     "Gold",
		"Regions":  []any{"North", json.Number("14")},
	}, e.Named)
	e = read(t, sceneOf(t, "deal_changed_v2"), event.Options{Resolve: true})
	out, err := json.Marshal(e.Plain())
	assert.NoError(t, err)
	assert.Contains(t, string(out), `"named":null`, "the definitions could not be had")
	e = read(t, sceneOf(t, "deal_changed_v2"), event.Options{})
	assert.NotContains(t, e.Plain(), "named", "nobody asked")
}

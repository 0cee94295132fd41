package event_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/event"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

var schemas = []string{event.RESTv1, event.RESTv2, event.WebhookV1, event.WebhookV2}

// withWebhooks are the objects that Pipedrive sends webhooks of.
var withWebhooks = []string{
	"deals", "persons", "organizations", "activities", "products", "pipelines", "stages", "leads", "notes", "users", "activity_types",
	"projects", "tasks",
}

// account is a simulated one with some of everything.
func account(seed uint64) simulator.Options {
	const n = 40
	return simulator.Options{
		Seed: seed, Deals: n, Persons: n, Organizations: n, Activities: n, Products: n, Leads: n, Notes: n, Projects: n, Tasks: n,
		Users: n, Pipelines: n, Stages: n, ActivityTypes: n,
	}
}

// in reads a record of the simulator as it is written in a schema; nil where it is not.
func in(t *testing.T, sim *simulator.Simulator, o entity.Object, id, schema string, fields map[string]entity.Field) *event.Event {
	t.Helper()
	body := sim.Written(o.Name, id, schema)
	if body == nil {
		return nil
	}
	about := event.About{Schema: schema, Object: o.Kind, ObjectID: id, Action: event.Updated, CompanyID: "10400001"}
	return read(t, scene{o.Name + " in " + schema, about, parse(t, body)}, event.Options{Resolve: fields != nil, Fields: fields})
}

func definitionsOf(sim *simulator.Simulator, o entity.Object) map[string]entity.Field {
	fields := map[string]entity.Field{}
	if o.Fields == "" {
		return fields
	}
	for _, f := range sim.CustomFields(o.Name) {
		field := entity.Field{Key: f.Key, Name: f.Name, Type: f.Type, Options: map[string]string{}}
		for _, option := range f.Options {
			field.Options[strconv.FormatInt(option.ID, 10)] = option.Label
		}
		fields[f.Key] = field
	}
	return fields
}

// One state of one record, in all schemas that its object has: one id, and one value under every key that they share.
func TestOneStateIsOneEventInEverySchema(t *testing.T) {
	for seed := range uint64(3) {
		sim := simulator.New(account(seed))
		random := rand.New(rand.NewPCG(seed, 1))
		for _, name := range withWebhooks {
			o, _ := entity.Lookup(name)
			fields := definitionsOf(sim, o)
			for _, id := range sim.IDs(name) {
				if random.IntN(2) == 0 {
					sim.Touch(name, id)
				}
				var first *event.Event
				written := 0
				for _, schema := range schemas {
					e := in(t, sim, o, id, schema, fields)
					if e == nil {
						continue
					}
					written++
					require.Equal(t, e.ID, in(t, sim, o, id, schema, nil).ID, "%s %s in %s: the id does not depend on resolve", name, id, schema)
					if first == nil {
						first = e
						continue
					}
					require.Equal(t, first.ID, e.ID, "%s %s in %s and %s\n%v\n%v", name, id, first.Schema, schema, first.Data, e.Data)
					for key, v := range e.Data {
						if other, shared := first.Data[key]; shared && !strings.HasSuffix(key, "_count") && !apart[name+"."+key] {
							requireShared(t, other, v, fmt.Sprintf("%s %s.%s in %s and %s", name, id, key, first.Schema, schema))
						}
					}
				}
				assert.Positive(t, written)
			}
		}
	}
}

// Webhooks have one label of a person or organization. It is not taken for all of them, and the id counts no other.
func TestOneLabelIsNotTakenForAll(t *testing.T) {
	sim := simulator.New(account(5))
	for _, name := range []string{"persons", "organizations"} {
		o, _ := entity.Lookup(name)
		id := sim.IDs(name)[0]
		for _, labels := range [][]int{{5, 9}, {5}, {}} {
			sim.Update(name, id, simulator.Fields{"label_ids": labels})
			polled := in(t, sim, o, id, event.RESTv2, nil)
			assert.Len(t, polled.Data["label_ids"], len(labels))
			assert.Equal(t, polled.ID, in(t, sim, o, id, event.RESTv1, nil).ID)
			for _, schema := range []string{event.WebhookV1, event.WebhookV2} {
				told := in(t, sim, o, id, schema, nil)
				assert.Equal(t, polled.ID, told.ID)
				assert.NotContains(t, told.Data, "label_ids", "%s in %s", name, schema)
				if len(labels) > 0 {
					assert.Equal(t, json.Number("5"), told.Data["label"])
				} else {
					assert.Nil(t, told.Data["label"])
				}
			}
		}
	}
}

// apart are keys that the schemas share by name and not by meaning. (Counters count at different moments.)
var apart = map[string]bool{
	"users.lang": true, // a number in lists, a word like en-US in webhooks of version 2.0
}

// requireShared compares what two values share: of objects the keys that both have.
func requireShared(t *testing.T, a, b any, what string) {
	t.Helper()
	x, isObject := a.(map[string]any)
	y, both := b.(map[string]any)
	if isObject && both {
		for key := range x {
			if _, shared := y[key]; shared {
				requireShared(t, x[key], y[key], what+"."+key)
			}
		}
		return
	}
	require.Equal(t, a, b, what)
}

// Every change of what both doors carry makes another id, also within one second.
func TestOtherStatesAreOtherEventsInEverySchema(t *testing.T) {
	sim := simulator.New(account(7))
	for _, name := range withWebhooks {
		o, _ := entity.Lookup(name)
		id := sim.IDs(name)[3]
		seen := map[string]int{}
		for round, f := range states[name] {
			sim.Update(name, id, f)
			e := map[string]bool{}
			for _, schema := range schemas {
				if got := in(t, sim, o, id, schema, nil); got != nil {
					e[got.ID] = true
					before, known := seen[got.ID]
					require.False(t, known && before != round, "%s: states %d and %d have one id in %s", name, before, round, schema)
					seen[got.ID] = round
				}
			}
			require.Len(t, e, 1, "%s after %v", name, f)
		}
		assert.Len(t, seen, len(states[name]), name)
	}
}

// states are changes one after the other, within one second of the simulator's clock.
var states = map[string][]simulator.Fields{
	"deals": {
		nil,
		{"title": "x"},
		{"value": 7.25},
		{"currency": "SEK"},
		{"stage_id": 3},
		{"owner_id": 2},
		{"person_id": nil},
		{"org_id": 9},
		{"probability": 5},
		{"status": "lost", "lost_reason": "price"},
		{"visible_to": 1},
		{"expected_close_date": "2027-01-01"},
		{"label_ids": []int{8, 9}},
	},
	"persons": {
		nil,
		{"name": "Ada L"},
		{"first_name": "Ada"},
		{"last_name": "L"},
		{"owner_id": 2},
		{"org_id": nil},
		{"visible_to": 1},
		{"label_ids": []int{8}},
		{"emails": []map[string]any{{"value": "a@b.example", "primary": true, "label": "home"}}},
		{"phones": []map[string]any{}},
	},
	"organizations": {
		nil,
		{"name": "Kestrel"},
		{"owner_id": 2},
		{"visible_to": 1},
		{"label_ids": []int{8}},
		{"website": "https://kestrel.example"},
		{"industry": 7},
		{"annual_revenue": 5},
		{"employee_count": 3},
		{"address": map[string]any{"value": "Main St 1"}},
	},
	"activities": {
		{"done": false, "busy": false},
		{"subject": "x"},
		{"type": "lunch"},
		{"owner_id": 2},
		{"deal_id": nil},
		{"due_date": "2027-01-01"},
		{"due_time": "07:45:00"},
		{"duration": "00:20:00"},
		{"busy": true},
		{"busy": false, "due_date": "2027-01-02"},
		{"done": true},
		{"public_description": "y"},
		{"location": map[string]any{"value": "Main St 1"}},
	},
	"products": {
		{"is_linkable": true}, {"name": "x"}, {"code": "y"}, {"description": "z"}, {"unit": "kg"}, {"tax": 9}, {"category": 12}, {"is_linkable": false}, {"owner_id": 2}, {"visible_to": 1},
	},
	"pipelines":      {{"is_deal_probability_enabled": false}, {"name": "x"}, {"order_nr": 99}, {"is_deal_probability_enabled": true}, {"is_deal_probability_enabled": false, "order_nr": 98}},
	"stages":         {{"is_deal_rot_enabled": false, "days_to_rotten": nil}, {"name": "x"}, {"order_nr": 99}, {"deal_probability": 7}, {"days_to_rotten": 11, "is_deal_rot_enabled": true}, {"pipeline_id": 2}},
	"leads":          {nil, {"title": "x"}, {"owner_id": 2}, {"person_id": nil}, {"organization_id": nil}, {"value": map[string]any{"amount": 5, "currency": "SEK"}}, {"expected_close_date": "2027-01-01"}},
	"notes":          {{"pinned_to_deal_flag": false}, {"content": "x"}, {"deal_id": nil}, {"person_id": nil}, {"org_id": nil}, {"pinned_to_deal_flag": true}},
	"users":          {nil, {"name": "x"}, {"email": "x@kestrel.example"}, {"default_currency": "SEK"}, {"active_flag": false}},
	"activity_types": {nil, {"name": "x"}, {"order_nr": 99}, {"color": "FF0000"}},
	"projects":       {nil, {"title": "x"}, {"description": "y"}, {"status": "completed"}, {"owner_id": 2}, {"end_date": "2027-01-01"}},
	"tasks":          {{"is_done": false}, {"title": "x"}, {"description": "y"}, {"is_done": true}, {"due_date": "2027-01-01"}, {"priority": 3}},
}

// What Pipedrive tells of a change in its two versions, and what a reading finds afterwards, is one event: of creation,
// change, deletion and merge.
func TestWhatIsToldIsWhatIsRead(t *testing.T) {
	sim := simulator.New(account(11))
	for _, name := range []string{"deals", "persons", "organizations", "products"} {
		o, _ := entity.Lookup(name)
		ids := sim.IDs(name)
		for what, change := range map[string]func(){
			"created": func() { sim.Add(name, nil) },
			"updated": func() { sim.Update(name, ids[0], simulator.Fields{"owner_id": 2}) },
			"deleted": func() { sim.Delete(name, ids[1]) },
		} {
			v2 := sim.Told("2.0", change)
			require.Len(t, v2, 1, "%s %s", name, what)
			hook := gjson.ParseBytes(v2[0])
			id := hook.Get("meta.entity_id").Str
			about := event.About{Schema: event.WebhookV2, Object: o.Kind, ObjectID: id, Action: what, CompanyID: "10400001"}
			told := read(t, scene{name + " " + what, about, parse(t, v2[0])}, event.Options{})
			assert.Equal(t, what == event.Deleted, told.Data == nil)
			if what == event.Deleted {
				about.Schema = event.RESTv2
				gone := read(t, scene{"", about, parse(t, []byte(`{"id":`+id+`}`))}, event.Options{})
				assert.Equal(t, gone.ID, told.ID, "%s: a deletion that polling found", name)
				continue
			}
			polled := in(t, sim, o, id, event.RESTv2, nil)
			assert.Equal(t, polled.ID, told.ID, "%s %s", name, what)
		}
	}
	for _, name := range []string{"deals", "persons", "organizations"} {
		o, _ := entity.Lookup(name)
		ids := sim.IDs(name)
		seen := map[string]bool{}
		for _, body := range sim.Told("2.0", func() { sim.Merge(name, ids[5], ids[6]) }) {
			hook := gjson.ParseBytes(body)
			about := event.About{Schema: event.WebhookV2, Object: o.Kind, ObjectID: hook.Get("meta.entity_id").Str, Action: event.Updated}
			if hook.Get("meta.action").Str == "delete" {
				about.Action = event.Deleted
			}
			e := read(t, scene{name, about, parse(t, body)}, event.Options{})
			switch {
			case e.MergedInto != "":
				assert.Equal(t, [2]string{ids[5], ids[6]}, [2]string{e.ObjectID, e.MergedInto})
				seen["into"] = true
			case e.MergedFrom != "":
				assert.Equal(t, [2]string{ids[6], ids[5]}, [2]string{e.ObjectID, e.MergedFrom})
				seen["from"] = true
			}
		}
		assert.Equal(t, map[string]bool{"into": true, "from": true}, seen, name)
	}
}

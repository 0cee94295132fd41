package simulator

import (
	"slices"
	"strconv"

	"github.com/tidwall/gjson"
)

// The records of REST v1 that v2 has taken over: those of webhooks 1.0, but with the records they refer to as objects
// whose value is the id, and with some fields more. Leads, notes, users and whatever else is listed under v1 need none.
// https://pipedrive.readme.io/docs/pipedrive-api-v2-migration-guide
var (
	dealRESTv1 = slices.Concat(
		same("id"),
		shape{userOf("creator_user_id", "creator_user_id"), userOf("user_id", "owner_id"), personOf("person_id"), orgOf("org_id")},
		same("stage_id", "title", "value", "currency"),
		at(layoutV1, "add_time", "update_time", "stage_change_time"),
		shape{made("active", isOpen), as("deleted", "is_deleted")},
		same("status", "probability", "lost_reason"),
		shape{asText("visible_to")},
		same("pipeline_id"),
		at(layoutV1, "close_time", "won_time"),
		shape{firstWon},
		at(layoutV1, "lost_time"),
		fixed("0", "products_count"),
		activityCounts,
		fixed("0", "participants_count"),
		same("expected_close_date"),
		mailTimes,
		shape{made("label", allLabels)},
		same("local_won_date", "local_lost_date", "local_close_date", "origin", "origin_id", "channel", "channel_id", "is_archived"),
		at(layoutV1, "archive_time"),
		fixed("null", "sequence_enrollment"),
		same("source_lead_id"),
		fixed("0", "stage_order_nr"),
		shape{nameOf("person_name", "person_id", "persons"), nameOf("org_name", "org_id", "organizations")},
		fixed("null", "next_activity_subject", "next_activity_type", "next_activity_duration", "next_activity_note"),
		shape{
			made("formatted_value", money), as("weighted_value", "value"), made("formatted_weighted_value", money),
			as("weighted_value_currency", "currency"),
		},
		fixed("null", "rotten_time"),
		shape{nameOf("owner_name", "owner_id", "users"), mailbox("+deal")},
		fixed("false", "org_hidden", "person_hidden"),
		shape{atRootWithObjects},
	)
	personRESTv1 = slices.Concat(
		same("id"),
		shape{userOf("owner_id", "owner_id"), orgOf("org_id")},
		same("name", "first_name", "last_name"),
		dealCounts, activityCounts, mailTimes,
		fixed("0", "participant_open_deals_count", "participant_closed_deals_count"),
		shape{unless("active_flag", "is_deleted"), contacts("phone", "phones"), contacts("email", "emails"), made("first_char", firstChar)},
		at(layoutV1, "update_time", "delete_time", "add_time"),
		shape{asText("visible_to")},
		same("picture_id"),
		shape{made("label", firstLabel)},
		same("label_ids"),
		shape{contacts("im", "im"), spreadAddress("postal_address")},
		fixed("null", "postal_address_lat", "postal_address_long"),
		same("notes", "birthday", "job_title"),
		shape{
			nameOf("org_name", "org_id", "organizations"), nameOf("owner_name", "owner_id", "users"),
			part("primary_email", "emails", "0.value"), mailbox(""), made("company_id", companyID), atRootWithObjects,
		},
	)
	organizationRESTv1 = slices.Concat(
		same("id"),
		shape{userOf("owner_id", "owner_id")},
		same("name"),
		dealCounts, activityCounts,
		fixed("0", "people_count"),
		shape{unless("active_flag", "is_deleted")},
		same("picture_id"),
		shape{part("country_code", "address", "country"), made("first_char", firstChar)},
		at(layoutV1, "update_time", "delete_time", "add_time"),
		shape{asText("visible_to"), made("label", firstLabel)},
		same("label_ids"),
		shape{spreadAddress("address")},
		fixed("null", "address_country_code"),
		same("website", "linkedin", "industry", "annual_revenue", "employee_count"),
		shape{nameOf("owner_name", "owner_id", "users"), mailbox(""), made("company_id", companyID), atRootWithObjects},
	)
	activityRESTv1 = slices.Concat(
		same("id"),
		shape{as("user_id", "owner_id")},
		same("done", "type"),
		fixed("null", "reference_type", "reference_id"),
		same("conference_meeting_client", "conference_meeting_url", "conference_meeting_id", "due_date"),
		shape{minutes("due_time"), minutes("duration"), as("busy_flag", "busy")},
		at(layoutV1, "add_time", "update_time"),
		shape{made("marked_as_done_time", doneAt)},
		same("subject", "public_description", "org_id", "person_id", "deal_id", "lead_id"),
		shape{unless("active_flag", "is_deleted")},
		fixed("null", "last_notification_time", "last_notification_user_id", "notification_language_id",
			"calendar_sync_include_context", "update_user_id", "source_timezone", "rec_rule", "rec_rule_extension",
			"rec_master_activity_id", "original_start_time"),
		fixed("false", "private"),
		same("priority", "note"),
		shape{as("created_by_user_id", "creator_user_id"), spreadAddress("location"), orNull("attendees", as("attendees", "attendees").put), orNull("participants", flagged)},
		fixed("null", "series", "is_recurring"),
		shape{
			nameOf("org_name", "org_id", "organizations"), nameOf("person_name", "person_id", "persons"),
			nameOf("deal_title", "deal_id", "deals"),
		},
		fixed("null", "lead_title"),
		shape{nameOf("owner_name", "owner_id", "users")},
		fixed("null", "person_dropbox_bcc", "deal_dropbox_bcc"),
		shape{as("assigned_to_user_id", "owner_id"), made("type_name", typeName)},
		fixed("null", "lead"),
		shape{made("company_id", companyID)},
	)
	productRESTv1 = slices.Concat(
		same("id", "name", "code", "description", "unit", "tax"),
		shape{
			asText("category"), unless("active_flag", "is_deleted"), as("selectable", "is_linkable"),
			made("first_char", firstChar), asText("visible_to"), userOf("owner_id", "owner_id"),
		},
		fixed("null", "files_count"),
		at(layoutV1, "add_time", "update_time"),
		shape{made("prices", oldPrices)},
		fixed("[]", "product_variations"),
		shape{atRootWithObjects},
	)
	pipelineRESTv1 = append(slices.Clone(pipelineV1), fixed("false", "selected")...)
	stageRESTv1    = append(slices.Clone(stageV1), nameOf("pipeline_name", "pipeline_id", "pipelines"),
		made("pipeline_deal_probability", pipelineProbability))
)

// related is the record that an id refers to.
func (v *view) related(object string, id gjson.Result) (r record, body gjson.Result, found bool) {
	t := v.tables[v.objects[object]]
	n, ok := t.seeds.number(t.obj, id.String())
	if !ok {
		return record{}, gjson.Result{}, false
	}
	if r, found = t.get(n); found {
		body = gjson.ParseBytes(r.append(nil))
	}
	return r, body, found
}

// appender writes the object that REST v1 has in the place of an id; null when there is no such record.
type appender func(v *view, b []byte, id gjson.Result) []byte

func userOf(name, from string) feature {
	return made(name, func(b []byte, v *view) []byte { return appendUser(v, b, v.fields[from]) })
}

func personOf(name string) feature {
	return made(name, func(b []byte, v *view) []byte { return appendPerson(v, b, v.fields[name]) })
}

func orgOf(name string) feature {
	return made(name, func(b []byte, v *view) []byte { return appendOrg(v, b, v.fields[name]) })
}

func appendUser(v *view, b []byte, id gjson.Result) []byte {
	r, body, found := v.related("users", id)
	if !found {
		return append(b, "null"...)
	}
	return appendJSON(b, struct {
		ID      int64   `json:"id"`
		Name    string  `json:"name"`
		Email   string  `json:"email"`
		HasPic  int     `json:"has_pic"`
		PicHash *string `json:"pic_hash"`
		Active  bool    `json:"active_flag"`
		Value   int64   `json:"value"`
	}{r.n, body.Get("name").Str, body.Get("email").Str, 0, nil, body.Get("active_flag").Bool(), r.n})
}

func appendPerson(v *view, b []byte, id gjson.Result) []byte {
	r, body, found := v.related("persons", id)
	if !found {
		return append(b, "null"...)
	}
	of := v.Simulator.view(v.objects["persons"], []byte(body.Raw))
	return appendWithValue(b, r.n, of.in(slices.Concat(
		shape{unless("active_flag", "is_deleted")},
		same("name"),
		shape{contacts("email", "emails"), contacts("phone", "phones")},
		same("owner_id"),
		shape{made("company_id", companyID)},
	)))
}

func appendOrg(v *view, b []byte, id gjson.Result) []byte {
	r, body, found := v.related("organizations", id)
	if !found {
		return append(b, "null"...)
	}
	of := v.Simulator.view(v.objects["organizations"], []byte(body.Raw))
	return appendWithValue(b, r.n, of.in(slices.Concat(
		same("name"),
		fixed("0", "people_count"),
		same("owner_id"),
		shape{part("address", "address", "value")},
		same("label_ids"),
		shape{unless("active_flag", "is_deleted"), mailbox(""), nameOf("owner_name", "owner_id", "users")},
	)))
}

// appendWithValue appends an object with the id as its last member.
func appendWithValue(b []byte, id int64, object []byte) []byte {
	b = append(b, object[:len(object)-1]...)
	return append(strconv.AppendInt(append(b, `,"value":`...), id, 10), '}')
}

// contacts are emails and the like; of nothing v1 makes one that is empty.
func contacts(name, from string) feature {
	return made(name, func(b []byte, v *view) []byte {
		if len(v.fields[from].Array()) == 0 {
			return append(b, `[{"value":"","primary":true}]`...)
		}
		return v.appendRaw(b, from)
	})
}

// orNull is a list that is null when it is empty.
func orNull(name string, put func([]byte, *view) []byte) feature {
	return made(name, func(b []byte, v *view) []byte {
		if len(v.fields[name].Array()) == 0 {
			return append(b, "null"...)
		}
		return put(b, v)
	})
}

// typeName is what people call the type of an activity.
func typeName(b []byte, v *view) []byte {
	for _, name := range typeNames {
		if asciiLower(name) == v.fields["type"].Str {
			return appendWord(b, name)
		}
	}
	return v.appendRaw(b, "type")
}

// pipelineProbability is whether the stage's pipeline works with probabilities.
func pipelineProbability(b []byte, v *view) []byte {
	_, pipeline, _ := v.related("pipelines", v.fields["pipeline_id"])
	return strconv.AppendBool(b, pipeline.Get("is_deal_probability_enabled").Bool())
}

// atRootWithObjects is atRoot with the records that custom fields refer to as objects.
var atRootWithObjects = feature{spread: func(b []byte, v *view) []byte {
	objects := map[fieldType]appender{user: appendUser, org: appendOrg, people: appendPerson}
	v.custom(func(key string, kind fieldType, value gjson.Result) {
		kind.spread(key, value, func(name, json string) {
			b = append(appendJSON(append(b, ','), name), ':')
			if object, has := objects[kind]; has && json != "null" {
				b = object(v, b, value)
				return
			}
			b = append(b, json...)
		})
	})
	return b
}}

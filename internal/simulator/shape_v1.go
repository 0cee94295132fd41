package simulator

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// Fields that many records of version 1.0 have, and that nothing here counts.
var (
	activityCounts = slices.Concat(
		fixed("0", "activities_count", "done_activities_count", "undone_activities_count", "email_messages_count",
			"files_count", "followers_count", "notes_count"),
		fixed("null", "next_activity_date", "next_activity_time", "next_activity_id", "last_activity_id", "last_activity_date"),
	)
	dealCounts = fixed("0", "open_deals_count", "closed_deals_count", "won_deals_count", "lost_deals_count",
		"related_open_deals_count", "related_closed_deals_count", "related_won_deals_count", "related_lost_deals_count")
	mailTimes = fixed("null", "last_incoming_mail_time", "last_outgoing_mail_time")
)

// The records of version 1.0: flat, with times in the old layout. https://pipedrive.readme.io/docs/guide-for-webhooks
var (
	dealV1 = slices.Concat(
		same("id", "creator_user_id"),
		shape{as("user_id", "owner_id")},
		same("person_id", "org_id", "stage_id", "title", "value", "currency"),
		at(layoutV1, "add_time", "update_time", "stage_change_time"),
		shape{made("active", isOpen), as("deleted", "is_deleted")},
		same("status", "probability", "lost_reason"),
		shape{asText("visible_to")},
		same("pipeline_id"),
		at(layoutV1, "close_time", "won_time"),
		shape{firstWon},
		at(layoutV1, "lost_time"),
		fixed("null", "rotten_time", "next_activity_subject", "next_activity_type",
			"next_activity_duration", "next_activity_note"),
		activityCounts, mailTimes,
		fixed("0", "products_count", "stage_order_nr"),
		fixed("1", "participants_count"),
		same("expected_close_date"),
		shape{made("label", allLabels)},
		same("origin", "origin_id", "channel", "channel_id", "is_archived"),
		at(layoutV1, "archive_time"),
		shape{
			nameOf("person_name", "person_id", "persons"), nameOf("org_name", "org_id", "organizations"),
			nameOf("owner_name", "owner_id", "users"), made("formatted_value", money), as("weighted_value", "value"),
			made("formatted_weighted_value", money), as("weighted_value_currency", "currency"), mailbox("+deal"),
		},
		fixed("false", "org_hidden", "person_hidden"),
		fixed(`"one_time"`, "renewal_type"),
		shape{atRoot},
	)
	personV1 = slices.Concat(
		same("id"), shape{made("company_id", companyID)}, same("owner_id", "org_id", "name", "first_name", "last_name"),
		dealCounts, activityCounts, mailTimes,
		fixed("0", "participant_open_deals_count", "participant_closed_deals_count"),
		shape{
			unless("active_flag", "is_deleted"), as("phone", "phones"), as("email", "emails"), part("primary_email", "emails", "0.value"),
			made("first_char", firstChar),
		},
		at(layoutV1, "update_time", "add_time", "delete_time"),
		shape{asText("visible_to")},
		same("picture_id"),
		shape{
			made("label", firstLabel), nameOf("org_name", "org_id", "organizations"),
			nameOf("owner_name", "owner_id", "users"), mailbox(""),
		},
		shape{atRoot},
	)
	organizationV1 = slices.Concat(
		same("id"), shape{made("company_id", companyID)}, same("owner_id", "name"),
		dealCounts, activityCounts,
		fixed("0", "people_count"),
		shape{unless("active_flag", "is_deleted"), made("first_char", firstChar), part("country_code", "address", "country")},
		at(layoutV1, "update_time", "add_time", "delete_time"),
		shape{asText("visible_to")},
		same("picture_id", "category_id"),
		fixed("true", "edit_name"),
		shape{made("label", firstLabel), nameOf("owner_name", "owner_id", "users"), mailbox("")},
		same("website", "linkedin", "industry", "annual_revenue", "employee_count"),
		shape{spreadAddress("address"), atRoot},
	)
	activityV1 = slices.Concat(
		same("id"), shape{
			made("company_id", companyID), as("user_id", "owner_id"), as("assigned_to_user_id", "owner_id"),
			as("created_by_user_id", "creator_user_id"),
		},
		same("done", "type", "subject", "due_date"),
		shape{minutes("due_time"), minutes("duration"), as("busy_flag", "busy"), unless("active_flag", "is_deleted")},
		at(layoutV1, "add_time", "update_time"),
		shape{made("marked_as_done_time", doneAt), made("participants", flagged)},
		same("deal_id", "lead_id", "person_id", "org_id", "project_id", "note", "public_description", "attendees",
			"conference_meeting_client", "conference_meeting_url", "conference_meeting_id"),
		fixed("null", "reference_type", "reference_id", "update_user_id", "source_timezone", "rec_rule",
			"rec_rule_extension", "rec_master_activity_id", "original_start_time", "series", "is_recurring", "lead",
			"lead_title", "project_title", "calendar_sync_include_context", "last_notification_time",
			"last_notification_user_id", "notification_language_id", "person_dropbox_bcc", "deal_dropbox_bcc"),
		shape{made("type_name", typeName)},
		shape{
			nameOf("org_name", "org_id", "organizations"), nameOf("person_name", "person_id", "persons"),
			nameOf("deal_title", "deal_id", "deals"), nameOf("owner_name", "owner_id", "users"), spreadAddress("location"),
		},
	)
	productV1 = slices.Concat(
		same("id"), shape{made("company_id", companyID)}, same("name", "code", "description", "unit", "tax"),
		shape{
			asText("category"), unless("active_flag", "is_deleted"), as("selectable", "is_linkable"),
			made("first_char", firstChar), asText("visible_to"),
		},
		same("owner_id"),
		fixed("null", "files_count"),
		fixed("0", "followers_count"),
		at(layoutV1, "add_time", "update_time"),
		shape{made("prices", oldPrices)},
		fixed("[]", "product_variations"),
		shape{atRoot},
	)
	pipelineV1 = slices.Concat(
		same("id", "name"),
		shape{made("url_title", slug)},
		same("order_nr"),
		shape{unless("active", "is_deleted"), as("deal_probability", "is_deal_probability_enabled")},
		at(layoutV1, "add_time", "update_time"),
	)
	stageV1 = slices.Concat(
		same("id", "order_nr", "name"),
		shape{unless("active_flag", "is_deleted")},
		same("deal_probability", "pipeline_id"),
		shape{as("rotten_flag", "is_deal_rot_enabled"), as("rotten_days", "days_to_rotten")},
		at(layoutV1, "add_time", "update_time"),
	)
)

// part is a field that lies inside another.
func part(name, from, path string) feature {
	return made(name, func(b []byte, v *view) []byte {
		if f := v.fields[from].Get(path); f.Exists() {
			return append(b, f.Raw...)
		}
		return append(b, "null"...)
	})
}

// firstWon is the time of the last win: that there may have been one before is not played.
var firstWon = made("first_won_time", func(b []byte, v *view) []byte {
	return readStamp(v.fields["won_time"]).append(b, layoutV1)
})

// oldPrices are a product's with an id, and with the old name of direct_cost.
func oldPrices(b []byte, v *view) []byte {
	b = append(b, '[')
	for i, price := range v.fields["prices"].Array() {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `{"id":`...), 10*v.fields["id"].Int()+int64(i), 10)
		price.ForEach(func(key, value gjson.Result) bool {
			name := key.Str
			if name == "direct_cost" {
				name = "overhead_cost"
			}
			b = append(append(appendWord(append(b, ','), name), ':'), value.Raw...)
			return true
		})
		b = append(b, '}')
	}
	return append(b, ']')
}

func isOpen(b []byte, v *view) []byte {
	return strconv.AppendBool(b, v.fields["status"].Str == "open" && !v.fields["is_deleted"].Bool())
}

func allLabels(b []byte, v *view) []byte { return append(b, joined(v.fields["label_ids"])...) }

func companyID(b []byte, v *view) []byte { return strconv.AppendInt(b, v.opts.CompanyID, 10) }

func money(b []byte, v *view) []byte {
	return appendJSON(b, v.fields["currency"].Str+" "+v.fields["value"].Raw)
}

func firstChar(b []byte, v *view) []byte {
	_, size := utf8.DecodeRuneInString(v.fields["name"].Str)
	return appendJSON(b, asciiLower(v.fields["name"].Str[:size]))
}

// mailbox is the address whose mail is filed under the record.
func mailbox(what string) feature {
	return made("cc_email", func(b []byte, v *view) []byte {
		address := v.opts.CompanyDomain
		if what != "" {
			address += what + v.fields["id"].String()
		}
		return appendJSON(b, address+"@pipedrivemail.example")
	})
}

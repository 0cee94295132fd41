package simulator

import "slices"

// The records of version 2.0. https://pipedrive.readme.io/docs/webhooks-v2-migration-guide
var (
	dealV2 = slices.Concat(
		same("add_time", "channel", "channel_id", "close_time", "creator_user_id", "currency"),
		shape{typed},
		same("expected_close_date"),
		shape{as("first_won_time", "won_time")},
		same("id", "label_ids", "lost_reason", "lost_time", "org_id", "origin", "origin_id", "owner_id", "person_id",
			"pipeline_id", "probability", "stage_change_time", "stage_id", "status", "title", "update_time", "value"),
		shape{asText("visible_to")},
		same("won_time", "is_archived", "archive_time"),
	)
	personV2 = slices.Concat(
		same("id", "name", "first_name", "last_name", "emails", "phones"),
		shape{made("label", firstLabel)},
		same("org_id", "owner_id"),
		shape{asText("visible_to")},
		same("add_time", "update_time"),
		shape{typed},
	)
	organizationV2 = slices.Concat(
		same("id", "name", "owner_id", "address"),
		shape{part("country_code", "address", "country"), made("label", firstLabel)},
		same("picture_id"),
		shape{asText("visible_to")},
		same("add_time", "update_time"),
		shape{typed},
		same("website", "linkedin", "industry", "annual_revenue", "employee_count"),
	)
	leadV2 = slices.Concat(
		same("id", "title", "owner_id", "creator_id", "person_id", "organization_id", "label_ids", "value", "is_archived",
			"was_seen", "source_name", "origin", "origin_id", "channel", "channel_id", "next_activity_id",
			"expected_close_date", "add_time", "update_time"),
		shape{typed},
	)
	activityV2 = slices.Concat(
		same("id", "subject", "type", "done"),
		shape{unless("active_flag", "is_deleted")},
		same("add_time", "update_time"),
		fixed("null", "update_user_id"),
		same("due_date"),
		shape{zoned("due_time"), zoned("duration"), as("busy_flag", "busy")},
		same("deal_id", "lead_id", "org_id", "person_id", "owner_id", "location", "public_description"),
		shape{typed},
	)
	productV2 = slices.Concat(
		same("id", "name", "code", "description", "unit", "tax"),
		shape{asText("category"), as("selectable", "is_linkable")},
		same("owner_id"),
		shape{asText("visible_to")},
		same("prices", "add_time", "update_time"),
		shape{typed},
	)
	pipelineV2 = slices.Concat(
		same("id", "name"),
		shape{made("url_title", slug)},
		same("order_nr"),
		shape{unless("active_flag", "is_deleted"), as("deal_probability", "is_deal_probability_enabled")},
		same("add_time", "update_time"),
	)
	stageV2 = slices.Concat(
		same("id", "name", "order_nr", "pipeline_id"),
		shape{unless("active_flag", "is_deleted")},
		same("deal_probability"),
		shape{as("rotten_flag", "is_deal_rot_enabled"), as("rotten_days", "days_to_rotten")},
		same("add_time", "update_time"),
	)
	noteV2 = slices.Concat(
		same("id", "user_id", "deal_id", "person_id", "org_id", "lead_id", "project_id", "active_flag", "content"),
		at(layoutV2, "add_time", "update_time"),
		same("pinned_to_deal_flag", "pinned_to_person_flag", "pinned_to_organization_flag"),
	)
	userV2 = slices.Concat(
		shape{asText("id")},
		same("name", "email", "phone", "default_currency", "locale"),
		fixed(`"en-US"`, "lang"),
		same("active_flag", "last_login", "created", "modified", "timezone_name", "icon_url", "access"),
	)
	projectV2 = slices.Concat(
		same("id", "title", "description", "status", "board_id", "phase_id", "owner_id", "start_date", "end_date",
			"deal_ids", "person_ids", "org_ids", "label_ids", "health_status", "add_time", "update_time",
			"status_change_time", "archive_time"),
		shape{typed},
	)
)

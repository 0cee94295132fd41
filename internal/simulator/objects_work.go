package simulator

import "strconv"

// https://developers.pipedrive.com/docs/api/v1/Activities, Projects, Tasks, Notes, Files, CallLogs
var workObjects = []*object{
	{
		name: "activities", layout: layoutV2, added: "add_time", updated: "update_time",
		missing: noEntity, seeded: func(o *Options) int { return o.Activities }, news: activityNews,
		columns: []column{
			col("id", id), col("subject", word(callTopics...)), col("type", activityType), col("owner_id", ref("users")),
			col("creator_user_id", ref("users")), col("is_deleted", raw("false")),
			col("add_time", addedAt), col("update_time", updatedAt), col("deal_id", ref("deals")), col("lead_id", null),
			col("person_id", shared("persons", rollPerson)), col("org_id", shared("organizations", rollOrg)),
			col("project_id", null), col("due_date", day(1, 40)), col("due_time", some(50, word("08:30:00", "10:00:00", "14:15:00"))),
			col("duration", some(50, word("00:30:00", "01:00:00"))), col("busy", chance(40)),
			col("done", activityDone), col("marked_as_done_time", ifDone(changedAt)), col("location", some(20, address)),
			col("participants", participants), col("attendees", raw("[]")),
			col("conference_meeting_client", null), col("conference_meeting_url", null),
			col("conference_meeting_id", null), col("public_description", null), col("priority", null),
			col("note", some(40, paragraph)),
		},
	},
	{
		name: "projects", layout: layoutMillis, added: "add_time", updated: "update_time", lingers: true,
		missing: noEntity, fieldsOf: "projects", seeded: func(o *Options) int { return o.Projects }, news: projectNews,
		custom: []customField{{"Cost centre", varchar}, {"Kick-off", date}},
		columns: []column{
			col("id", id), col("title", projectTitle), col("description", some(60, word(sentences...))),
			col("status", projectStatus), col("board_id", raw("1")), col("phase_id", between(1, 4)),
			col("owner_id", ref("users")), col("start_date", some(70, day(0, 20))), col("end_date", some(50, day(40, 200))),
			col("deal_ids", refs("deals")), col("person_ids", refs("persons")), col("org_ids", refs("organizations")),
			col("label_ids", labels), col("health_status", null), col("add_time", addedAt), col("update_time", updatedAt),
			col("status_change_time", null), col("archive_time", null), col("custom_fields", customFields),
		},
	},
	{
		name: "tasks", layout: layoutMillis, added: "add_time", updated: "update_time",
		missing: noEntity, seeded: func(o *Options) int { return o.Tasks }, news: taskNews,
		columns: []column{
			col("id", id), col("title", word(callTopics...)), col("creator_id", ref("users")),
			col("description", some(50, word(sentences...))), col("project_id", ref("projects")),
			col("is_done", activityDone), col("is_milestone", raw("false")), col("due_date", some(60, day(5, 60))),
			col("start_date", null), col("parent_task_id", null), col("assignee_ids", refs("users")),
			col("priority", null), col("add_time", addedAt), col("update_time", updatedAt),
			col("marked_as_done_time", ifDone(changedAt)),
		},
	},
	{
		name: "notes", layout: layoutV1, added: "add_time", updated: "update_time", v1: true,
		missing: v1Missing("Note"), seeded: func(o *Options) int { return o.Notes }, news: noteNews,
		columns: []column{
			col("id", id), col("user_id", shared("users", rollUser)), col("deal_id", shared("deals", rollDeal)),
			col("person_id", shared("persons", rollPerson)), col("org_id", shared("organizations", rollOrg)),
			col("lead_id", null), col("content", paragraph), col("add_time", addedAt), col("update_time", updatedAt),
			col("active_flag", raw("true")), col("pinned_to_deal_flag", chance(10)),
			col("pinned_to_person_flag", raw("false")), col("pinned_to_organization_flag", raw("false")),
			col("pinned_to_lead_flag", raw("false")), col("last_update_user_id", null),
			col("organization", named("name", "organizations", rollOrg, (*seeds).firmName)),
			col("person", named("name", "persons", rollPerson, func(s *seeds, n int64) string { return s.fullName("persons", n) })),
			col("deal", named("title", "deals", rollDeal, func(s *seeds, n int64) string { return s.dealTitle("deals", n) })),
			col("lead", null), col("user", noteUser),
		},
	},
	{
		name: "files", layout: layoutV1, added: "add_time", updated: "update_time", v1: true,
		missing: v1Missing("File"), seeded: func(o *Options) int { return o.Files },
		columns: []column{
			col("id", id), col("user_id", ref("users")), col("deal_id", ref("deals")), col("person_id", ref("persons")),
			col("org_id", ref("organizations")), col("product_id", null), col("activity_id", null), col("lead_id", null),
			col("project_id", null), col("add_time", addedAt), col("update_time", updatedAt), col("file_name", fileName),
			col("file_type", raw(`"pdf"`)), col("file_size", between(2_000, 4_000_000)), col("active_flag", raw("true")),
			col("inline_flag", raw("false")), col("remote_location", raw(`"s3"`)), col("remote_id", null),
			col("url", fileURL), col("name", fileName), col("description", null),
		},
	},
	{
		name: "call_logs", ids: token, layout: layoutMillis, added: "start_time", v1: true,
		missing: v1Missing("Call log"), seeded: func(o *Options) int { return o.CallLogs },
		columns: []column{
			col("id", id), col("user_id", ref("users")), col("activity_id", null), col("subject", word(callTopics...)),
			col("duration", some(80, word(`60`, `185`, `640`))), col("outcome", word("connected", "no_answer", "busy", "left_voicemail")),
			col("from_phone_number", some(50, anyPhone)), col("to_phone_number", anyPhone), col("has_recording", raw("false")),
			col("start_time", addedAt), col("end_time", callEnd), col("person_id", ref("persons")),
			col("org_id", ref("organizations")), col("deal_id", ref("deals")), col("lead_id", null),
			col("note", some(30, word(sentences...))),
		},
	},
}

func activityType(b []byte, d *draw) []byte {
	return appendWord(b, asciiLower(pick(typeNames, d.roll(d.k))))
}

func (d *draw) done() bool { return !d.fresh && d.roll(rollDone)%100 < 55 }

func activityDone(b []byte, d *draw) []byte { return strconv.AppendBool(b, d.done()) }

func ifDone(put func([]byte, *draw) []byte) func([]byte, *draw) []byte {
	return func(b []byte, d *draw) []byte {
		if d.done() {
			return put(b, d)
		}
		return append(b, "null"...)
	}
}

func projectStatus(b []byte, d *draw) []byte {
	if !d.fresh && d.roll(d.k)%5 == 0 {
		return appendWord(b, "completed")
	}
	return appendWord(b, "open")
}

func participants(b []byte, d *draw) []byte {
	if d.refTo("persons", rollPerson) == 0 {
		return append(b, "[]"...)
	}
	b = append(b, `[{"person_id":`...)
	b = shared("persons", rollPerson)(b, d)
	return append(b, `,"primary":true}]`...)
}

// paragraph is two sentences of HTML.
func paragraph(b []byte, d *draw) []byte {
	roll := d.roll(d.k)
	return appendWord(b, "<p>"+pick(sentences, roll)+" "+pick(sentences, roll>>16)+"</p>")
}

func projectTitle(b []byte, d *draw) []byte {
	return appendWord(b, "Rollout "+d.name(d.obj.name, d.n, 1, firmWords))
}

// named is the small object that v1 puts beside the id of a related record.
func named(key, object string, k uint64, name func(*seeds, int64) string) func([]byte, *draw) []byte {
	return func(b []byte, d *draw) []byte {
		n := d.refTo(object, k)
		if n == 0 {
			return append(b, "null"...)
		}
		b = append(appendWord(append(b, '{'), key), ':')
		return append(appendWord(b, name(d.seeds, n)), '}')
	}
}

func noteUser(b []byte, d *draw) []byte {
	n := d.refTo("users", rollUser)
	b = append(b, `{"email":`...)
	b = append(appendWord(b, d.userMail(n)), `,"name":`...)
	b = append(appendWord(b, d.fullName("users", n)), `,"icon_url":null,"is_you":`...)
	return append(strconv.AppendBool(b, n == 1), '}')
}

func fileName(b []byte, d *draw) []byte {
	return appendWord(b, "offer-"+asciiLower(pick(firmWords, d.roll(rollFile)))+"-"+strconv.FormatInt(d.n, 10)+".pdf")
}

func fileURL(b []byte, d *draw) []byte {
	return appendWord(b, "https://app.pipedrive.example/api/v1/files/"+strconv.FormatInt(d.n, 10)+"/download")
}

func anyPhone(b []byte, d *draw) []byte { return phoneNumber(b, d.roll(d.k)) }

func callEnd(b []byte, d *draw) []byte {
	return (d.added + stamp(30_000+d.roll(d.k)%600_000)).append(b, d.obj.layout)
}

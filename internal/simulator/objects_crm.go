package simulator

import "strconv"

// https://developers.pipedrive.com/docs/api/v1/Deals, Persons, Organizations, Leads
var crmObjects = []*object{
	{
		name: "deals", layout: layoutV2, added: "add_time", updated: "update_time", lingers: true,
		missing: noEntity, fieldsOf: "deals", seeded: func(o *Options) int { return o.Deals }, news: dealNews,
		custom: []customField{
			{"Contract number", varchar},
			{"Tier", enum},
			{"Regions", set},
			{"Contract", monetary},
			{"Go-live", date},
			{"Discount", double},
			{"Account engineer", user},
			{"Reseller", org},
			{"Delivery address", address_},
			{"Summary", text_},
			{"Support hours", timerange},
			{"Hotline", phone},
			{"Pilot phase", daterange},
			{"Tier", enum}, // a name need not be unique
			{"Daily call", timeOfDay},
			{"Signatory", people},
			{"Campaign", varcharAuto},
		},
		columns: []column{
			col("id", id),
			col("title", dealTitle),
			col("creator_user_id", ref("users")), col("owner_id", ref("users")),
			col("value", amount(100, 80_000)), col("currency", word("EUR", "EUR", "USD", "GBP")),
			col("person_id", shared("persons", rollPerson)), col("org_id", shared("organizations", rollOrg)),
			col("stage_id", dealStage), col("pipeline_id", dealPipeline),
			col("add_time", addedAt), col("update_time", updatedAt), col("stage_change_time", ifChanged),
			col("status", dealStatusWord), col("is_archived", raw("false")), col("archive_time", null),
			col("is_deleted", raw("false")), col("probability", some(40, between(5, 95))),
			col("lost_reason", ifStatus("lost", word(lostWords...))), col("visible_to", raw("3")),
			col("close_time", ifStatus("won lost", changedAt)), col("won_time", ifStatus("won", changedAt)),
			col("lost_time", ifStatus("lost", changedAt)), col("local_won_date", ifStatus("won", changedOn)),
			col("local_lost_date", ifStatus("lost", changedOn)),
			col("local_close_date", ifStatus("won lost", changedOn)),
			col("expected_close_date", some(70, day(20, 120))), col("label_ids", labels),
			col("origin", word("ManuallyCreated", "ManuallyCreated", "Import", "API")), col("origin_id", null),
			col("channel", some(30, between(50, 58))), col("channel_id", some(20, word("Autumn fair", "Newsletter", "Referral"))),
			col("source_lead_id", null), col("acv", null), col("arr", null), col("mrr", null),
			col("custom_fields", customFields),
		},
	},
	{
		name: "persons", layout: layoutV2, added: "add_time", updated: "update_time",
		missing: noEntity, fieldsOf: "persons", seeded: func(o *Options) int { return o.Persons }, news: personNews,
		custom: []customField{
			{"Nickname", varchar},
			{"Seniority", enum},
			{"Customer since", date},
			{"Assistant", phone},
			{"Interests", set},
			{"Background", text_},
			{"Score", double},
		},
		columns: []column{
			col("id", id), col("name", personName), col("first_name", firstName), col("last_name", lastName),
			col("owner_id", ref("users")), col("org_id", shared("organizations", rollOrg)),
			col("add_time", addedAt), col("update_time", updatedAt), col("emails", emails), col("phones", phones),
			col("is_deleted", raw("false")), col("visible_to", raw("3")), col("label_ids", labels),
			col("picture_id", null), col("notes", null), col("im", raw("[]")),
			col("birthday", null), col("job_title", some(60, word(jobTitles...))),
			col("postal_address", some(25, address)), col("custom_fields", customFields),
		},
	},
	{
		name: "organizations", layout: layoutV2, added: "add_time", updated: "update_time",
		missing: noEntity, fieldsOf: "organizations", seeded: func(o *Options) int { return o.Organizations }, news: organizationNews,
		custom: []customField{
			{"Registration number", varchar},
			{"Segment", enum},
			{"Credit limit", monetary},
			{"Founded", date},
			{"Account manager", user},
			{"History", text_},
			{"Markets", set},
		},
		columns: []column{
			col("id", id), col("name", firmName), col("owner_id", ref("users")),
			col("add_time", addedAt), col("update_time", updatedAt), col("address", some(85, address)),
			col("is_deleted", raw("false")), col("visible_to", raw("3")), col("label_ids", labels),
			col("picture_id", null), col("website", some(60, website)), col("linkedin", null),
			col("industry", some(30, between(1, 40))), col("annual_revenue", some(20, between(100_000, 9_000_000))),
			col("employee_count", some(40, between(2, 900))), col("custom_fields", customFields),
		},
	},
	{
		name: "leads", ids: uuid, layout: layoutMillis, added: "add_time", updated: "update_time", v1: true,
		missing: noLead, fieldsOf: "deals", rooted: true, seeded: func(o *Options) int { return o.Leads }, news: leadNews,
		columns: []column{
			col("id", id), col("title", dealTitle), col("owner_id", ref("users")), col("creator_id", ref("users")),
			col("label_ids", raw("[]")), col("value", some(60, leadValue)),
			col("expected_close_date", some(30, day(30, 90))), col("person_id", shared("persons", rollPerson)),
			col("organization_id", shared("organizations", rollOrg)), col("is_archived", raw("false")),
			col("archive_time", null), col("source_name", word("Manually created", "API", "Web forms")),
			col("source_deal_id", null), col("origin", word("ManuallyCreated", "API")), col("origin_id", null),
			col("channel", null), col("channel_id", null), col("was_seen", chance(70)),
			col("next_activity_id", null), col("add_time", addedAt), col("update_time", updatedAt),
			col("visible_to", raw(`"3"`)), col("cc_email", leadMail),
		},
	},
}

// refTo is the number of the record that a shared column refers to, 0 when there is none.
func (d *draw) refTo(object string, k uint64) int64 { return d.refNumber(object, d.roll(k)) }

func dealTitle(b []byte, d *draw) []byte { return appendWord(b, d.dealTitle(d.obj.name, d.n)) }

// The seeded stages are dealt to the seeded pipelines in turn.
func dealStage(b []byte, d *draw) []byte { return d.appendRef(b, "stages", d.roll(rollStage)) }

func dealPipeline(b []byte, d *draw) []byte {
	stage := d.refTo("stages", rollStage)
	return d.appendPipelineOf(b, stage)
}

func (s *seeds) appendPipelineOf(b []byte, stage int64) []byte {
	pipelines := int64(s.counts["pipelines"])
	if stage == 0 || pipelines == 0 {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, 1+(stage-1)%pipelines, 10)
}

func (d *draw) dealStatus() string {
	if d.fresh {
		return "open"
	}
	return pick([]string{"open", "open", "open", "open", "open", "won", "won", "lost", "lost", "lost"}, d.roll(rollStatus))
}

func dealStatusWord(b []byte, d *draw) []byte { return appendWord(b, d.dealStatus()) }

// ifStatus puts the value when the deal has one of the statuses, else null.
func ifStatus(statuses string, put func([]byte, *draw) []byte) func([]byte, *draw) []byte {
	return func(b []byte, d *draw) []byte {
		if has(statuses, d.dealStatus()) {
			return put(b, d)
		}
		return append(b, "null"...)
	}
}

func changedAt(b []byte, d *draw) []byte { return d.changed().append(b, d.obj.layout) }
func changedOn(b []byte, d *draw) []byte { return d.changed().append(b, layoutDate) }

func ifChanged(b []byte, d *draw) []byte {
	if d.fresh {
		return append(b, "null"...)
	}
	return changedAt(b, d)
}

func labels(b []byte, d *draw) []byte {
	b = append(b, '[')
	if roll := d.roll(d.k); roll%3 == 0 {
		b = strconv.AppendUint(b, 1+roll>>8%9, 10)
	}
	return append(b, ']')
}

func personName(b []byte, d *draw) []byte { return appendWord(b, d.fullName(d.obj.name, d.n)) }
func firstName(b []byte, d *draw) []byte  { return appendWord(b, d.firstName(d.obj.name, d.n)) }
func lastName(b []byte, d *draw) []byte   { return appendWord(b, d.lastName(d.obj.name, d.n)) }
func firmName(b []byte, d *draw) []byte   { return appendWord(b, d.seeds.firmName(d.n)) }

func website(b []byte, d *draw) []byte { return appendWord(b, "https://www."+d.domain(d.n)) }

func emails(b []byte, d *draw) []byte {
	name := asciiLower(d.firstName(d.obj.name, d.n) + "." + d.lastName(d.obj.name, d.n))
	b = append(b, `[{"value":"`...)
	b = append(b, name...)
	b = append(b, '@')
	b = append(b, d.domain(d.refTo("organizations", rollOrg))...)
	return append(b, `","primary":true,"label":"work"}]`...)
}

func phones(b []byte, d *draw) []byte {
	b = append(b, `[{"value":`...)
	b = phoneNumber(b, d.roll(d.k))
	return append(b, `,"primary":true,"label":"mobile"}]`...)
}

// phoneNumber is one of the numbers that are reserved for fiction.
func phoneNumber(b []byte, roll uint64) []byte {
	b = append(b, `"+1 `...)
	b = strconv.AppendUint(b, 201+roll%700, 10)
	b = append(b, " 555 01"...)
	return append(strconv.AppendUint(b, 10+roll>>16%90, 10), '"')
}

func leadValue(b []byte, d *draw) []byte {
	b = append(b, `{"amount":`...)
	b = amount(100, 40_000)(b, d)
	return append(b, `,"currency":"EUR"}`...)
}

func leadMail(b []byte, d *draw) []byte {
	b = append(append(b, '"'), d.opts.CompanyDomain...)
	b = append(strconv.AppendInt(append(b, '+'), d.opts.CompanyID, 10), "+lead"...)
	b = appendHex(b, d.roll(d.k), 24)
	return append(b, `@pipedrivemail.example"`...)
}

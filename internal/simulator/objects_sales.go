package simulator

import "strconv"

// https://developers.pipedrive.com/docs/api/v1/Products, Pipelines, Stages
var salesObjects = []*object{
	{
		name: "products", layout: layoutV2, added: "add_time", updated: "update_time",
		missing: noEntity, fieldsOf: "products", seeded: func(o *Options) int { return o.Products }, news: productNews,
		custom: []customField{
			{"Supplier number", varchar}, {"Shelf", enum}, {"Weight", double}, {"Care instructions", text_},
		},
		columns: []column{
			col("id", id), col("name", productName), col("code", productCode),
			col("description", some(50, word(sentences...))), col("unit", word("piece", "hour", "seat")),
			col("tax", raw("20")), col("category", null), col("is_linkable", raw("true")),
			col("is_deleted", raw("false")), col("visible_to", raw("3")), col("owner_id", ref("users")),
			col("add_time", addedAt), col("update_time", updatedAt), col("billing_frequency", word("one-time", "monthly", "annually")),
			col("billing_frequency_cycles", null), col("prices", prices), col("custom_fields", customFields),
		},
	},
	{
		name: "pipelines", layout: layoutV2, added: "add_time", updated: "update_time", born: 1,
		missing: noEntity, seeded: func(o *Options) int { return o.Pipelines }, news: pipelineNews,
		columns: []column{
			col("id", id), col("name", nth(pipeNames)), col("order_nr", rank), col("is_deleted", raw("false")),
			col("is_deal_probability_enabled", raw("true")), col("add_time", addedAt), col("update_time", updatedAt),
		},
	},
	{
		name: "stages", layout: layoutV2, added: "add_time", updated: "update_time", born: 5,
		missing: noEntity, seeded: func(o *Options) int { return o.Stages }, news: stageNews,
		columns: []column{
			col("id", id), col("order_nr", rank), col("name", nth(stageNames)), col("is_deleted", raw("false")),
			col("deal_probability", raw("100")),
			col("pipeline_id", func(b []byte, d *draw) []byte { return d.appendPipelineOf(b, d.n) }),
			col("is_deal_rot_enabled", raw("false")), col("days_to_rotten", null),
			col("add_time", addedAt), col("update_time", updatedAt),
		},
	},
}

// nth is a word by the record's number, with the round behind it when the words have been used up.
func nth(words []string) func([]byte, *draw) []byte {
	return func(b []byte, d *draw) []byte {
		i := int(d.n - 1)
		name := words[i%len(words)]
		if i >= len(words) {
			name += " " + strconv.Itoa(1+i/len(words))
		}
		return appendWord(b, name)
	}
}

func rank(b []byte, d *draw) []byte { return strconv.AppendInt(b, d.n, 10) }

func productName(b []byte, d *draw) []byte {
	return appendWord(b, d.name(d.obj.name, d.n, 1, goods)+" "+d.name(d.obj.name, d.n, 2, firmWords))
}

func productCode(b []byte, d *draw) []byte {
	return append(strconv.AppendInt(append(b, `"SKU-`...), 10_000+d.n, 10), '"')
}

func prices(b []byte, d *draw) []byte {
	b = append(strconv.AppendInt(append(b, `[{"product_id":`...), d.n, 10), `,"price":`...)
	b = append(amount(5, 2_000)(b, d), `,"currency":"EUR","cost":`...)
	return append(amount(1, 5)(b, d), `,"direct_cost":null,"notes":""}]`...)
}

package simulator

import "strconv"

// https://developers.pipedrive.com/docs/api/v1/Users, ActivityTypes
var companyObjects = []*object{
	{
		name: "users", layout: layoutV1, added: "created", updated: "modified", v1: true,
		missing: noUser, seeded: func(o *Options) int { return o.Users }, news: userNews,
		columns: []column{
			col("id", id), col("name", personName), col("email", userMail), col("lang", raw("1")), col("locale", raw(`"en_US"`)),
			col("timezone_name", raw(`"Europe/Tallinn"`)), col("timezone_offset", raw(`"+02:00"`)),
			col("default_currency", raw(`"EUR"`)), col("icon_url", null), col("active_flag", raw("true")),
			col("is_deleted", raw("false")), col("is_admin", ifYou("1", "0")), col("role_id", raw("1")), col("created", addedAt),
			col("has_created_company", ifYou("true", "false")), col("is_you", ifYou("true", "false")), col("access", access),
			col("phone", some(50, anyPhone)), col("modified", updatedAt), col("last_login", changedAt),
		},
	},
	{
		name: "activity_types", layout: layoutV1, added: "add_time", updated: "update_time", v1: true,
		born: 6, seeded: func(o *Options) int { return o.ActivityTypes }, news: activityTypeNews,
		columns: []column{
			col("id", id), col("name", nth(typeNames)), col("icon_key", typeKey), col("color", null), col("order_nr", rank),
			col("key_string", typeKey), col("active_flag", raw("true")), col("is_custom_flag", raw("false")),
			col("add_time", addedAt), col("update_time", updatedAt),
		},
	},
}

// ifYou tells the owner of the API token, the first user, from the others.
func ifYou(you, other string) func([]byte, *draw) []byte {
	return func(b []byte, d *draw) []byte {
		if d.n == 1 {
			return append(b, you...)
		}
		return append(b, other...)
	}
}

func (s *seeds) userMail(n int64) string {
	return asciiLower(s.firstName("users", n)) + "." + strconv.FormatInt(n, 10) + "@" + s.opts.CompanyDomain + ".example"
}

func userMail(b []byte, d *draw) []byte { return appendWord(b, d.userMail(d.n)) }

func access(b []byte, d *draw) []byte {
	for i, app := range []string{"sales", "global", "account_settings"} {
		b = append(b, "[,"[min(i, 1)])
		b = append(appendWord(append(b, `{"app":`...), app), `,"admin":`...)
		b = append(strconv.AppendBool(b, d.n == 1), `,"permission_set_id":"`...)
		set := hex(d.seed, app, 0, 32)
		b = append(b, set[:8]+"-"+set[8:12]+"-1"+set[13:16]+"-"+set[16:20]+"-"+set[20:]...)
		b = append(b, `"}`...)
	}
	return append(b, ']')
}

func typeKey(b []byte, d *draw) []byte {
	return appendWord(b, asciiLower(typeNames[int(d.n-1)%len(typeNames)])+suffix(int(d.n-1)/len(typeNames)))
}

func suffix(round int) string {
	if round == 0 {
		return ""
	}
	return "_" + strconv.Itoa(round+1)
}

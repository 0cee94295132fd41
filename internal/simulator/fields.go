package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
)

// fieldList is one list of field definitions, under one or both versions of the API. Not played: those of leads and
// notes, which only v1 has. https://developers.pipedrive.com/docs/api/v1/DealFields
type fieldList struct {
	word   string // the last of its path: dealFields
	object string
	v2Only bool
}

var fieldLists = []*fieldList{
	{word: "dealFields", object: "deals"},
	{word: "personFields", object: "persons"},
	{word: "organizationFields", object: "organizations"},
	{word: "productFields", object: "products"},
	{word: "activityFields", object: "activities"},
	{word: "projectFields", object: "projects", v2Only: true},
}

// Tokens, by version. https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
const (
	fieldsCostV2, fieldCostV2 = 10, 1
	fieldsCostV1, fieldCostV1 = 20, 2
)

func (l *fieldList) cost(v2, single bool) int {
	switch {
	case v2 && single:
		return fieldCostV2
	case v2:
		return fieldsCostV2
	case single:
		return fieldCostV1
	}
	return fieldsCostV1
}

// noField is v1's word for a field that is not there, or no longer. v2 says noEntity.
var noField = failure{http.StatusGone, `{"success":false,"error":"The field is not found"}`}

// fieldAnswer answers for a list of definitions, or for one of them.
func (s *Simulator) fieldAnswer(rt route, values url.Values) answer {
	d := s.definitionsOf(listNamed(rt.fields.object))
	var body []byte
	var refused *failure
	switch {
	case rt.v2 && rt.id != "":
		body, refused = d.oneV2(rt.id, values)
	case rt.v2:
		body, refused = s.fieldsV2(d, values)
	case rt.id != "":
		body, refused = d.oneV1(rt.id)
	default:
		body = s.fieldsV1(d, values)
	}
	if refused != nil {
		return fail(*refused)
	}
	return answer{status: http.StatusOK, body: body}
}

// fieldQuery is what can be asked of a list of definitions; include_fields adds nothing here.
var fieldQuery = &list{most: 500, usual: 100, params: with(param{name: "include_fields", kind: words})}

func (s *Simulator) fieldsV2(d *definitions, values url.Values) ([]byte, *failure) {
	q, refused := readV2(fieldQuery, values)
	if refused != nil {
		return nil, refused
	}
	var page []*definition
	more := false
	for _, f := range d.all {
		if q.after != nil && f.n <= q.after.ID {
			continue
		}
		if more = len(page) == q.limit; more {
			break
		}
		page = append(page, f)
	}
	body := []byte(`{"success":true,"data":[`)
	for i, f := range page {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendJSON(body, f.v2())
	}
	next := ""
	if more {
		last := page[len(page)-1].n
		next = (&position{Field: "id", FieldValue: json.RawMessage(strconv.FormatInt(last, 10)), SortDirection: "asc", ID: last}).String()
	}
	return append(s.appendCursor(append(body, ']'), next), '}'), nil
}

func (s *Simulator) fieldsV1(d *definitions, values url.Values) []byte {
	q := readV1(fieldQuery, values)
	from := min(q.start, len(d.all))
	to := min(from+q.limit, len(d.all))
	body := []byte(`{"success":true,"data":[`)
	for i, f := range d.all[from:to] {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendJSON(body, f.v1(from+i+1))
	}
	body = appendPaging(append(body, `],"additional_data":{"pagination":`...), q, to < len(d.all))
	return append(body, "}}"...)
}

func (d *definitions) oneV2(key string, values url.Values) ([]byte, *failure) {
	for name := range values {
		if name != "include_fields" && name != "api_token" {
			return nil, invalid("%s is not allowed", name)
		}
	}
	for _, f := range d.all {
		if f.key == key {
			return append(appendJSON([]byte(`{"success":true,"data":`), f.v2()), '}'), nil
		}
	}
	return nil, &noEntity
}

func (d *definitions) oneV1(id string) ([]byte, *failure) {
	for i, f := range d.all {
		if strconv.FormatInt(f.n, 10) == id {
			return append(appendJSON([]byte(`{"success":true,"data":`), f.v1(i+1)), '}'), nil
		}
	}
	return nil, &noField
}

package simulator_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// fieldPaths are the lists of definitions by the list of their object.
var fieldPaths = map[string]string{
	"deals": "dealFields", "persons": "personFields", "organizations": "organizationFields", "products": "productFields",
	"activities": "activityFields", "projects": "projectFields",
}

// fieldNamed is the first custom field of that name, or of that type.
func fieldNamed(t *testing.T, s *simulator.Simulator, list, word string) simulator.CustomField {
	t.Helper()
	all := s.CustomFields(list)
	i := slices.IndexFunc(all, func(f simulator.CustomField) bool { return f.Name == word || f.Type == word })
	require.GreaterOrEqual(t, i, 0, word)
	return all[i]
}

func TestFieldDefinitionsInBothVersions(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 3})
	for list, word := range fieldPaths {
		custom := s.CustomFields(list)
		v2 := get(t, s, "/api/v2/"+word+"?limit=500")
		require.Equal(t, http.StatusOK, v2.status, v2.body)
		var ours []string
		builtIn := 0
		for _, row := range v2.json("data").Array() {
			assert.Equal(t, []string{
				"field_name", "field_code", "description", "field_type", "options", "subfields", "is_custom_field",
				"is_optional_response_field",
			}, keysOf(row))
			if !row.Get("is_custom_field").Bool() {
				builtIn++
				assert.NotRegexp(t, "^[0-9a-f]{40}$", row.Get("field_code").Str)
				continue
			}
			f := custom[len(ours)]
			ours = append(ours, row.Get("field_code").Str)
			assert.JSONEq(t, string(mustJSON(t, []string{f.Key, f.Name, f.Type})), row.Get("[field_code,field_name,field_type]").Raw)
			assert.Len(t, row.Get("options").Array(), len(f.Options))
		}
		assert.Len(t, ours, len(custom), list)
		assert.Positive(t, builtIn)
		if list == "deals" {
			first := slices.IndexFunc(v2.json("data").Array(), func(r gjson.Result) bool { return r.Get("is_custom_field").Bool() })
			assert.Less(t, first, builtIn, "they stand between the built-in ones")
		}
		v1 := get(t, s, "/v1/"+word)
		if list == "projects" {
			assert.Equal(t, http.StatusNotFound, v1.status)
			continue
		}
		require.Equal(t, http.StatusOK, v1.status, v1.body)
		assert.JSONEq(t, `{"start":0,"limit":100,"more_items_in_collection":false}`, v1.json("additional_data.pagination").Raw)
		assert.Equal(t, len(ours)+builtIn, len(v1.json("data").Array()))
		var keys []string
		for _, row := range v1.json("data").Array() {
			if row.Get("edit_flag").Bool() {
				keys = append(keys, row.Get("key").Str)
			}
			assert.Regexp(t, `^\d+$`, row.Get("id").Raw)
		}
		assert.Equal(t, ours, keys)
	}
	assert.Empty(t, s.CustomFields("activities"))
	assert.Empty(t, s.CustomFields("stages"))
	assert.Equal(t, s.CustomFields("deals"), s.CustomFields("leads"))
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}

func TestFieldDefinitionsHaveOptionsAndSubfields(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{})
	row := func(key string) gjson.Result { return get(t, s, "/api/v2/dealFields/"+key).json("data") }
	status := row("status")
	assert.JSONEq(t, `["open","won","lost","deleted"]`, status.Get("options.#.id").Raw, "some built-in ids are words")
	assert.Equal(t, "null", status.Get("options.0.add_time").Raw)
	tier := row(fieldNamed(t, s, "deals", "Tier").Key)
	assert.Equal(t, gjson.Number, tier.Get("options.0.id").Type)
	assert.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`, tier.Get("options.0.add_time").Str)
	assert.Equal(t, "null", tier.Get("subfields").Raw)
	money := row(fieldNamed(t, s, "deals", "monetary").Key)
	assert.Equal(t, "null", money.Get("options").Raw)
	assert.JSONEq(t, `["value","currency"]`, money.Get("subfields.#.field_code").Raw)
	assert.Contains(t, row(fieldNamed(t, s, "deals", "address").Key).Get("subfields.#.field_code").Raw, "admin_area_level_2")
	var types []string
	for _, f := range s.CustomFields("deals") {
		types = append(types, f.Type)
	}
	for _, kind := range strings.Fields(`varchar varchar_auto text double phone monetary enum set user org people date daterange
		time timerange address`) {
		assert.Contains(t, types, kind)
	}
}

func TestFieldDefinitionsArePagedChargedAndGuarded(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{})
	all := get(t, s, "/api/v2/dealFields?limit=500").json("data").Array()
	codes := func(rows []gjson.Result) (all []string) {
		for _, row := range rows {
			all = append(all, row.Get("field_code").Str)
		}
		return all
	}
	assert.Equal(t, codes(all), codes(walk(t, s, "/api/v2/dealFields", url.Values{"limit": {"7"}, "include_fields": {"ui_visibility"}}, nil)))
	require.Greater(t, len(all), 40)
	page := get(t, s, "/v1/dealFields?start=40&limit=7")
	assert.Equal(t, all[40].Get("field_code").Str, page.json("data.0.key").Str)
	assert.Equal(t, "47", page.json("additional_data.pagination.next_start").Raw)

	// One that is deleted between two pages moves no other.
	cut := get(t, s, "/api/v2/dealFields?limit=20")
	s.DeleteField("deals", s.CustomFields("deals")[0].Key)
	rest := get(t, s, "/api/v2/dealFields?limit=500&cursor="+cut.json("additional_data.next_cursor").Str)
	assert.Equal(t, all[20].Raw, rest.json("data.0").Raw)

	for path, tokens := range map[string]int{
		"/api/v2/dealFields": 10, "/api/v2/dealFields/title": 1, "/v1/personFields": 20, "/v1/personFields/1": 2,
		"/api/v1/activityFields": 20,
	} {
		before := s.TokensSpent()
		assert.Equal(t, http.StatusOK, get(t, s, path).status, path)
		assert.Equal(t, tokens, s.TokensSpent()-before, path)
	}
	for _, tc := range []struct {
		path        string
		status      int
		errContains string
	}{
		{"/api/v2/dealFields?start=1", 400, "start is not allowed"},
		{"/api/v2/dealFields?limit=501", 400, "between 1 and 500"},
		{"/api/v2/dealFields?cursor=x", 400, "cursor is not valid"},
		{"/api/v2/dealFields?sort_by=id", 400, "sort_by is not allowed"},
		{"/api/v2/dealFields/title?limit=1", 400, "limit is not allowed"},
		{"/api/v2/dealFields/nothing", 404, "Entity was not found"},
		{"/v1/dealFields/999", 410, "The field is not found"},
		{"/api/v2/dealFields/title/options", 404, "Not found"},
		{"/api/v2/leadFields", 404, "Not found"},
	} {
		res := get(t, s, tc.path)
		assert.Equal(t, tc.status, res.status, tc.path)
		assert.Contains(t, res.json("error").Str, tc.errContains, tc.path)
	}
	nobody := send(t, s, http.MethodGet, "/api/v2/dealFields", func(*http.Request) {})
	assert.Equal(t, http.StatusUnauthorized, nobody.status)
	s.DenyScope("deals")
	assert.Equal(t, http.StatusForbidden, get(t, s, "/api/v2/dealFields").status)
	assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/personFields").status)
	assert.Equal(t, 2, s.Count("/v1/personFields"), "the list and one field")
}

func TestARenamedFieldKeepsItsKeyAndAnotherMayHaveTheName(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 2})
	f := fieldNamed(t, s, "deals", "Contract number")
	before, _ := s.Get("deals", "1")
	s.RenameField("deals", f.Key, "Tier")
	after, _ := s.Get("deals", "1")
	assert.Equal(t, before, after)
	row := get(t, s, "/api/v2/dealFields/"+f.Key).json("data")
	assert.Equal(t, "Tier", row.Get("field_name").Str)
	assert.NotEqual(t, f.Key, fieldNamed(t, s, "deals", "enum").Key)
	assert.Panics(t, func() { s.RenameField("deals", "title", "x") }, "which is built in")
}

func TestADeletedFieldIsGoneFromEveryAnswer(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 40, Leads: 40})
	s.Touch("deals", "3") // written since, the others are still derived
	s.Touch("leads", s.IDs("leads")[3])
	for _, word := range []string{"address", "monetary", "varchar"} {
		f := fieldNamed(t, s, "deals", word)
		s.DeleteField("deals", f.Key)
		for _, path := range []string{"/api/v2/deals?limit=500", "/v1/leads?limit=500", "/api/v2/dealFields?limit=500", "/v1/dealFields?limit=500"} {
			assert.NotContains(t, get(t, s, path).body, f.Key, "%s, %s", path, word)
		}
		assert.Equal(t, http.StatusNotFound, get(t, s, "/api/v2/dealFields/"+f.Key).status)
		assert.Panics(t, func() { s.DeleteField("deals", f.Key) })
	}
	assert.True(t, gjson.Valid(get(t, s, "/v1/leads?limit=500").body))
	fresh := s.AddField("deals", "Contract number", "varchar")
	assert.NotEqual(t, fieldNamed(t, s, "leads", "Regions").Key, fresh, "no key comes twice")
}

func TestAnAddedFieldHasNoValueAnywhere(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 3, Leads: 3, NoCustomFields: true})
	s.Touch("deals", "3")
	key := s.AddField("deals", "Tier", "enum", "Gold", "Silver")
	for _, id := range s.IDs("deals") {
		assert.JSONEq(t, `{"`+key+`":null}`, field(t, s, "deals", id, "custom_fields").Raw)
	}
	assert.NotContains(t, get(t, s, "/v1/leads").body, key)
	f := fieldNamed(t, s, "deals", "Tier")
	assert.Equal(t, simulator.CustomField{Key: key, Name: "Tier", Type: "enum", Options: []simulator.Option{{ID: 10, Label: "Gold"}, {ID: 11, Label: "Silver"}}}, f)
	s.Update("deals", "1", simulator.Fields{"custom_fields": simulator.Fields{key: 11}})
	assert.Equal(t, "11", field(t, s, "deals", "1", "custom_fields."+key).Raw)
	assert.Panics(t, func() { s.AddField("stages", "x", "varchar") })
	assert.Panics(t, func() { s.AddField("deals", "x", "blob") })
}

func TestARemovedOptionStaysInTheRecords(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 200})
	tier := fieldNamed(t, s, "deals", "Tier")
	before := s.State("deals")
	gone := tier.Options[2]
	s.RemoveOption("deals", tier.Key, gone.ID)
	added := s.AddOption("deals", tier.Key, "Diamond")
	assert.Equal(t, before, s.State("deals"))
	assert.Contains(t, get(t, s, "/api/v2/deals?limit=500").body, tier.Key+`":`+itoa(int(gone.ID)))

	v2 := get(t, s, "/api/v2/dealFields/"+tier.Key).json("data.options")
	assert.NotContains(t, v2.Get("#.id").Raw, itoa(int(gone.ID)))
	assert.Equal(t, added, v2.Get("7.id").Int())
	assert.Equal(t, "Diamond", v2.Get("7.label").Str)
	v1 := get(t, s, "/v1/dealFields?limit=500").json(`data.#(key=="` + tier.Key + `")`)
	assert.Equal(t, gone.Label, v1.Get("options_deleted.0.label").Str)
	assert.Equal(t, v2.Get("#.id").Raw, v1.Get("options.#.id").Raw)
	assert.Panics(t, func() { s.RemoveOption("deals", tier.Key, gone.ID) })
	assert.Panics(t, func() { s.AddOption("deals", fieldNamed(t, s, "deals", "varchar").Key, "x") })
}

// Every option of a record is one of its field's.
func TestSeededOptionsAreThoseOfTheirField(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 100, Persons: 100, Organizations: 100, Products: 100})
	for _, list := range []string{"deals", "persons", "organizations", "products"} {
		for _, f := range s.CustomFields(list) {
			var known []int64
			for _, o := range f.Options {
				known = append(known, o.ID)
			}
			seen := map[int64]bool{}
			for _, body := range s.State(list) {
				value := gjson.GetBytes(body, "custom_fields."+f.Key)
				if f.Options == nil || value.Type == gjson.Null {
					continue
				}
				for _, id := range value.Array() { // a single value is a list of one
					assert.Contains(t, known, id.Int(), f.Name)
					seen[id.Int()] = true
				}
			}
			assert.Len(t, seen, len(known), "%s %s: all of them come up", list, f.Name)
		}
	}
}

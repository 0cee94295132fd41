package simulator_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

func TestV2RefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(3))
	for _, tc := range []struct{ name, path, errContains string }{
		{"unknown parameter", "/api/v2/deals?start=0", "start is not allowed"},
		{"no time filter on pipelines", "/api/v2/pipelines?updated_since=2026-11-20T09:15:00Z", "updated_since is not allowed"},
		{"no time filter on stages", "/api/v2/stages?updated_since=2026-11-20T09:15:00Z", "updated_since is not allowed"},
		{"no time filter on tasks", "/api/v2/tasks?updated_since=2026-11-20T09:15:00Z", "updated_since is not allowed"},
		{"no sorting on projects", "/api/v2/projects?sort_by=id", "sort_by is not allowed"},
		{"no updated_until on products", "/api/v2/products?updated_until=2026-11-20T09:15:00Z", "not allowed"},
		{"no labels on archived deals", "/api/v2/deals/archived?include_labels=true", "not allowed"},
		{"a fraction of a second", "/api/v2/deals?updated_since=2026-11-20T09:15:00.000Z", "updated_since is not a valid datetime"},
		{"a space", "/api/v2/deals?updated_since=2026-11-20+09:15:00", "not a valid datetime"},
		{"no zone", "/api/v2/deals?updated_until=2026-11-20T09:15:00", "not a valid datetime"},
		{"limit 0", "/api/v2/deals?limit=0", "between 1 and 500"},
		{"limit 501", "/api/v2/deals?limit=501", "between 1 and 500"},
		{"limit no number", "/api/v2/deals?limit=many", "between 1 and 500"},
		{"cursor", "/api/v2/deals?cursor=nonsense", "cursor is not valid"},
		{"sort field", "/api/v2/deals?sort_by=title", "sort_by must be one of id, update_time, add_time"},
		{"sort direction", "/api/v2/deals?sort_direction=up", "asc or desc"},
		{"status", "/api/v2/deals?status=open,lousy", "status must be one of open, won, lost, deleted"},
		{"no status of persons", "/api/v2/persons?status=deleted", "not allowed"},
		{"number", "/api/v2/deals?owner_id=anna", "must be an integer"},
		{"boolean", "/api/v2/activities?done=1", "must be a boolean"},
		{"ids", "/api/v2/deals?ids=1,2,x", "at most 100 integers"},
		{"101 ids", "/api/v2/deals?ids=1" + strings.Repeat(",1", 100), "at most 100 integers"},
		{"16 custom fields", "/api/v2/deals?custom_fields=a" + strings.Repeat(",a", 15), "at most 15"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := get(t, s, tc.path)
			assert.Equal(t, http.StatusBadRequest, res.status)
			assert.Contains(t, res.json("error").Str, tc.errContains)
			assert.Equal(t, "ERR_SCHEMA_VALIDATION_FAILED", res.json("code").Str)
			assert.False(t, res.json("success").Bool())
			assert.Equal(t, gjson.Null, res.json("data").Type)
		})
	}
}

func TestV2CursorIsTheKeyOfTheLastRow(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 10})
	page := get(t, s, "/api/v2/deals?limit=3&sort_by=update_time")
	word, err := base64.RawURLEncoding.DecodeString(page.json("additional_data.next_cursor").Str)
	require.NoError(t, err)
	last := page.json("data.2")
	assert.JSONEq(t, `{"field":"update_time","fieldValue":"`+last.Get("update_time").Str+`","sortDirection":"asc","id":3}`, string(word))
	assert.Equal(t, http.StatusBadRequest,
		get(t, s, "/api/v2/deals?limit=3&cursor="+page.json("additional_data.next_cursor").Str).status, "of another order")
}

func TestV2TimeFilterIsInclusiveBelowAndExclusiveAbove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{Deals: 50})
		first := s.AddMany("deals", 2)
		at := s.Now().Truncate(time.Second)
		s.Advance(time.Second)
		second := s.Add("deals", nil)
		read := func(query string) []string { return ids(get(t, s, "/api/v2/deals?"+query).json("data").Array()) }

		assert.Equal(t, append(first, second), read("updated_since="+at.Format(time.RFC3339)))
		assert.Equal(t, []string{second}, read("updated_since="+at.Add(time.Second).Format(time.RFC3339)))
		assert.Empty(t, read("updated_since="+at.Add(time.Hour).Format(time.RFC3339)))
		assert.Equal(t, first, read("updated_since="+at.Format(time.RFC3339)+"&updated_until="+at.Add(time.Second).Format(time.RFC3339)))
		assert.Len(t, read("updated_until="+at.Format(time.RFC3339)), 50)

		s.Update("deals", second, simulator.Fields{"update_time": nil})
		assert.Equal(t, first, read("updated_since="+at.Format(time.RFC3339)), "no update_time matches no filter")
		assert.Contains(t, read(""), second)
	})
}

func TestV2Filters(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(40))
	for _, tc := range []struct{ path, filter, field, want string }{
		{"deals", "status=won", "status", "won"},
		{"deals", "stage_id=3", "stage_id", "3"},
		{"deals", "ids=7", "id", "7"},
		{"persons", "org_id=5", "org_id", "5"},
		{"activities", "done=true", "done", "true"},
		{"tasks", "assignee_id=2", "assignee_ids.0", "2"},
		{"tasks", "parent_task_id=null", "parent_task_id", ""},
		{"projects", "status=completed", "status", "completed"},
	} {
		rows := get(t, s, "/api/v2/"+tc.path+"?limit=500&"+tc.filter).json("data").Array()
		want := 0
		for _, body := range s.State(tc.path) {
			if gjson.GetBytes(body, tc.field).String() == tc.want {
				want++
			}
		}
		assert.Len(t, rows, want, tc.filter)
		for _, row := range rows {
			assert.Equal(t, tc.want, row.Get(tc.field).String())
		}
	}
	assert.Len(t, get(t, s, "/api/v2/deals?limit=500&filter_id=1&status=won").json("data").Array(), 40, "the filter alone holds")
}

func TestV2CustomFieldsCanBeChosen(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 5})
	var key string
	get(t, s, "/api/v2/deals/1").json("data.custom_fields").ForEach(func(k, _ gjson.Result) bool {
		key = k.Str
		return false
	})
	require.Regexp(t, "^[0-9a-f]{40}$", key)
	for _, row := range get(t, s, "/api/v2/deals?custom_fields="+key).json("data").Array() {
		assert.Equal(t, []string{key}, keysOf(row.Get("custom_fields")))
		assert.True(t, row.Get("mrr").Exists())
	}
}

func keysOf(object gjson.Result) []string {
	var keys []string
	object.ForEach(func(key, _ gjson.Result) bool {
		keys = append(keys, key.Str)
		return true
	})
	return keys
}

func TestV2LastPage(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 3})
	tail := func() string { return get(t, s, "/api/v2/deals").json("additional_data").Raw }
	assert.Equal(t, `{"next_cursor":null}`, tail())
	s.SetQuirks(func(q *simulator.Quirks) { q.NoLastCursor = true })
	assert.Equal(t, `{}`, tail())
	s.SetQuirks(func(q *simulator.Quirks) { q.NullAdditionalData = true })
	assert.Equal(t, `null`, tail())
	assert.Equal(t, "[]", get(t, s, "/api/v2/deals?ids=99").json("data").Raw)
}

func TestV1PagesByOffset(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(130))
	for _, tc := range []struct {
		name, query, paging string
		rows                int
	}{
		{"first", "/v1/leads", `{"start":0,"limit":100,"more_items_in_collection":true,"next_start":100}`, 100},
		{"last", "/v1/leads?start=100", `{"start":100,"limit":100,"more_items_in_collection":false}`, 30},
		{"behind the end", "/v1/notes?start=500&limit=50", `{"start":500,"limit":50,"more_items_in_collection":false}`, 0},
		{"other prefix", "/api/v1/notes?limit=5", `{"start":0,"limit":5,"more_items_in_collection":true,"next_start":5}`, 5},
		{"files have at most 100", "/v1/files?limit=500", `{"start":0,"limit":100,"more_items_in_collection":true,"next_start":100}`, 100},
		{"call logs at most 50", "/v1/callLogs?limit=500", `{"start":0,"limit":50,"more_items_in_collection":true,"next_start":50}`, 50},
		{"nothing is refused", "/v1/leads?limit=x&start=-3&nonsense=1&sort=nonsense", `{"start":0,"limit":100,"more_items_in_collection":true,"next_start":100}`, 100},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := get(t, s, tc.query)
			assert.JSONEq(t, tc.paging, res.json("additional_data.pagination").Raw)
			assert.Len(t, res.json("data").Array(), tc.rows)
		})
	}
}

func TestV1WholeLists(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(130))
	users := get(t, s, "/v1/users?start=100&limit=5")
	assert.Len(t, users.json("data").Array(), 130, "paging is ignored")
	assert.Equal(t, `{"company_id":10400001}`, users.json("additional_data").Raw)
	types := get(t, s, "/v1/activityTypes")
	assert.Len(t, types.json("data").Array(), 130)
	assert.False(t, types.json("additional_data").Exists())
}

func TestV1SortAndTimeFilter(t *testing.T) {
	t.Parallel()
	s := simulator.New(everything(20))
	s.Touch("notes", "5")
	lead := s.IDs("leads")[9]
	s.Touch("leads", lead)
	at := s.Now().Add(-time.Minute).Format(time.RFC3339)
	assert.Equal(t, "5", get(t, s, "/v1/notes?sort=update_time+DESC&limit=1").json("data.0.id").String())
	assert.Equal(t, []string{"5"}, ids(get(t, s, "/v1/notes?updated_since="+at).json("data").Array()))
	assert.Equal(t, []string{lead}, ids(get(t, s, "/v1/leads?updated_since="+at).json("data").Array()))
	s.Archive("leads", lead)
	assert.Empty(t, get(t, s, "/v1/leads?updated_since="+at).json("data").Array())
	assert.Len(t, get(t, s, "/v1/leads/archived?updated_since=2030-01-01T00:00:00Z").json("data").Array(), 1, "it has no such filter")
}

func TestV1Quirks(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{CallLogs: 3, Leads: 3})
	newest := s.IDs("call_logs")[2]
	assert.Equal(t, newest, get(t, s, "/v1/callLogs").json("data.0.id").Str)
	assert.Equal(t, "[]", get(t, s, "/v1/notes").json("data").Raw)
	s.SetQuirks(func(q *simulator.Quirks) { q.OldestCallsFirst, q.NullData, q.FlatLeadPaging = true, true, true })
	assert.Equal(t, newest, get(t, s, "/v1/callLogs").json("data.2.id").Str)
	assert.Equal(t, "null", get(t, s, "/v1/notes").json("data").Raw)
	assert.Equal(t, `{"start":0,"limit":2,"more_items_in_collection":true,"next_start":2}`, get(t, s, "/v1/leads?limit=2").json("additional_data").Raw)
}

func TestAccountWithoutCustomFields(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 2, Leads: 2, NoCustomFields: true})
	assert.Equal(t, "null", get(t, s, "/api/v2/deals/1").json("data.custom_fields").Raw)
	assert.NotRegexp(t, `"[0-9a-f]{40}"`, get(t, s, "/v1/leads").body)
}

func TestPrebuiltPagesLastUntilAWrite(t *testing.T) {
	t.Parallel()
	s := simulator.New(simulator.Options{Deals: 25})
	pages, err := s.Prebuild("/api/v2/deals", "limit=10&sort_by=update_time")
	require.NoError(t, err)
	assert.Equal(t, 3, pages)
	query := url.Values{"sort_by": {"update_time"}, "limit": {"10"}}
	assert.Len(t, walk(t, s, "/api/v2/deals", query, nil), 25)
	s.Update("deals", "25", simulator.Fields{"title": "Renamed"})
	query.Del("cursor")
	rows := walk(t, s, "/api/v2/deals", query, nil)
	assert.Equal(t, "Renamed", rows[24].Get("title").Str)

	s.Delete("deals", "25")
	_, err = s.Prebuild("/api/v2/deals", "status=deleted")
	require.NoError(t, err)
	assert.Len(t, get(t, s, "/api/v2/deals?status=deleted").json("data").Array(), 1)
	s.Advance(30 * 24 * time.Hour)
	assert.Empty(t, get(t, s, "/api/v2/deals?status=deleted").json("data").Array(), "nor longer than the clock stands")

	_, err = s.Prebuild("/api/v2/deals", "start=1")
	require.ErrorContains(t, err, "start is not allowed")
	_, err = s.Prebuild("/api/v2/deals/1", "")
	require.ErrorContains(t, err, "is no list")
}

package pipedrive

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

func row(name string) *entity.Object {
	obj, ok := entity.Lookup(name)
	if !ok {
		panic(name)
	}
	return &obj
}

func TestSlicePageKeepsTheBytesOfEachRecord(t *testing.T) {
	t.Parallel()
	first := `{"id": 7, "title":"a \"quoted\" ] title", "update_time":"2026-11-20T09:15:00Z","add_time":"2026-11-01T08:00:00Z","is_deleted":false}`
	second := `{"update_time":null,"nested":{"id":9,"update_time":"2001-01-01T00:00:00Z"},"id":9007199254740993,"status":"deleted"}`
	body := []byte(` { "success" : true , "data" : [ ` + first + ` , ` + second + ` ] , "additional_data":{"next_cursor":"abc"} } `)

	page, err := slicePage(body, row("deals"))
	require.NoError(t, err)
	require.Len(t, page.Records, 2)
	assert.Equal(t, first, string(page.Records[0].JSON))
	assert.Equal(t, second, string(page.Records[1].JSON))
	assert.Equal(t, len(body), page.Size)

	assert.Equal(t, "7", page.Records[0].ID)
	assert.Equal(t, time.Date(2026, 11, 20, 9, 15, 0, 0, time.UTC), page.Records[0].Updated)
	assert.Equal(t, time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC), page.Records[0].Created)
	assert.False(t, page.Records[0].Deleted)

	assert.Equal(t, "9007199254740993", page.Records[1].ID, "ids beyond 2^53 stay exact")
	assert.Zero(t, page.Records[1].Updated)
	assert.Zero(t, page.Records[1].Created)
	assert.True(t, page.Records[1].Deleted)
}

func TestAppendingToARecordLeavesTheNextOneAlone(t *testing.T) {
	t.Parallel()
	page, err := slicePage([]byte(`{"success":true,"data":[{"id":1},{"id":2}]}`), row("deals"))
	require.NoError(t, err)
	_ = append(page.Records[0].JSON, "xxxxxxx"...)
	assert.JSONEq(t, `{"id":2}`, string(page.Records[1].JSON))
}

func TestSlicePageReadsEveryFrame(t *testing.T) {
	t.Parallel()
	const one = `"success":true,"data":[{"id":1}]`
	for _, test := range []struct {
		name, object, body string
		rows               int
		next               string
		start              int
		more               bool
	}{
		{name: "v2, more", object: "deals", body: `{` + one + `,"additional_data":{"next_cursor":"a\u0062c"}}`, rows: 1, next: "abc", more: true},
		{name: "v2, cursor null", object: "deals", body: `{` + one + `,"additional_data":{"next_cursor":null}}`, rows: 1},
		{name: "v2, cursor missing", object: "deals", body: `{` + one + `,"additional_data":{}}`, rows: 1},
		{name: "v2, additional_data null", object: "deals", body: `{` + one + `,"additional_data":null}`, rows: 1},
		{name: "v2, additional_data missing", object: "deals", body: `{` + one + `}`, rows: 1},
		{name: "v2, empty", object: "deals", body: `{"success":true,"data":[],"additional_data":{"next_cursor":null}}`},
		{name: "additional_data first", object: "deals", body: `{"additional_data":{"next_cursor":"z"},` + one + `}`, rows: 1, next: "z", more: true},
		{name: "v1, more", object: "notes", body: `{` + one + `,"additional_data":{"pagination":{"start":0,"limit":1,"more_items_in_collection":true,"next_start":1}}}`, rows: 1, start: 1, more: true},
		{name: "v1, last", object: "notes", body: `{` + one + `,"additional_data":{"pagination":{"start":1,"limit":1,"more_items_in_collection":false,"next_start":2}}}`, rows: 1},
		{name: "v1, flat", object: "leads", body: `{` + one + `,"additional_data":{"start":0,"limit":1,"more_items_in_collection":true,"next_start":1}}`, rows: 1, start: 1, more: true},
		{name: "v1, data null", object: "notes", body: `{"success":true,"data":null,"additional_data":null}`},
		{name: "v1, related objects", object: "notes", body: `{` + one + `,"related_objects":{"user":{"1":{"id":1}}}}`, rows: 1},
		{name: "v1, whole", object: "users", body: `{` + one + `,"additional_data":{"company_id":3}}`, rows: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			check := func(obj *entity.Object) {
				page, err := slicePage([]byte(test.body), obj)
				require.NoError(t, err)
				assert.Len(t, page.Records, test.rows)
				assert.Equal(t, test.next, page.Next)
				assert.Equal(t, test.start, page.NextStart)
				assert.Equal(t, test.more, page.More)
			}
			obj := row(test.object)
			check(obj)
			obj.Paging = entity.AnyPaging
			check(obj)
		})
	}
}

func TestSlicePageRefusesWhatItCannotTrust(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, body, errContains string }{
		{"empty", ``, "nothing but space"},
		{"null", `null`, "want an object"},
		{"HTML", `<html>`, "want an object"},
		{"cut", `{"success":true,"data":[{"id":1},{"id`, "the text ends"},
		{"text behind", `{"success":true,"data":[]}x`, "text after the end"},
		{"success false", `{"success":false,"data":[{"id":1}]}`, "success is not true"},
		{"no success", `{"data":[{"id":1}]}`, "success is not true"},
		{"no data", `{"success":true}`, "there is no data"},
		{"data is an object", `{"success":true,"data":{"id":1}}`, "data is not a list"},
		{"data is a text", `{"success":true,"data":"x"}`, "data is not a list"},
		{"row null", `{"success":true,"data":[{"id":1},null]}`, "deals: row 1 is not an object"},
		{"row number", `{"success":true,"data":[5]}`, "deals: row 0 is not an object"},
		{"no id", `{"success":true,"data":[{"ID":1}]}`, "deals: row 0 has no id"},
		{"id null", `{"success":true,"data":[{"id":null}]}`, "deals: row 0 has no id"},
		{"id empty", `{"success":true,"data":[{"id":""}]}`, "deals: row 0 has no id"},
		{"id object", `{"success":true,"data":[{"id":{"value":1}}]}`, "deals: row 0 has no id"},
		{"id fraction", `{"success":true,"data":[{"id":1.5}]}`, "deals: row 0 has no id"},
		{"too deep", `{"success":true,"data":[{"id":1,"x":` + strings.Repeat("[", 2000), "nested too deep"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := slicePage([]byte(test.body), row("deals"))
			require.ErrorContains(t, err, test.errContains)
		})
	}
}

func TestFieldsMayLieDeeper(t *testing.T) {
	t.Parallel()
	obj := &entity.Object{
		Name: "custom", ID: "meta.key", Updated: entity.Stamp{Field: "meta.times.0"},
		Created: entity.Stamp{Field: "made on", Layout: "02.01.2006", Zone: time.FixedZone("", 3600)},
		Deleted: []entity.Mark{{Field: "meta.gone", JSON: "true"}},
	}
	page, err := slicePage([]byte(`{"success":true,"data":[{"id":1,"meta":{"key":"k\u00e9","times":["2026-01-02 03:04:05"],"gone":true},"made on":"05.06.2025"}]}`), obj)
	require.NoError(t, err)
	r := page.Records[0]
	assert.Equal(t, "ké", r.ID)
	assert.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), r.Updated)
	assert.Equal(t, time.Date(2025, 6, 4, 23, 0, 0, 0, time.UTC), r.Created)
	assert.True(t, r.Deleted)
}

func TestSlicePageAllocatesByThePageNotByTheRecord(t *testing.T) {
	body, obj := dealsBody(500), deals()
	allocs := testing.AllocsPerRun(10, func() { _, _ = slicePage(body, obj) })
	assert.Less(t, allocs, 50.0)
}

func FuzzSlicePage(f *testing.F) {
	f.Add(dealsBody(2))
	f.Add([]byte(`{"success":true,"data":[{"id":"x"},{"id":3,"a":[1,{"b":"]"}]}],"additional_data":{"pagination":{"more_items_in_collection":true,"next_start":5}}}`))
	f.Add([]byte(`{"success":true,"data":null}`))
	obj := row("deals")
	obj.Paging = entity.AnyPaging
	f.Fuzz(func(t *testing.T, body []byte) {
		page, err := slicePage(body, obj)
		if err != nil {
			return
		}
		// encoding/json finds the same records, byte by byte.
		var frame map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(body, &frame))
		var want []json.RawMessage
		require.NoError(t, json.Unmarshal(frame["data"], &want))
		require.Len(t, page.Records, len(want))
		for i, r := range page.Records {
			require.Equal(t, string(want[i]), string(r.JSON))
			require.Equal(t, len(r.JSON), cap(r.JSON))
			require.NotEmpty(t, r.ID)
		}
	})
}

func ExampleRecord() {
	page, _ := slicePage([]byte(`{"success":true,"data":[{"id":7,"update_time":"2026-11-20T09:15:00Z"}]}`), row("deals"))
	fmt.Println(page.Records[0].ID, page.Records[0].Updated)
	// Output: 7 2026-11-20 09:15:00 +0000 UTC
}

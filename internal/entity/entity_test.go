package entity_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// The words of `objects` are a contract.
func TestLookupKnowsEveryPromisedWord(t *testing.T) {
	const promised = `deals deals_archived persons organizations activities products pipelines stages leads leads_archived
		notes users files projects tasks call_logs activity_types`
	for word := range strings.FieldsSeq(promised) {
		o, ok := entity.Lookup(word)
		require.True(t, ok, word)
		assert.Equal(t, word, o.Name)
	}
	assert.Len(t, entity.All(), len(strings.Fields(promised)))
	for alias, name := range map[string]string{"accounts": "organizations", "contacts": "persons", "opportunities": "deals"} {
		o, ok := entity.Lookup(alias)
		require.True(t, ok, alias)
		assert.Equal(t, name, o.Name)
		assert.Contains(t, entity.Known(), name+" ("+alias+")")
	}
	_, ok := entity.Lookup("deal")
	assert.False(t, ok)
}

func TestRowsAreWhole(t *testing.T) {
	for _, o := range entity.All() {
		t.Run(o.Name, func(t *testing.T) {
			assert.NotEmpty(t, o.Kind)
			assert.NotEqual(t, o.Name, o.Kind, "the kind is singular")
			assert.True(t, strings.HasPrefix(o.Doc, "https://"))
			assert.NotEmpty(t, o.ID)
			assert.Positive(t, o.Tokens)
			prefix := map[entity.Schema]string{entity.RESTv1: "/v1/", entity.RESTv2: "/api/v2/"}[o.Schema]
			assert.True(t, strings.HasPrefix(o.Path, prefix), o.Path)
			if o.Record != "" {
				assert.Equal(t, 1, strings.Count(o.Record, "%s"))
				assert.Positive(t, o.RecordTokens)
			}
			for _, query := range []string{o.Query, o.OldestFirst, o.NewestFirst} {
				_, err := url.ParseQuery(query)
				require.NoError(t, err)
			}
			if o.Walk == entity.ByTime {
				assert.NotEmpty(t, o.Since)
				assert.NotEmpty(t, o.OldestFirst)
				assert.NotEmpty(t, o.NewestFirst)
				assert.NotEmpty(t, o.Updated.Field)
			}
			if o.Fields != "" {
				assert.True(t, strings.HasPrefix(o.Fields, "/api/v2/"), o.Fields)
				assert.Positive(t, o.FieldTokens)
			}
			if o.Paging != entity.Whole {
				assert.Positive(t, o.PageSize)
			}
		})
	}
}

func TestOfKindFindsTheRowThatHasTheFields(t *testing.T) {
	for kind, fields := range map[string]string{
		"deal": "/api/v2/dealFields", "person": "/api/v2/personFields", "organization": "/api/v2/organizationFields",
		"product": "/api/v2/productFields", "activity": "/api/v2/activityFields", "project": "/api/v2/projectFields",
		"lead": "/api/v2/dealFields", "note": "", "user": "", "activity_type": "",
	} {
		o, ok := entity.OfKind(kind)
		require.True(t, ok, kind)
		assert.Equal(t, kind, o.Kind)
		assert.Equal(t, fields, o.Fields, kind)
	}
	_, ok := entity.OfKind("deals")
	assert.False(t, ok, "a kind is singular")
}

// Two lists of one kind hold the same records, which have the same fields.
func TestListsOfOneKindShareTheirFields(t *testing.T) {
	for _, o := range entity.All() {
		first, ok := entity.OfKind(o.Kind)
		require.True(t, ok, o.Name)
		assert.Equal(t, first.Fields, o.Fields, o.Name)
		assert.Equal(t, first.FieldTokens, o.FieldTokens, o.Name)
	}
}

func TestStampParsesWhatPipedriveWrites(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	at := time.Date(2026, 11, 20, 9, 15, 0, 0, time.UTC)
	for _, test := range []struct {
		name  string
		stamp entity.Stamp
		text  string
		want  time.Time
	}{
		{"v2", entity.Stamp{}, "2026-11-20T09:15:00Z", at},
		{"v2 with a fraction", entity.Stamp{}, "2026-11-20T09:15:00.852Z", at.Add(852 * time.Millisecond)},
		{"with an offset", entity.Stamp{}, "2026-11-20T11:15:00+02:00", at},
		{"v1", entity.Stamp{}, "2026-11-20 09:15:00", at},
		{"v1 with a fraction", entity.Stamp{}, "2026-11-20 09:15:00.084", at.Add(84 * time.Millisecond)},
		{"in a zone of its own", entity.Stamp{Zone: berlin}, "2026-11-20 10:15:00", at},
		{"in a layout of its own", entity.Stamp{Layout: "02.01.2006 15:04"}, "20.11.2026 09:15", at},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := test.stamp.Parse(test.text)
			require.True(t, ok)
			assert.Equal(t, test.want, got)
			assert.Equal(t, time.UTC, got.Location())
		})
	}
	for _, text := range []string{"", "0000-00-00 00:00:00", "yesterday", "2026-11-20"} {
		_, ok := entity.Stamp{}.Parse(text)
		assert.False(t, ok, text)
	}
}

func TestJavaLayout(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC)
	for pattern, written := range map[string]string{
		"yyyy-MM-dd HH:mm:ss":          "2026-03-04 05:06:07",
		"yyyy-MM-dd'T'HH:mm:ss.SSSXXX": "2026-03-04T05:06:07.089Z",
		"yyyy-MM-dd'T'HH:mm:ssZ":       "2026-03-04T05:06:07+0000",
		"d.M.yy h:mm a":                "4.3.26 5:06 AM",
		"dd MMM yyyy 'o''clock' HH":    "04 Mar 2026 o'clock 05",
	} {
		layout, err := entity.JavaLayout(pattern)
		require.NoError(t, err, pattern)
		assert.Equal(t, written, at.Format(layout), pattern)
	}
	for _, pattern := range []string{"yyyy-QQ", "yyyy 'open", "SSS", "yyyyy"} {
		_, err := entity.JavaLayout(pattern)
		require.ErrorContains(t, err, pattern)
	}
}

func TestCustomObject(t *testing.T) {
	o, err := entity.Custom{
		Name: "boards", Path: "/api/v2/boards?x=1", UpdatedField: "update_time", UpdatedFormat: "dd.MM.yyyy", TimeZone: "Europe/Berlin",
		Since: "updated_since",
	}.Object()
	require.NoError(t, err)
	assert.Equal(t, "/api/v2/boards", o.Path)
	assert.Equal(t, "x=1", o.Query)
	assert.Equal(t, entity.ByTime, o.Walk)
	assert.Equal(t, entity.RESTv2, o.Schema)
	assert.Equal(t, "02.01.2006", o.Updated.Layout)
	assert.Equal(t, 10, o.Tokens)
	assert.Equal(t, "id", o.ID)

	for _, test := range []struct {
		name        string
		custom      entity.Custom
		errContains string
	}{
		{"a taken name", entity.Custom{Name: "deals", Path: "/v1/x"}, "is an object of the catalogue"},
		{"an odd name", entity.Custom{Name: "My Boards", Path: "/v1/x"}, "not in snake_case"},
		{"another host", entity.Custom{Name: "x", Path: "https://evil.example/v1"}, "is not a path"},
		{"no path", entity.Custom{Name: "x"}, "is not a path"},
		{"a token in the path", entity.Custom{Name: "x", Path: "/v1/x?type=deals&api_token=hunter2"}, "path: holds an api_token"},
		{"an unknown paging", entity.Custom{Name: "x", Path: "/v1/x", Paging: "pages"}, "auto, cursor, offset or none"},
		{"an unknown zone", entity.Custom{Name: "x", Path: "/v1/x", TimeZone: "Mars/Base"}, "IANA"},
		{"the zone of the machine", entity.Custom{Name: "x", Path: "/v1/x", TimeZone: "Local"}, "IANA"},
		{"a bad pattern", entity.Custom{Name: "x", Path: "/v1/x", UpdatedField: "u", UpdatedFormat: "QQ"}, "updated_format"},
		{"a filter without a time", entity.Custom{Name: "x", Path: "/v1/x", Since: "since"}, "needs updated_field"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.custom.Object()
			require.ErrorContains(t, err, test.errContains)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

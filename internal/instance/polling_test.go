package instance

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// pollingInstance is an instance by polling of these resources, with these keys besides.
func pollingInstance(t *testing.T, resources any, with map[string]any) []byte {
	t.Helper()
	conf := map[string]any{
		"event.notification.enabled":      "true",
		"event.vendor.type":               "polling",
		"event.notification.callback.url": "https://app.example.com/events",
		keyPoller:                         resources,
	}
	for key, value := range with {
		conf[key] = value
	}
	data, err := json.Marshal(map[string]any{"element": map[string]any{"key": "pipedrive"}, "configuration": conf})
	require.NoError(t, err)
	return data
}

type keys = map[string]any

func TestTheIntervalIsInMinutes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		said any
		want time.Duration
	}{
		{"5", 5 * time.Minute},
		{15, 15 * time.Minute},
		{"0.5", 30 * time.Second},
		{" 1440 ", 24 * time.Hour},
		{nil, 15 * time.Minute},
		{"<minutes>", 15 * time.Minute},
		{"0", 0},
		{"-5", 0},
		{"5m", 0},
		{"1e3", 0},
		{"0.001", 0},
		{"99999999999999", 0},
	} {
		i, _, err := Read(pollingInstance(t, keys{"contacts": keys{}}, keys{keyInterval: test.said}))
		if test.want == 0 {
			require.ErrorContains(t, err, keyInterval+": ", "%v", test.said)
			continue
		}
		require.NoError(t, err, "%v", test.said)
		assert.Equal(t, test.want, i.Polling.Interval, "%v", test.said)
	}
}

// Whatever pipedrive_poll can read, an instance can name, in the words of either.
func TestEveryObjectOfTheCatalogueIsFound(t *testing.T) {
	t.Parallel()
	for _, o := range entity.All() {
		for _, word := range append([]string{o.Name}, o.Aliases...) {
			i, _, err := Read(pollingInstance(t, keys{word: keys{}}, nil))
			require.NoError(t, err, word)
			require.Len(t, i.Polling.Objects, 1, word)
			assert.Equal(t, Object{Name: o.Name, Said: word, Unfiltered: o.Walk != entity.ByTime}, i.Polling.Objects[0])
			assert.Empty(t, i.Polling.Custom, word)
		}
	}
}

func TestResourcesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	resources := json.RawMessage(`{ "opportunities": {}, "accounts": {}, "notes": {}, "contacts": {} }`)
	i, _, err := Read(pollingInstance(t, resources, nil))
	require.NoError(t, err)
	assert.Equal(t, "deals, organizations, notes, persons", sheet{Instance: i}.ObjectNames())
}

// A resource that was taken out of an instance is null in its answer; when all were, nothing is left to poll.
func TestAnInstanceThatPollsNothingIsRefused(t *testing.T) {
	t.Parallel()
	for name, resources := range map[string]any{
		"no resource":       keys{},
		"all taken out":     keys{"accounts": nil, "contacts": nil},
		"all, in a text":    `{ "accounts": null }`,
		"nothing in a text": `{}`,
		"null itself":       nil,
	} {
		_, _, err := Read(pollingInstance(t, resources, nil))
		require.ErrorContains(t, err, keyPoller+": ", name)
	}
	_, _, err := Read(pollingInstance(t, nil, keys{keyURLs: " | \n|"}))
	require.ErrorContains(t, err, keyURLs+": names no resource")

	i, _, err := Read(pollingInstance(t, keys{"accounts": nil, "contacts": keys{}}, nil))
	require.NoError(t, err)
	assert.Equal(t, "persons", sheet{Instance: i}.ObjectNames())
}

func TestOneInputTakesTheLargestOfWhatResourcesSay(t *testing.T) {
	t.Parallel()
	i, _, err := Read(pollingInstance(t, keys{
		"accounts": keys{"pollDelay": 30, "createdCheckTolerance": "2", "pageSize": 20},
		"contacts": keys{"pollDelay": "90", "createdCheckTolerance": 10, "pageSize": "100"},
		"notes":    keys{"datesConfiguration": keys{"createdCheckTolerance": 20}},
	}, nil))
	require.NoError(t, err)
	assert.Equal(t, 90*time.Second, *i.Polling.Overlap)
	assert.Equal(t, 20*time.Second, *i.Polling.Tolerance)
	assert.Equal(t, 100, i.Polling.PageSize)

	i, _, err = Read(pollingInstance(t, keys{"accounts": keys{"pollDelay": 0, "createdCheckTolerance": 0}}, nil))
	require.NoError(t, err)
	assert.Nil(t, i.Polling.Overlap, "an overlap of nothing is not possible")
	assert.Zero(t, *i.Polling.Tolerance)
}

func TestAPageHasItsBounds(t *testing.T) {
	t.Parallel()
	for said, want := range map[int]string{1: "page_size: 2\n", 20: "page_size: 20\n", 500: "page_size: 500\n", 10000: "page_size: 500\n"} {
		i, _, err := Read(pollingInstance(t, keys{"accounts": keys{"pageSize": said}}, nil))
		require.NoError(t, err)
		pipeline, _ := i.Pipeline()
		assert.Contains(t, string(pipeline), want)
		assert.Contains(t, string(pipeline), fmt.Sprintf("# pageSize was %d.", said))
	}
}

func TestThePathOfACustomObject(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, url   string
		path, since string
		guessed     bool
		errContains string
	}{
		{name: "at the hub", url: "/hubs/crm/filters?where=update_time>'${date}'", path: "/v1/filters", guessed: true},
		{name: "at the hub, whole", url: "https://api.cloud-elements.com/elements/api-v2/hubs/crm/filters", path: "/v1/filters", guessed: true},
		{name: "below a resource", url: "/hubs/crm/mailbox/threads", path: "/v1/mailbox/threads", guessed: true},
		{name: "without a hub", url: "/filters", path: "/v1/filters", guessed: true},
		{name: "of the API", url: "/v1/filters?type=deals", path: "/v1/filters?type=deals"},
		{name: "of the API, the other prefix", url: "/api/v1/filters", path: "/api/v1/filters"},
		{name: "of a company", url: "https://acme.pipedrive.com/api/v2/boards", path: "/api/v2/boards"},
		{
			name: "with a time", url: "/api/v2/boards?updated_since=${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}&sort_by=id",
			path: "/api/v2/boards?sort_by=id", since: "updated_since",
		},
		{name: "with a time of another form", url: "/v1/filters?since=${date:yyyy-MM-dd HH:mm:ss}", path: "/v1/filters"},
		{name: "with a secret", url: "/v1/filters?api_token=abc", path: "/v1/filters"},
		{name: "of one record", url: "/hubs/crm/filters/{id}", errContains: "is no path of a list"},
		{name: "of nothing", url: "/hubs/crm/", errContains: "is no path of a list"},
		{name: "of another host", url: "https://evil.example.com/filters", errContains: "is no path of a list"},
		{name: "no url", errContains: "is no object that is known, and has no url"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			i, _, err := Read(pollingInstance(t, keys{"things": keys{"url": test.url}}, nil))
			if test.errContains != "" {
				require.ErrorContains(t, err, test.errContains)
				return
			}
			require.NoError(t, err)
			require.Len(t, i.Polling.Custom, 1)
			c := i.Polling.Custom[0]
			assert.Equal(t, test.path, c.Path)
			assert.Equal(t, test.since, c.Since)
			assert.Equal(t, test.guessed, c.Guessed)
		})
	}
}

// Java knows zones by other names, and writes offsets with the sign that one expects.
func TestZonesAreThoseOfTheDatabase(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for said, hour := range map[string]int{
		"GMT": 12, "utc": 12, "Z": 12, "+00:00": 12, "PST": 4, "EST": 7, "MST": 5, "CST": 6, "IST": 17, "JST": 21,
		"Europe/Berlin": 13, "America/New_York": 7, "-6:00": 6, "+0200": 14, "GMT+2": 14, "UTC-08:00": 4,
	} {
		name, ok := ianaZone(said)
		require.True(t, ok, said)
		zone, err := time.LoadLocation(name)
		require.NoError(t, err, said)
		assert.Equal(t, hour, noon.In(zone).Hour(), "%s is %s", said, name)
	}
	for _, short := range javaZones {
		_, err := time.LoadLocation(short)
		require.NoError(t, err)
	}
	for _, said := range []string{"{TimeZone}", "+05:30", "Local", "Mars/Olympus", "+25:00", "../etc/passwd"} {
		_, ok := ianaZone(said)
		assert.False(t, ok, said)
	}
}

// The host looks for variables in all of a configuration, comments and quotes included.
func TestNothingThatIsReadBecomesAVariable(t *testing.T) {
	t.Parallel()
	i, _, err := Read(pollingInstance(t, keys{"${HOME}": keys{"url": "/hubs/crm/accounts"}, "things": keys{
		"url": "/v1/things", "idField": "${HOME}", "datesConfiguration": keys{"updatedDateField": "a$${HOME:b}", "createdDateField": "${HOME"},
	}}, nil))
	require.NoError(t, err)
	i.Name = "${HOME}"
	pipeline, variables := i.Pipeline()
	requireVariables(t, pipeline, variables)
	assert.Contains(t, string(pipeline), `id_field: "\x24{HOME}"`)
}

//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// told is an event as a recipe's statement gets it.
type told struct{ id, action, via, order, data string }

const (
	early  = "2026-11-20T09:15:00.000Z/2/2026-11-20T09:15:30.001Z"
	middle = "2026-11-20T09:16:00.000Z/1/2026-11-20T09:16:00.426Z"
	moment = "2026-11-20T09:16:00.000Z/1/2026-11-20T09:16:00.427Z" // after middle, in its second
	late   = "2026-11-20T09:17:00.000Z/2/2026-11-20T09:17:30.001Z"
	gone   = "2026-11-20T09:18:00.000Z/3/2026-11-20T09:18:30.001Z"
	back   = "2026-11-20T09:15:00.000Z/2/2026-11-20T09:33:30.001Z" // as it was early, seen again
	other  = "2026-11-20T09:16:00.000Z/2/2026-11-20T09:33:30.001Z" // changed before it was gone, seen after
)

// guardScene is what one record goes through, and the row that it ends with.
type guardScene struct {
	name    string
	events  []told
	data    string
	deleted bool
	logged  int // rows in the log
}

// guardScenes have events in an order that a run of seconds does not bring.
var guardScenes = []guardScene{
	{
		"what is newer changes what it carries",
		[]told{{"a", "snapshot", "poll", early, `{"x":1,"y":1}`}, {"b", "updated", "webhook", middle, `{"x":2}`}},
		`{"x":2,"y":1}`, false, 2,
	},
	{
		"what is older changes nothing",
		[]told{{"b", "updated", "webhook", middle, `{"x":2}`}, {"a", "snapshot", "poll", early, `{"x":1,"y":1}`}},
		`{"x":2}`, false, 2,
	},
	{
		"so it is within one second",
		[]told{{"b", "updated", "webhook", moment, `{"x":2}`}, {"a", "updated", "webhook", middle, `{"x":1,"y":1}`}},
		`{"x":2}`, false, 2,
	},
	{
		"the same state by the other door, richer and later",
		[]told{{"a", "updated", "webhook", middle, `{"x":1}`}, {"a", "updated", "poll", late, `{"x":1,"y":1}`}},
		`{"x":1,"y":1}`, false, 1,
	},
	{
		"the same state by the other door, poorer and late",
		[]told{{"a", "updated", "poll", late, `{"f":{"k":1},"y":1}`}, {"a", "updated", "webhook", middle, `{"f":{},"z":1}`}},
		`{"f":{"k":1},"y":1,"z":1}`, false, 1,
	},
	{
		"a deletion leaves the row, and what is older does not bring it back",
		[]told{{"a", "updated", "poll", early, `{"x":1}`}, {"c", "deleted", "webhook", gone, `{"x":1}`}, {"b", "updated", "webhook", middle, `{"x":2}`}},
		`{"x":1}`, true, 3,
	},
	{
		"a deletion of what nobody knew",
		[]told{{"c", "deleted", "webhook", gone, `{"x":1}`}},
		`{"x":1}`, true, 1,
	},
	{
		"polling shows again what it had missed",
		[]told{{"a", "updated", "poll", early, `{"x":1}`}, {"c", "deleted", "poll", gone, `{}`}, {"a", "updated", "poll", back, `{"x":1}`}},
		`{"x":1}`, false, 2,
	},
	{
		"a poll from before polling missed it brings nothing back",
		[]told{{"c", "deleted", "poll", gone, `{"x":1}`}, {"b", "updated", "poll", late, `{"x":2}`}},
		`{"x":1}`, true, 2,
	},
	{
		"polling shows again what it had missed, and what changed meanwhile",
		[]told{{"a", "updated", "poll", early, `{"x":1,"y":1}`}, {"c", "deleted", "poll", gone, `{}`}, {"b", "updated", "poll", other, `{"x":2}`}},
		`{"x":2,"y":1}`, false, 3,
	},
	{
		"numbers keep their digits",
		[]told{{"a", "updated", "poll", early, `{"id":90071992547409931234,"v":0.10}`}},
		`{"id":90071992547409931234,"v":0.10}`, false, 1,
	},
}

func (e told) time() string { return e.order[:len("2026-11-20T09:15:00.000Z")] }

// json is the event about the n-th record.
func (e told) json(n int) string {
	data, previous := e.data, "null"
	if e.action == "deleted" {
		data, previous = previous, data
	}
	return fmt.Sprintf(`{"id":"pd1_%d%s","object":"deal","object_id":"%d","action":"%s","time":"%s","account":{"company_id":"7"},"source":{"via":"%s"},"data":%s,"previous":%s}`,
		n, e.id, n, e.action, e.time(), e.via, data, previous)
}

func (s guardScene) assertEndsWith(t *testing.T, data string, deleted bool, logged int) {
	t.Helper()
	where, want, got := unrest.Differs("data", unrest.Decode([]byte(s.data)), unrest.Decode([]byte(data)))
	assert.Empty(t, where, "%v is wanted, and %v is there", want, got)
	assert.Equal(t, s.deleted, deleted)
	assert.Equal(t, s.logged, logged, "one row in the log for each event")
}

// recipeSQL is what a recipe does to a database.
type recipeSQL struct {
	Init    string `json:"init_statement"`
	Query   string `json:"query"`
	Queries []struct {
		Query string `json:"query"`
		Args  string `json:"args_mapping"`
	} `json:"queries"`
}

func sqlOf(t *testing.T, name string) (sql recipeSQL) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../../config", name))
	require.NoError(t, err)
	var recipe struct {
		Output struct {
			Switch struct {
				Cases []struct {
					Output map[string]json.RawMessage `json:"output"`
				} `json:"cases"`
			} `json:"switch"`
		} `json:"output"`
	}
	require.NoError(t, yaml.Unmarshal(content, &recipe))
	for _, c := range recipe.Output.Switch.Cases {
		if raw := c.Output["sql_raw"]; raw != nil {
			require.NoError(t, json.Unmarshal(raw, &sql))
			return sql
		}
	}
	require.Fail(t, "the recipe has no sql_raw")
	return sql
}

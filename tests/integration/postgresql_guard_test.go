//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// told is an event as the recipe's statement gets it.
type told struct{ id, action, via, order, data string }

const (
	early  = "2026-11-20T09:15:00.000Z/2/2026-11-20T09:15:30.001Z"
	middle = "2026-11-20T09:16:00.000Z/1/2026-11-20T09:16:00.426Z"
	late   = "2026-11-20T09:17:00.000Z/2/2026-11-20T09:17:30.001Z"
	gone   = "2026-11-20T09:18:00.000Z/3/2026-11-20T09:18:30.001Z"
	back   = "2026-11-20T09:15:00.000Z/2/2026-11-20T09:33:30.001Z" // as it was early, seen again
)

// The statement of the recipe, with events in an order that a run of seconds does not bring.
func TestPostgreSQLLetsOnlyWhatIsNewerChangeARow(t *testing.T) {
	_, dsn := postgresql(t)
	statement, tables := recipeSQL(t)
	db, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer db.Close(t.Context())
	_, err = db.Exec(t.Context(), tables)
	require.NoError(t, err)
	_, err = db.Exec(t.Context(), tables)
	require.NoError(t, err, "the tables may be there")

	for n, test := range []struct {
		name    string
		events  []told
		data    string
		deleted bool
		logged  int
	}{
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
			"numbers keep their digits",
			[]told{{"a", "updated", "poll", early, `{"id":90071992547409931234,"v":0.10}`}},
			`{"id":90071992547409931234,"v":0.10}`, false, 1,
		},
		{
			"a character that PostgreSQL cannot hold",
			[]told{{"a", "updated", "poll", early, `{"x":"\u0000a\u0000\u0000b\\u0000\\\u0000"}`}},
			`{"x":"ab\\u0000\\"}`, false, 1,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, e := range test.events {
				_, err := db.Exec(t.Context(), statement, e.json(n), e.order)
				require.NoError(t, err)
			}
			var data string
			var deleted bool
			require.NoError(t, db.QueryRow(t.Context(), `SELECT data::text, deleted FROM pipedrive_records WHERE object_id = $1`, fmt.Sprint(n)).Scan(&data, &deleted))
			where, want, got := unrest.Differs("data", unrest.Decode([]byte(test.data)), unrest.Decode([]byte(data)))
			assert.Empty(t, where, "%v is wanted, and %v is there", want, got)
			assert.Equal(t, test.deleted, deleted)
			var logged int
			require.NoError(t, db.QueryRow(t.Context(), `SELECT count(*) FROM pipedrive_events WHERE object_id = $1`, fmt.Sprint(n)).Scan(&logged))
			assert.Equal(t, test.logged, logged, "one row in the log for each event")
		})
	}
}

// json is the event about the n-th record.
func (e told) json(n int) string {
	data, previous := e.data, "null"
	if e.action == "deleted" {
		data, previous = previous, data
	}
	return fmt.Sprintf(`{"id":"pd1_%d%s","object":"deal","object_id":"%d","action":"%s","time":"%s","account":{"company_id":"7"},"source":{"via":"%s"},"data":%s,"previous":%s}`,
		n, e.id, n, e.action, e.order[:len("2026-11-20T09:15:00.000Z")], e.via, data, previous)
}

// recipeSQL is what the recipe does to the database.
func recipeSQL(t *testing.T) (statement, tables string) {
	t.Helper()
	content, err := os.ReadFile("../../config/postgresql.yaml")
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
			var sql struct {
				Query string `json:"query"`
				Init  string `json:"init_statement"`
			}
			require.NoError(t, json.Unmarshal(raw, &sql))
			return sql.Query, sql.Init
		}
	}
	require.Fail(t, "the recipe has no sql_raw")
	return "", ""
}

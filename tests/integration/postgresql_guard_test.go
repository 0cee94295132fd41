//go:build integration

package integration

import (
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// The statement of the recipe as it stands there.
func TestPostgreSQLLetsOnlyWhatIsNewerChangeARow(t *testing.T) {
	_, dsn := postgresql(t)
	recipe := sqlOf(t, "postgresql.yaml")
	db, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer db.Close(t.Context())
	_, err = db.Exec(t.Context(), recipe.Init)
	require.NoError(t, err)
	_, err = db.Exec(t.Context(), recipe.Init)
	require.NoError(t, err, "the tables may be there")

	for n, test := range append(slices.Clone(guardScenes), guardScene{
		"a character that PostgreSQL cannot hold",
		[]told{{"a", "updated", "poll", early, `{"x":"\u0000a\u0000\u0000b\\u0000\\\u0000"}`}},
		`{"x":"ab\\u0000\\"}`, false, 1,
	}) {
		t.Run(test.name, func(t *testing.T) {
			for _, e := range test.events {
				_, err := db.Exec(t.Context(), recipe.Query, e.json(n), e.order)
				require.NoError(t, err)
			}
			var data string
			var deleted bool
			require.NoError(t, db.QueryRow(t.Context(), `SELECT data::text, deleted FROM pipedrive_records WHERE object_id = $1`, fmt.Sprint(n)).Scan(&data, &deleted))
			var logged int
			require.NoError(t, db.QueryRow(t.Context(), `SELECT count(*) FROM pipedrive_events WHERE object_id = $1`, fmt.Sprint(n)).Scan(&logged))
			test.assertEndsWith(t, data, deleted, logged)
		})
	}
}

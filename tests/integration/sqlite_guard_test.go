//go:build integration

package integration

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The statements of the recipe as they stand there, with the row that its mapping would make.
func TestSQLiteLetsOnlyWhatIsNewerChangeARow(t *testing.T) {
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "crm.db"))
	require.NoError(t, err)
	defer db.Close()
	recipe := sqlOf(t, "sqlite.yaml")
	field := regexp.MustCompile(`this\.(\w+)`)
	store := func(row map[string]any) {
		for _, q := range recipe.Queries {
			var args []any
			for _, found := range field.FindAllStringSubmatch(q.Args, -1) {
				require.Contains(t, row, found[1])
				args = append(args, row[found[1]])
			}
			_, err := db.ExecContext(t.Context(), q.Query, args...)
			require.NoError(t, err)
		}
	}

	for n, test := range guardScenes {
		t.Run(test.name, func(t *testing.T) {
			for _, e := range test.events {
				store(map[string]any{
					"id": fmt.Sprintf("pd1_%d%s", n, e.id), "company_id": "7", "object": "deal", "object_id": fmt.Sprint(n),
					"action": e.action, "changed_at": e.time(), "ord": e.order, "via": e.via,
					"deleted": e.action == "deleted", "data": e.data, "event": e.json(n),
				})
			}
			var data string
			var deleted bool
			require.NoError(t, db.QueryRowContext(t.Context(), `SELECT data, deleted FROM pipedrive_records WHERE object_id = ?`, fmt.Sprint(n)).Scan(&data, &deleted))
			var logged int
			require.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM pipedrive_events WHERE object_id = ?`, fmt.Sprint(n)).Scan(&logged))
			test.assertEndsWith(t, data, deleted, logged)
		})
	}
}

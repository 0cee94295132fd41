package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSQLDriversGoByTheHostsNames(t *testing.T) {
	t.Parallel()
	assert.Subset(t, sql.Drivers(), []string{"mysql", "pgx", "postgres", "sqlite"})
}

func TestPipelineWritesSQLite(t *testing.T) {
	t.Parallel()
	run := program(t, "run", "pipeline.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(run.Dir, "pipeline.yaml"), []byte(`
http: { enabled: false }
input:
  generate: { count: 1, interval: "", mapping: 'root.title = "Solar roof"' }
output:
  sql_raw:
    driver: sqlite
    dsn: file:deals.db
    init_statement: CREATE TABLE deals (title TEXT)
    query: INSERT INTO deals VALUES (?)
    args_mapping: root = [ this.title ]
`), 0o600))
	log, err := run.CombinedOutput()
	require.NoError(t, err, string(log))

	db, err := sql.Open("sqlite", filepath.Join(run.Dir, "deals.db"))
	require.NoError(t, err)
	defer db.Close()
	var title string
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT title FROM deals`).Scan(&title))
	assert.Equal(t, "Solar roof", title)
}

//go:build integration

package integration

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver of the binary

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// lockedFile is a database in a file. It is away while another program has it for itself.
type lockedFile struct {
	t  *testing.T
	db *sql.DB
	tx *sql.Tx
}

func (l *lockedFile) Away() {
	var err error
	l.tx, err = l.db.BeginTx(l.t.Context(), nil)
	require.NoError(l.t, err)
	_, err = l.tx.ExecContext(l.t.Context(), `DELETE FROM pipedrive_records`) // takes the lock
	require.NoError(l.t, err)
}

func (l *lockedFile) Back() { require.NoError(l.t, l.tx.Rollback()) }

func TestSQLiteFileIsTheAccount(t *testing.T) {
	sim := unrest.Account(t)
	f := runRecipe(t, sim, "sqlite.yaml")
	db, err := sql.Open("sqlite", "file:"+filepath.Join(f.Disk, "crm.db")+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	require.NoError(t, err)
	defer db.Close()
	rows := func() (unrest.State, error) {
		rows, err := db.QueryContext(t.Context(), `SELECT object || '/' || object_id, deleted, data FROM pipedrive_records`)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		all := unrest.State{}
		for rows.Next() {
			var name, data string
			var deleted bool
			if err := rows.Scan(&name, &deleted, &data); err != nil {
				return nil, err
			}
			all[name] = unrest.Kept{Deleted: deleted, Data: unrest.Decode([]byte(data))}
		}
		return all, rows.Err()
	}
	unrest.Eventually(t, "there are tables", func() bool { all, err := rows(); return err == nil && len(all) > 0 })
	unrest.Make(t, f, &lockedFile{t: t, db: db}, false)
	unrest.RequireState(t, sim, func() unrest.State {
		all, err := rows()
		require.NoError(t, err)
		return all
	})
	f.RequireLetter()
	f.Stop()
}

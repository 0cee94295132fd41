//go:build integration

package integration

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// postgresql is a server of its own for the test.
func postgresql(t *testing.T) (d *daemon, dsn string) {
	t.Helper()
	d = newDaemon(t, "postgresql", "postgres")
	bin := filepath.Dir(installed(t, "/usr/lib/postgresql/*/bin/postgres"))
	data, port := filepath.Join(d.folder, "data"), freePort(t)
	d.run(filepath.Join(bin, "initdb"), "--pgdata", data, "--username", "crm", "--auth", "trust", "--encoding", "UTF8", "--no-sync")
	d.args = []string{
		filepath.Join(bin, "postgres"), "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + d.folder,
	}
	d.stop = syscall.SIGINT // ends the connections at once; without a signal it would wait for their end
	dsn = "postgres://crm@127.0.0.1:" + port + "/postgres?sslmode=disable"
	d.ready = func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		c, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return err
		}
		return c.Close(ctx)
	}
	d.start()
	return d, dsn
}

// records are the rows of the recipe's table.
func records(t *testing.T, db *pgx.Conn) unrest.State {
	t.Helper()
	rows, err := db.Query(t.Context(), `SELECT object || '/' || object_id, deleted, data::text FROM pipedrive_records`)
	require.NoError(t, err)
	all := unrest.State{}
	var name, data string
	var deleted bool
	_, err = pgx.ForEachRow(rows, []any{&name, &deleted, &data}, func() error {
		all[name] = unrest.Kept{Deleted: deleted, Data: unrest.Decode([]byte(data))}
		return nil
	})
	require.NoError(t, err)
	return all
}

func TestPostgreSQLIsTheAccount(t *testing.T) {
	server, dsn := postgresql(t)
	sim := unrest.Account(t)
	f := runRecipe(t, sim, "postgresql.yaml", "POSTGRES_DSN="+dsn)
	unrest.Make(t, f, server, false)

	db, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer db.Close(t.Context())
	unrest.RequireState(t, sim, func() unrest.State { return records(t, db) })
	// In its first five seconds a record has one event for each of its states, whenever in them that was told.
	unrest.RequireNone(t, "the log has every change that was told", func() (missing []string) {
		for _, d := range sim.Deliveries() {
			var logged bool
			require.NoError(t, db.QueryRow(t.Context(), `
				SELECT EXISTS (SELECT FROM pipedrive_events
				WHERE object = $1 AND object_id = $2 AND (action = 'deleted') = ($3 = 'delete')
				AND changed_at BETWEEN date_trunc('second', $4::timestamptz) - interval '5 s' AND $4 + interval '5 s')`,
				d.Entity, d.EntityID, d.Action, d.Time).Scan(&logged))
			if !logged {
				missing = append(missing, fmt.Sprintf("%s of %s %s at %v", d.Action, d.Entity, d.EntityID, d.Time))
			}
		}
		return missing
	})
	f.RequireLetter()
	f.Stop()
}

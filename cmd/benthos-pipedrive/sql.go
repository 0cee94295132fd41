package main

import (
	"database/sql"

	"github.com/jackc/pgx/v5/stdlib"
)

// The host knows PostgreSQL by two driver names, and not every component treats them alike: the sql cache writes $1
// for postgres only. pgx registers itself as pgx alone, so it is given the other name too, and both words work.
func init() {
	sql.Register("postgres", stdlib.GetDefaultDriver())
}

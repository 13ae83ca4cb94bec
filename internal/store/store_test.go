package store_test

import (
	"testing"

	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

func TestSQLiteKeepsTheContracts(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.SQLite)
}

func TestPostgresKeepsTheContracts(t *testing.T) {
	t.Parallel()
	storetest.PostgresURL(t) // skips, and says why, where there is no server
	storetest.Run(t, storetest.Postgres)
}

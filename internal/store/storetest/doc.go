// Package storetest proves that a store keeps the contracts of catalog, upload
// and auth. One suite runs on SQLite and on PostgreSQL; it also opens databases
// for the tests of other rooms. Only tests may import it.
//
//	func TestSQLite(t *testing.T) {
//		storetest.Run(t, storetest.SQLite)
//	}
//
// PostgreSQL is found in WHARF_TEST_POSTGRES, a URL of a user who may create
// schemas; without it those tests are skipped and say so.
package storetest

package store_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

// TestWhoeverWritesKnownTablesForgets lists every statement that writes a table
// of which rows are kept in memory. One that is added must make them be
// forgotten, or touch no column that is read from there, and then join the list.
func TestWhoeverWritesKnownTablesForgets(t *testing.T) {
	t.Parallel()
	harmless := map[string]bool{
		"Reserve": true, "Admit": true, "Release": true, "Settle": true, "Unuse": true, "HoldLedger": true, "Rebook": true, // the ledger
		"AddUser": true, "AddPolicy": true, "AddGroup": true, "InsertNode": true, "InsertRoot": true, "InsertHiddenRoot": true, // an id that nobody asked for
		"ShowNode": true, // a file
	}
	forgets := map[string]bool{
		"UpdateUser": true, "UpdatePolicy": true, "UpdateNode": true, "RemoveNodesBelow": true,
		"SaveProfile": true, "RaiseEpoch": true, "SetAvatar": true, // in accounts
		"SetGroupPolicy": true,                                                                // in providers
		"UpdateGroup":    true, "RemoveGroup": true, "RemovePolicy": true, "RemoveUser": true, // in administration
	}
	files, err := filepath.Glob("query/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	statement := regexp.MustCompile(`(?s)-- name: (\w+) :\w+\n(.*?)(?:\n-- name|\z)`)
	writes := regexp.MustCompile(`(?:UPDATE|INTO|DELETE FROM) (?:users|groups|policies|nodes)\b`)
	seen := 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for rest := string(text); ; {
			m := statement.FindStringSubmatchIndex(rest)
			if m == nil {
				break
			}
			what, body := rest[m[2]:m[3]], rest[m[4]:m[5]]
			rest = rest[m[5]:]
			if !writes.MatchString(body) {
				continue
			}
			if seen++; !harmless[what] && !forgets[what] {
				t.Errorf("%s: %s writes a table that is kept in memory", name, what)
			}
		}
	}
	if seen != len(harmless)+len(forgets) {
		t.Errorf("%d statements write these tables, %d are listed", seen, len(harmless)+len(forgets))
	}
}

func TestWhatIsKnownIsNeverOlderThanTheLastWrite(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	h := storetest.NewHome(t, s, -1)
	name := func() (got string) {
		h.Must(h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
			u, err := tx.User(h.Ctx, h.User.ID)
			got = u.Nick
			return err
		}))
		return got
	}
	u := h.User
	for _, nick := range []string{"one", "two"} {
		_ = name()
		u.Nick = nick
		h.Must(h.Names.UpdateUser(h.Ctx, u))
		if got := name(); got != nick {
			t.Errorf("the user is called %q after a write that says %q", got, nick)
		}
	}
	u.Nick = "undone"
	_ = h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
		h.Must(tx.UpdateUser(h.Ctx, u))
		_, err := tx.User(h.Ctx, u.ID) // is kept
		h.Must(err)
		return os.ErrInvalid
	})
	if got := name(); got != "two" {
		t.Errorf("the user is called %q after a write that was undone", got)
	}
}

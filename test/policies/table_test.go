package policies_test

import (
	"flag"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what passed into docs/policies/README.md")

const (
	page  = "../../docs/policies/README.md"
	begin = "<!-- made by go test ./test/policies -update -->\n"
	end   = "<!-- end of what is made -->\n"

	straight = "direct"
	relay    = "relay"
)

// ways are how bytes get to a store.
var ways = []string{straight, relay}

// table is what passed.
type table struct {
	mu   sync.Mutex
	seen map[[3]string]bool // kind, way, case
}

func newTable() *table { return &table{seen: map[[3]string]bool{}} }

// set is called where nothing has stopped the case; one that went on after an error
// fails the test, and with it the table.
func (x *table) set(kind, way, name string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.seen[[3]string{kind, way, name}] = true
}

func (x *table) text() string {
	var b strings.Builder
	b.WriteString("| policy | way |")
	for _, c := range cases {
		b.WriteString(" " + c.name + " |")
	}
	b.WriteString("\n" + strings.Repeat("| --- ", 2+len(cases)) + "|\n")
	for _, w := range worlds {
		for _, way := range ways {
			b.WriteString("| [" + w.kind + "](" + w.kind + ".md) | " + way + " |")
			for _, c := range cases {
				mark := " ✗ |"
				if x.seen[[3]string{w.kind, way, c.name}] {
					mark = " ✓ |"
				}
				b.WriteString(mark)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// check compares the committed table with what passed. Of a run of some cases it says
// nothing.
func (x *table) check(t *testing.T) {
	t.Helper()
	if t.Failed() || len(x.seen) < len(worlds)*len(ways)*len(cases) {
		return
	}
	was, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(was), begin)
	made, tail, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatalf("%s does not have the marks of the table", page)
	}
	if *update {
		if err := os.WriteFile(page, []byte(head+begin+x.text()+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(x.text(), made); diff != "" {
		t.Errorf("%s is not what passed; run go test ./test/policies -update\n%s", page, diff)
	}
}

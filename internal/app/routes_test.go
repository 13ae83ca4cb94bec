package app_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/api"
	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/internal/door/desk"
)

func TestRoutesAreThoseOfTheDescription(t *testing.T) {
	t.Parallel()
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(api.Description(), &doc); err != nil {
		t.Fatal(err)
	}
	described := map[string]string{}
	for path, ops := range doc.Paths {
		for method, raw := range ops {
			var op struct{ OperationID string }
			if json.Unmarshal(raw, &op) == nil && op.OperationID != "" {
				described[op.OperationID] = strings.ToUpper(method) + " " + strings.TrimPrefix(path, desk.Prefix)
			}
		}
	}
	mounted := map[string]string{}
	for _, r := range app.Routes() {
		mounted[r.Operation] = r.Method + " " + r.Path
	}
	if diff := gocmp.Diff(described, mounted); diff != "" {
		t.Errorf("the description and the table of routes differ (-described +mounted):\n%s", diff)
	}
}

// TestAdministrationIsForAdministrators: no door decides it by itself.
func TestAdministrationIsForAdministrators(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, r := range app.Routes() {
		if strings.HasPrefix(r.Path, "/admin") {
			seen++
			if r.Who != desk.Administrator {
				t.Errorf("%s is for %s", r.Operation, r.Who)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d routes", seen)
	}
}

var update = flag.Bool("update", false, "write docs/ROUTES.md anew")

const routesIntro = `# Routes

<!-- Made from the tables of the doors by go generate ./internal/app. Do not edit. -->

Everything that the API serves, below ` + "`/api/v4`" + `. What is not in this table is not served;
[openapi.json](../api/openapi.yaml) describes the same operations, and a test compares the
two.

*Anyone* may call a route without a sign-in; what it answers to whom is decided where
the thing itself is looked up. *Streamed* bodies are bounded by what the operation
expects. A rate is of one user, or of one address for those who did not sign in (a /64
of IPv6); who is over it is told when to come again. Wrong passwords and codes have
bounds of their own, which survive a restart. *Audit* is a line ` + "`msg=audit`" + ` in the log for each
success, with user, address and request id.

| Operation | Route | Who | Body | Rate | Audit |
|---|---|---|---|---|---|
`

// TestTheListOfRoutesIsThatOfTheTable keeps docs/ROUTES.md.
func TestTheListOfRoutesIsThatOfTheTable(t *testing.T) {
	t.Parallel()
	const doc = "../../docs/ROUTES.md"
	var b strings.Builder
	b.WriteString(routesIntro)
	for _, r := range app.Routes() {
		audit := ""
		if r.Audit {
			audit = "yes"
		}
		fmt.Fprintf(&b, "| %s | `%s %s` | %s | %s | %s | %s |\n", r.Operation, r.Method, r.Path, r.Who, r.Body(), cmp.Or(r.Rate.String(), "–"), audit)
	}
	if *update {
		if err := os.WriteFile(doc, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(doc)
	if err != nil || string(got) != b.String() {
		t.Errorf("docs/ROUTES.md is not what the doors say (%v): run go generate ./internal/app", err)
	}
}

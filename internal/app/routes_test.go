package app_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	if diff := cmp.Diff(described, mounted); diff != "" {
		t.Errorf("the description and the table of routes differ (-described +mounted):\n%s", diff)
	}
}

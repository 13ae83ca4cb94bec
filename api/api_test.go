package api_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/wharfinger/wharfinger/api"
)

func load(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(api.Description())
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestDescriptionIsValidOpenAPI(t *testing.T) {
	t.Parallel()
	if err := load(t).Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestServedDescriptionIsTheWrittenOne(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var written, served any
	if err := yaml.Unmarshal(src, &written); err != nil {
		t.Fatal(err)
	}
	// Through JSON, so that numbers are of one type.
	text, err := json.Marshal(written)
	if err != nil {
		t.Fatal(err)
	}
	written = nil
	if err := json.Unmarshal(text, &written); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(api.Description(), &served); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(written, served); d != "" {
		t.Errorf("openapi.gen.json is stale, run `go generate ./api/...`:\n%s", d)
	}
}

// namedCodes reads the constants of wire/code.go, by name without "Code".
func namedCodes(t *testing.T) map[string]int {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "wire/code.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]int{}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			code, err := strconv.Atoi(types.ExprString(v.Values[0]))
			if err != nil {
				t.Fatal(err)
			}
			codes[strings.TrimPrefix(v.Names[0].Name, "Code")] = code
		}
		return true
	})
	return codes
}

func TestDescriptionListsTheCodesOfWire(t *testing.T) {
	t.Parallel()
	s := load(t).Components.Schemas["FailureCode"].Value
	names := s.Extensions["x-enum-varnames"].([]any)
	if n := len(s.Extensions["x-enum-descriptions"].([]any)); n != len(s.Enum) || len(names) != n {
		t.Fatalf("%d codes, %d names, %d descriptions", len(s.Enum), len(names), n)
	}
	described := map[string]int{"OK": 0}
	for i, c := range s.Enum {
		described[names[i].(string)] = int(c.(float64))
	}
	if d := cmp.Diff(namedCodes(t), described); d != "" {
		t.Errorf("wire/code.go and the schema FailureCode differ:\n%s", d)
	}
}

func TestEveryOperationNamesKnownCodes(t *testing.T) {
	t.Parallel()
	known := slices.Collect(maps.Values(namedCodes(t)))
	seen := map[string]bool{}
	for path, item := range load(t).Paths.Map() {
		for method, op := range item.Operations() {
			if op.OperationID == "" || seen[op.OperationID] {
				t.Errorf("%s %s: operationId %q is empty or taken", method, path, op.OperationID)
			}
			seen[op.OperationID] = true
			codes, _ := op.Extensions["x-codes"].([]any)
			for _, c := range codes {
				if !slices.Contains(known, int(c.(float64))) {
					t.Errorf("%s: code %v is not in wire", op.OperationID, c)
				}
			}
		}
	}
	if len(seen) < 29 {
		t.Errorf("only %d operations: %v", len(seen), slices.Sorted(maps.Keys(seen)))
	}
}

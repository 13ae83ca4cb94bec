package wire_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/wharfinger/wharfinger/api"
)

var validation = []openapi3.SchemaValidationOption{openapi3.EnableFormatValidation(), openapi3.MultiErrors()}

// checker compares answers with the description of the API.
type checker struct{ doc *openapi3.T }

var loadDescription = sync.OnceValues(func() (*openapi3.T, error) {
	return openapi3.NewLoader().LoadFromData(api.Description())
})

func newChecker(t *testing.T) *checker {
	t.Helper()
	doc, err := loadDescription()
	if err != nil {
		t.Fatal(err)
	}
	return &checker{doc}
}

// operation finds what a path below the prefix, without its query, is.
func (c *checker) operation(method, path string) *openapi3.Operation {
	names := strings.Split(path, "/")
	var best *openapi3.Operation
	literal := -1
	for template, item := range c.doc.Paths.Map() {
		parts := strings.Split(template, "/")
		n := 0
		fits := len(parts) == len(names)
		for i := 0; fits && i < len(parts); i++ {
			switch {
			case parts[i] == names[i]:
				n++
			case !strings.HasPrefix(parts[i], "{"):
				fits = false
			}
		}
		if fits && n > literal && item.GetOperation(method) != nil {
			best, literal = item.GetOperation(method), n
		}
	}
	return best
}

// answer says how an answer departs from the description.
func (c *checker) answer(req *http.Request, got answer) []string {
	path, ok := strings.CutPrefix(req.URL.Path, prefix)
	op := c.operation(req.Method, path)
	if !ok || op == nil || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") || len(got.body) == 0 {
		return nil
	}
	resp := op.Responses.Value(strconv.Itoa(got.status))
	if resp == nil {
		return []string{"description: " + op.OperationID + " has no status " + strconv.Itoa(got.status)}
	}
	media := resp.Value.Content.Get("application/json")
	if media == nil {
		return []string{"description: " + op.OperationID + " answers no JSON"}
	}
	var v any
	if err := json.Unmarshal(got.body, &v); err != nil {
		return []string{"description: " + err.Error()}
	}
	err := c.doc.ValidateSchemaJSON(schemaFor(media.Schema.Value, v), v, validation...)
	return explain(op.OperationID, err)
}

// schemaFor picks the branch of a reply by its code, so that the error names
// the field that is wrong and not all branches.
func schemaFor(s *openapi3.Schema, v any) *openapi3.Schema {
	reply, ok := v.(map[string]any)
	if !ok || len(s.OneOf) != 2 {
		return s
	}
	if reply["code"] == 0.0 {
		return s.OneOf[0].Value
	}
	return s.OneOf[1].Value
}

func explain(operation string, err error) []string {
	if err == nil {
		return nil
	}
	var many openapi3.MultiError
	if errors.As(err, &many) {
		var out []string
		for _, e := range many {
			out = append(out, explain(operation, e)...)
		}
		return out
	}
	text, _, _ := strings.Cut(err.Error(), "\n\nSchema:")
	return []string{"description of " + operation + ": " + strings.ReplaceAll(text, "\n", " ")}
}

func mustDecode(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

package desk

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/wharfinger/wharfinger/internal/errs"
)

var update = flag.Bool("update", false, "write docs/ERRORS.md anew")

const errorsDoc = "../../../docs/ERRORS.md"

const errorsIntro = `# Errors

<!-- Made from internal/door/desk/codes.go by go generate. Do not edit. -->

Every answer of the API is an envelope: ` + "`code`" + ` 0 is success; anything else is one of
the codes below, with ` + "`msg`" + ` for people and ` + "`correlation_id`" + `, by which the server's log
knows the request (` + "`request=…`" + `). The same reason stands in the log, and in the timeline
of an upload (` + "`wharf uploads show ID`" + `), as the word in the second column. Several reasons
may share a code, because clients of the protocol know no finer one; ` + "`msg`" + ` tells them
apart.

Whatever fails: a chunk that was acknowledged stays, and an upload goes on from there.

| Code | Reason | Message | Whose fault | Retry helps |
|---|---|---|---|---|
`

const errorsRest = `
An answer 40001 without ` + "`correlation_id`" + ` is for a request that could not be read at all. A
failure without a reason is a defect of the server (code -1) or a request that was given up
(code 50004); the log has its cause under the id of the request.
`

// describe writes the document of the table.
func describe() string {
	var b strings.Builder
	b.WriteString(errorsIntro)
	reasons := make([]errs.Reason, 0, len(answers))
	for r := range answers {
		reasons = append(reasons, r)
	}
	slices.SortFunc(reasons, func(x, y errs.Reason) int {
		return cmp.Or(cmp.Compare(answers[x].code, answers[y].code), cmp.Compare(x, y))
	})
	for _, r := range reasons {
		f := answers[r]
		msg := f.msg
		if msg == "" {
			msg = "*(told by the case)*"
		}
		fmt.Fprintf(&b, "| %d | [%s](#%s) | %s | %s | %s |\n", f.code, r, r, msg, f.whose, f.retry)
	}
	b.WriteString(errorsRest)
	for _, r := range reasons {
		f := answers[r]
		fmt.Fprintf(&b, "\n## %s\n\nCode %d. %s\n\n- Whose fault: %s\n- Retry helps: %s\n- What to do: %s\n",
			r, f.code, f.cause, f.whose, f.retry, f.remedy)
	}
	return b.String()
}

func TestTheListOfErrorsIsThatOfTheTable(t *testing.T) {
	want := describe()
	if *update {
		if err := os.WriteFile(errorsDoc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(errorsDoc)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/ERRORS.md is not what internal/door/desk/codes.go says: run go generate ./internal/door/rest")
	}
}

func TestEveryErrorSaysItsCauseWhoseFaultAndWhatToDo(t *testing.T) {
	t.Parallel()
	for r, f := range answers {
		if f.code == 0 || f.whose == "" || f.retry == "" || !strings.HasSuffix(f.cause, ".") || !strings.HasSuffix(f.remedy, ".") {
			t.Errorf("%s: %+v", r, f)
		}
	}
}

package wire_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// row is a line of testdata/answers.txt.
type row struct {
	status, code, inner string
	must                bool
}

func loadAnswers(t *testing.T) map[string]row {
	t.Helper()
	text, err := os.ReadFile("testdata/answers.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]row{}
	for line := range strings.Lines(string(text)) {
		w := strings.Fields(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(w) < 3 {
			t.Fatalf("answers.txt: %q", line)
		}
		a := row{status: w[1], code: w[2]}
		for _, more := range w[3:] {
			if more == "must" {
				a.must = true
			} else {
				a.inner = more
			}
		}
		all[w[0]] = a
	}
	return all
}

var (
	bodyCode = regexp.MustCompile(`"code":(-?\d+)`)
	better   = regexp.MustCompile(`^(-?\d+|-): (.{10,})$`)
)

// gives returns the code that an exchange must be answered with, and the code of
// what is inside a batch: "-" for what is no JSON.
func (w want) gives() (code, inner string) {
	switch w.verb {
	case "done":
		return "0", ""
	case "fail", "reject", "refuse":
		return w.code, ""
	}
	codes := bodyCode.FindAllStringSubmatch(w.body, 2)
	if len(codes) == 0 {
		return "-", ""
	}
	if len(codes) == 2 && strings.Contains(w.body, "aggregated_error") {
		inner = codes[1][1]
	}
	return codes[0][1], inner
}

// TestEveryAnswerOfTheReferenceIsGivenOrABetterOneWithItsReason: each row is answered
// by exactly one exchange. What clients branch on is answered as it is.
func TestEveryAnswerOfTheReferenceIsGivenOrABetterOneWithItsReason(t *testing.T) {
	t.Parallel()
	rows, found := loadAnswers(t), map[string]int{}
	for _, th := range loadThemes(t) {
		for _, g := range th.cases {
			for _, s := range g.steps {
				if s.answers == "" {
					continue
				}
				name, rest, _ := strings.Cut(s.answers, " ")
				line, ok := rows[name]
				if !ok {
					t.Errorf("%s/%s:%d: answers.txt has no row %q", th.name, g.name, s.line, name)
					continue
				}
				found[name]++
				code, inner := s.want.gives()
				if code == "-" && s.want.status != line.status {
					t.Errorf("%s: HTTP %s, want %s", name, s.want.status, line.status)
				}
				same := code == line.code && (line.inner == "" || inner == line.inner)
				switch why := better.FindStringSubmatch(rest); {
				case rest == "" && !same:
					t.Errorf("%s: answered with %s %s, not with %s %s, and no reason is given", name, code, inner, line.code, line.inner)
				case rest == "":
				case why == nil || same || line.must || why[1] != code:
					t.Errorf("%s: %q is no reason for %s in place of %s (must %t)", name, rest, code, line.code, line.must)
				}
			}
		}
	}
	for name := range rows {
		if found[name] != 1 {
			t.Errorf("%s: %d exchanges answer it, want one", name, found[name])
		}
	}
	t.Logf("%d rows", len(rows))
}

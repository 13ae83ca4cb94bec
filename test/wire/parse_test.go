package wire_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// theme is a file of cases.
type theme struct {
	name   string
	server map[string]string // settings of its server
	cases  []golden
}

// golden is a case.
type golden struct {
	answers   string // row that the next exchange answers
	name      string
	reference string // why ours differs from the reference server; "" if not
	local     bool   // needs a server in this process
	steps     []step
	text      string
}

// step is an exchange, or an order to the runner.
type step struct {
	answers string // row of answers.txt, and why it is answered otherwise
	line    int
	order   []string // "restart", "clock 25h", "set name expr"; nil for an exchange
	method  string
	path    string
	query   [][2]string
	as      string
	chunk   bool // without Content-Length
	header  [][2]string
	body    string
	want    want
}

// want is what an answer must be.
type want struct {
	verb   string // "", or done, fail, reject, refuse
	status string
	code   string
	msg    string // "" for any
	header [][2]string
	body   string // "" for any
}

func loadThemes(t *testing.T) []theme {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var themes []theme
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		th, err := parseTheme(strings.TrimSuffix(filepath.Base(file), ".txtar"), text)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		themes = append(themes, th)
	}
	return themes
}

func parseTheme(name string, text []byte) (theme, error) {
	ar := txtar.Parse(text)
	th := theme{name: name, server: map[string]string{}}
	for line := range strings.Lines(string(ar.Comment)) {
		if settings, ok := strings.CutPrefix(line, "server:"); ok {
			for _, word := range strings.Fields(settings) {
				key, value, _ := strings.Cut(word, "=")
				th.server[key] = value
			}
		}
	}
	seen := map[string]bool{}
	for _, f := range ar.Files {
		g, err := parseCase(f.Name, string(f.Data))
		if err != nil {
			return theme{}, err
		}
		if seen[g.name] {
			return theme{}, fmt.Errorf("%s: twice", g.name)
		}
		seen[g.name] = true
		th.cases = append(th.cases, g)
	}
	return th, nil
}

var headerLine = regexp.MustCompile(`^([A-Z][A-Za-z0-9-]*): ?(.*)$`)

func parseCase(name, text string) (golden, error) {
	g := golden{name: name, text: text}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); {
		n, s, err := g.parseLine(lines[i:])
		if err != nil {
			return g, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
		if s != nil {
			s.line = i + 1
			if s.order == nil {
				s.answers, g.answers = g.answers, ""
			}
			g.steps = append(g.steps, *s)
		}
		i += n
	}
	if len(g.steps) == 0 {
		return g, fmt.Errorf("%s: empty", name)
	}
	return g, nil
}

// parseLine reads what begins at the first of the lines and says how many it
// took.
func (g *golden) parseLine(lines []string) (int, *step, error) {
	line := lines[0]
	switch {
	case strings.TrimSpace(line) == "":
		return 1, nil, nil
	case strings.HasPrefix(line, "#"):
		if why, ok := strings.CutPrefix(line, "# reference:"); ok {
			g.reference = strings.TrimSpace(why)
		}
		if what, ok := strings.CutPrefix(line, "# answers:"); ok {
			g.answers = strings.TrimSpace(what)
		}
		return 1, nil, nil
	case strings.HasPrefix(line, "! "):
		g.local = true
		return 1, &step{order: strings.Fields(line[2:])}, nil
	case strings.HasPrefix(line, "= "):
		return 1, &step{order: append([]string{"set"}, strings.Fields(line[2:])...)}, nil
	case strings.HasPrefix(line, "> "):
		return parseExchange(lines)
	}
	return 0, nil, fmt.Errorf("cannot read %q", line)
}

func parseExchange(lines []string) (int, *step, error) {
	s := &step{as: "admin"}
	words := strings.Fields(lines[0][2:])
	if len(words) < 2 {
		return 0, nil, fmt.Errorf("no method and path in %q", lines[0])
	}
	s.method, s.path = words[0], words[1]
	for rest := words[2:]; len(rest) > 0; rest = rest[1:] {
		key, value, ok := strings.Cut(rest[0], "=")
		switch {
		case rest[0] == "as" && len(rest) > 1:
			s.as, rest = rest[1], rest[1:]
		case rest[0] == "chunked":
			s.chunk = true
		case ok:
			s.query = append(s.query, [2]string{key, value})
		default:
			return 0, nil, fmt.Errorf("cannot read %q", rest[0])
		}
	}
	n := 1
	n += parseMessage(lines[n:], &s.header, &s.body)
	if n >= len(lines) || !strings.HasPrefix(lines[n], "< ") {
		return 0, nil, fmt.Errorf("%q has no answer", lines[0])
	}
	if err := s.want.parse(lines[n][2:]); err != nil {
		return 0, nil, err
	}
	n++
	n += parseMessage(lines[n:], &s.want.header, &s.want.body)
	return n, s, nil
}

// parseMessage reads headers and a body, up to an empty line or the next mark.
func parseMessage(lines []string, header *[][2]string, body *string) int {
	n := 0
	for ; n < len(lines); n++ {
		m := headerLine.FindStringSubmatch(lines[n])
		if m == nil {
			break
		}
		*header = append(*header, [2]string{m[1], m[2]})
	}
	from := n
	for n < len(lines) && lines[n] != "" && !strings.HasPrefix(lines[n], "> ") && !strings.HasPrefix(lines[n], "< ") {
		n++
	}
	*body = strings.Join(lines[from:n], "\n")
	return n
}

func (w *want) parse(s string) error {
	verb, rest, _ := strings.Cut(s, " ")
	switch verb {
	case "done":
		w.verb, w.status, w.code = verb, "200", "0"
	case "fail", "reject", "refuse":
		w.verb, w.status = verb, "200"
		code, msg, _ := strings.Cut(rest, " ")
		w.code, w.msg = code, strings.Trim(strings.TrimSpace(msg), `"`)
		if code == "" {
			return fmt.Errorf("%q has no code", s)
		}
	default:
		w.status = verb
		if len(verb) != 3 || rest != "" {
			return fmt.Errorf("%q is not a status", s)
		}
	}
	return nil
}

package wire_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// decode reads exactly one JSON value and keeps numbers as they are written.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more follows after the value")
	}
	return v, nil
}

// matcher compares an answer with what is expected and keeps ${name:kind}.
type matcher struct {
	values values
	wrong  []string
}

func (m *matcher) fail(at, format string, args ...any) {
	m.wrong = append(m.wrong, strings.TrimPrefix(at, ".")+": "+fmt.Sprintf(format, args...))
}

func (m *matcher) match(at string, want, got any) {
	switch want := want.(type) {
	case string:
		m.matchString(at, want, got)
	case map[string]any:
		m.matchObject(at, want, got)
	case []any:
		m.matchList(at, want, got)
	default:
		if want != got {
			m.fail(at, "want %v, got %s", want, show(got))
		}
	}
}

func (m *matcher) matchString(at, want string, got any) {
	if whole := placeholder.FindStringSubmatch(want); whole != nil && whole[0] == want {
		keep, kind := whole[2], whole[3]
		if !fits(kind, got) {
			m.fail(at, "want a value of kind %s, got %s", kind, show(got))
			return
		}
		if keep != "" {
			m.values[keep] = fmt.Sprint(got)
		}
		return
	}
	s, ok := got.(string)
	if !ok {
		m.fail(at, "want %q, got %s", want, show(got))
		return
	}
	m.matchText(at, want, s)
}

// matchText compares texts that may hold placeholders among other text.
func (m *matcher) matchText(at, want, got string) {
	var pattern strings.Builder
	var keep []string
	last := 0
	for _, i := range placeholder.FindAllStringSubmatchIndex(want, -1) {
		part := placeholder.FindStringSubmatch(want[i[0]:i[1]])
		pattern.WriteString(regexp.QuoteMeta(want[last:i[0]]) + "(" + kinds[part[3]] + ")")
		keep = append(keep, part[2])
		last = i[1]
	}
	pattern.WriteString(regexp.QuoteMeta(want[last:]))
	found := regexp.MustCompile("^" + pattern.String() + "$").FindStringSubmatch(got)
	if found == nil {
		m.fail(at, "want %q, got %q", want, got)
		return
	}
	for i, name := range keep {
		if name != "" {
			m.values[name] = found[i+1]
		}
	}
}

func (m *matcher) matchObject(at string, want map[string]any, got any) {
	have, ok := got.(map[string]any)
	if !ok {
		m.fail(at, "want an object, got %s", show(got))
		return
	}
	_, open := want["..."]
	known := map[string]bool{}
	for _, key := range sortedKeys(want) {
		name, optional := strings.CutSuffix(key, "?")
		if key == "..." {
			continue
		}
		known[name] = true
		value, ok := have[name]
		switch {
		case ok:
			m.match(at+"."+name, want[key], value)
		case !optional:
			m.fail(at+"."+name, "missing")
		}
	}
	for _, key := range sortedKeys(have) {
		if !known[key] && !open {
			m.fail(at+"."+key, "not expected: %s", show(have[key]))
		}
	}
}

func (m *matcher) matchList(at string, want []any, got any) {
	have, ok := got.([]any)
	if !ok {
		m.fail(at, "want a list, got %s", show(got))
		return
	}
	if len(want) > 0 && want[0] == "..." {
		for _, w := range want[1:] {
			if !slices.ContainsFunc(have, func(h any) bool { return m.try(w, h) }) {
				m.fail(at, "nothing in it is %s; got %s", show(w), show(got))
			}
		}
		return
	}
	if len(want) != len(have) {
		m.fail(at, "want %d items, got %d: %s", len(want), len(have), show(got))
		return
	}
	for i := range want {
		m.match(fmt.Sprintf("%s[%d]", at, i), want[i], have[i])
	}
}

// try matches and keeps only if all of it fits.
func (m *matcher) try(want, got any) bool {
	probe := &matcher{values: values{}}
	if probe.match("", want, got); len(probe.wrong) > 0 {
		return false
	}
	for name, value := range probe.values {
		m.values[name] = value
	}
	return true
}

func fits(kind string, got any) bool {
	switch got := got.(type) {
	case json.Number:
		_, err := got.Int64()
		return kind == "any" || kind == "int" && err == nil
	case bool:
		return kind == "any" || kind == "bool"
	case []any:
		return kind == "any" || kind == "list"
	case map[string]any:
		return kind == "any" || kind == "object"
	case string:
		return kind != "int" && kinds[kind] != "" && regexp.MustCompile("^"+kinds[kind]+"$").MatchString(got)
	}
	return kind == "any"
}

func show(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(text) > 300 {
		return string(text[:300]) + "…"
	}
	return string(text)
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

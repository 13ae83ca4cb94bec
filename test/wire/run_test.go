package wire_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// prefix is where every path of a case begins.
const prefix = "/api/v4"

// runner runs the steps of one case.
type runner struct {
	server *server
	values values
	check  *checker // nil: do not compare with the description
}

func (r *runner) run(t *testing.T, g golden) {
	t.Helper()
	for _, s := range g.steps {
		if s.order != nil {
			if err := r.obey(t, s.order); err != nil {
				t.Fatalf("line %d: %v: %v", s.line, s.order, err)
			}
			continue
		}
		wrong, err := r.exchange(t.Context(), s)
		if err != nil {
			t.Fatalf("line %d: %s %s: %v", s.line, s.method, s.path, err)
		}
		if len(wrong) > 0 {
			t.Fatalf("line %d: %s %s:\n\t%s", s.line, s.method, s.path, strings.Join(wrong, "\n\t"))
		}
	}
}

func (r *runner) obey(t *testing.T, order []string) error {
	switch {
	case order[0] == "restart" && len(order) == 1:
		r.server.restart(t)
		return nil
	case order[0] == "local":
		return nil
	case order[0] == "folders" && len(order) == 3:
		n, err := strconv.Atoi(order[1])
		if err != nil {
			return err
		}
		uri, err := r.values.expand(order[2], func(v string) string { return v })
		if err == nil {
			r.server.folders(t, n, uri)
		}
		return err
	case order[0] == "clock" && len(order) == 2:
		d, err := time.ParseDuration(order[1])
		if err == nil {
			r.server.advance(t, d)
		}
		return err
	case order[0] == "set" && len(order) == 5 && order[2] == "repeat":
		n, err := r.values.calc(order[3])
		r.values[order[1]] = strings.Repeat(order[4], int(n))
		return err
	case order[0] == "set" && len(order) == 4 && order[2] == "totp":
		now := time.Now()
		if p := r.server.running; p != nil {
			now = p.config.Clock()
		}
		code, err := totp(r.values[order[3]], now)
		r.values[order[1]] = code
		return err
	case order[0] == "set" && len(order) == 3:
		n, err := r.values.calc(order[2])
		r.values[order[1]] = strconv.FormatInt(n, 10)
		return err
	}
	return fmt.Errorf("unknown order")
}

// totp is the code of RFC 6238 that an app shows for a secret.
func totp(secret string, now time.Time) (string, error) {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(secret, "="))
	h := hmac.New(sha1.New, key)
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(now.Unix()/30)))
	sum := h.Sum(nil)
	from := sum[19] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[from:from+4])&0x7fffffff%1_000_000), err
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (r *runner) exchange(ctx context.Context, s step) ([]string, error) {
	req, err := r.request(ctx, s)
	if err != nil {
		return nil, err
	}
	got, err := send(req)
	if err != nil {
		return nil, err
	}
	m := &matcher{values: r.values}
	if err := r.compare(m, s.want, got); err != nil {
		return nil, err
	}
	if r.check != nil {
		m.wrong = append(m.wrong, r.check.answer(req, got)...)
	}
	if len(m.wrong) > 0 {
		m.wrong = append(m.wrong, fmt.Sprintf("answer was %d %.600s", got.status, got.body))
	}
	return m.wrong, nil
}

func (r *runner) request(ctx context.Context, s step) (*http.Request, error) {
	target, err := r.target(s)
	if err != nil {
		return nil, err
	}
	text, err := r.values.expand(s.body, inJSON)
	if err != nil {
		return nil, err
	}
	body, err := r.bytes(text)
	if err != nil {
		return nil, err
	}
	var reader io.Reader = bytes.NewReader(body)
	if s.chunk {
		reader = struct{ io.Reader }{reader} // hides the length
	}
	req, err := http.NewRequestWithContext(ctx, s.method, target, reader)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(text, "{") {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range s.header {
		value, err := r.values.expand(h[1], plain)
		if err != nil {
			return nil, err
		}
		req.Header.Set(h[0], value)
	}
	token, err := r.token(s.as)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return req, nil
}

// token is the bearer token of a user by name, or the one that is given.
func (r *runner) token(as string) (string, error) {
	if u, ok := r.server.users[as]; ok {
		return u.token, nil
	}
	return r.values.expand(as, plain)
}

// target is the address of a step. An absolute one, which the server has made
// from its own idea of where it is, is asked of the server under test.
func (r *runner) target(s step) (string, error) {
	path, err := r.values.expand(s.path, plain)
	if err != nil {
		return "", err
	}
	if u, err := url.Parse(path); err == nil && u.Scheme != "" {
		path = u.RequestURI()
	} else if !strings.HasPrefix(path, "//") {
		path = prefix + path
	} else {
		path = path[1:] // "//x" is /x without the prefix
	}
	var query []string
	for _, q := range s.query {
		value, err := r.values.expand(q[1], plain)
		if err != nil {
			return "", err
		}
		query = append(query, url.QueryEscape(q[0])+"="+url.QueryEscape(value))
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	return r.server.url + path, nil
}

// bytes makes a body of its text.
func (r *runner) bytes(text string) ([]byte, error) {
	words := strings.Fields(text)
	if !strings.HasPrefix(text, "@") {
		return []byte(text), nil
	}
	switch words[0] {
	case "@empty":
		return nil, nil
	case "@text":
		return []byte(strings.TrimPrefix(strings.TrimPrefix(text, "@text"), " ")), nil
	case "@hex":
		return hex.DecodeString(strings.Join(words[1:], ""))
	case "@bytes":
		return r.generated(words[1:])
	}
	return nil, fmt.Errorf("unknown body %q", words[0])
}

func (r *runner) generated(words []string) ([]byte, error) {
	if len(words) != 2 && len(words) != 4 {
		return nil, fmt.Errorf("@bytes takes size and seed, and from and to")
	}
	n, err := r.values.calc(words[0])
	if err != nil {
		return nil, err
	}
	b := generated(n, words[1])
	if len(words) == 2 {
		return b, nil
	}
	from, err := r.values.calc(words[2])
	if err != nil {
		return nil, err
	}
	to, err := r.values.calc(words[3])
	if err != nil {
		return nil, err
	}
	if from < 0 || to > n || from > to {
		return nil, fmt.Errorf("[%d,%d) is not in %d bytes", from, to, n)
	}
	return b[from:to], nil
}

// client follows no redirect, and waits for no server that hangs.
var client = &http.Client{
	Timeout:       2 * time.Minute,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func send(req *http.Request) (answer, error) {
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, body}, err
}

func (r *runner) compare(m *matcher, w want, got answer) error {
	if status := strconv.Itoa(got.status); status != w.status {
		m.fail("status", "want %s, got %s", w.status, status)
	}
	for _, h := range w.header {
		value, err := r.values.expand(h[1], plain)
		if err != nil {
			return err
		}
		have := strings.Join(got.header.Values(h[0]), ", ")
		switch {
		case value != "${absent}" && got.header.Values(h[0]) == nil:
			m.fail(h[0], "missing")
		case value != "${absent}":
			m.matchText(h[0], value, have)
		case have != "":
			m.fail(h[0], "not expected: %s", have)
		}
	}
	if w.verb != "" {
		return r.compareEnvelope(m, w, got)
	}
	return r.compareBody(m, w.body, got)
}

func (r *runner) compareBody(m *matcher, body string, got answer) error {
	if body == "" {
		return nil
	}
	text, err := r.values.expand(body, inJSON)
	if err != nil {
		return err
	}
	if strings.HasPrefix(text, "@") {
		want, err := r.bytes(text)
		if err == nil && !bytes.Equal(want, got.body) {
			m.fail("body", "want %d bytes, got %d others", len(want), len(got.body))
		}
		return err
	}
	want, err := decode([]byte(text))
	if err != nil {
		return fmt.Errorf("expected body: %w", err)
	}
	have, err := decode(listed(got))
	if err != nil {
		m.fail("body", "not JSON: %v", err)
		return nil
	}
	m.match("", want, have)
	return nil
}

// listed makes one list of an answer that is a JSON value a line.
func listed(got answer) []byte {
	if !strings.HasPrefix(got.header.Get("Content-Type"), "application/x-ndjson") {
		return got.body
	}
	lines := bytes.Split(bytes.TrimSuffix(got.body, []byte("\n")), []byte("\n"))
	return slices.Concat([]byte("["), bytes.Join(lines, []byte(",")), []byte("]"))
}

// compareEnvelope is for answers without data.
func (r *runner) compareEnvelope(m *matcher, w want, got answer) error {
	have, err := decode(got.body)
	if err != nil {
		m.fail("body", "not JSON: %v", err)
		return nil
	}
	want := map[string]any{"code": json.Number(w.code), "msg": "${string}"}
	if w.msg != "" {
		if want["msg"], err = r.values.expand(w.msg, plain); err != nil {
			return err
		}
	}
	if reply, ok := have.(map[string]any); ok && strings.Contains(w.code, "|") {
		code := fmt.Sprint(reply["code"])
		if !slices.Contains(strings.Split(w.code, "|"), code) {
			m.fail("code", "want %s, got %s", w.code, code)
		}
		want["code"] = "${int}"
	}
	switch w.verb {
	case "done":
		want["msg"] = ""
	case "fail":
		want["correlation_id"] = "${uuid}"
	case "refuse":
		want["correlation_id?"] = "${uuid}"
	}
	m.match("", want, have)
	return nil
}

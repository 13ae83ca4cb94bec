package wire_test

import (
	"strings"
	"testing"
)

// A check that cannot fail proves nothing: these are answers that the runner
// must refuse.

func TestRunnerTellsAnswersApart(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, want, got string
		fits            bool
	}{
		{"same", `{"a":1,"b":[true,null,"x"]}`, `{"b":[true,null,"x"],"a":1}`, true},
		{"other number", `{"a":1}`, `{"a":2}`, false},
		{"number as text", `{"a":1}`, `{"a":"1"}`, false},
		{"text as number", `{"a":"1"}`, `{"a":1}`, false},
		{"null for missing", `{}`, `{"a":null}`, false},
		{"missing for null", `{"a":null}`, `{}`, false},
		{"key too many", `{"a":1}`, `{"a":1,"b":2}`, false},
		{"key too few", `{"a":1,"b":2}`, `{"a":1}`, false},
		{"open object", `{"a":1,"...":0}`, `{"a":1,"b":2}`, true},
		{"optional there", `{"a?":1}`, `{"a":1}`, true},
		{"optional there and other", `{"a?":1}`, `{"a":2}`, false},
		{"optional missing", `{"a?":1}`, `{}`, true},
		{"list in another order", `[1,2]`, `[2,1]`, false},
		{"list too long", `[1]`, `[1,2]`, false},
		{"list that contains", `["...",2]`, `[1,2,3]`, true},
		{"list that does not contain", `["...",4]`, `[1,2,3]`, false},
		{"uuid", `"${uuid}"`, `"5a1d8c0e-1111-4222-8333-944455556666"`, true},
		{"no uuid", `"${uuid}"`, `"5a1d8c0e"`, false},
		{"int", `"${int}"`, `12`, true},
		{"text is no int", `"${int}"`, `"12"`, false},
		{"fraction is no int", `"${int}"`, `1.5`, false},
		{"time", `"${time}"`, `"2026-11-22T12:11:57.967463665Z"`, true},
		{"time with an offset", `"${time}"`, `"2026-11-22T12:11:57+08:00"`, true},
		{"no time", `"${time}"`, `"1795435917"`, false},
		{"empty is no text", `"${text}"`, `""`, false},
		{"list", `"${list}"`, `[]`, true},
		{"null is no list", `"${list}"`, `null`, false},
		{"inside text", `"a ${id} b"`, `"a x9 b"`, true},
		{"inside text, other", `"a ${id} b"`, `"a - b"`, false},
		{"digest", `"${digest}"`, `"crc64nvme=:rosUhgp5mIg=:"`, true},
		{"no digest", `"${digest}"`, `"crc64nvme=rosUhgp5mIg="`, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want, err := decode([]byte(c.want))
			if err != nil {
				t.Fatal(err)
			}
			got, err := decode([]byte(c.got))
			if err != nil {
				t.Fatal(err)
			}
			m := &matcher{values: values{}}
			if m.match("", want, got); c.fits != (len(m.wrong) == 0) {
				t.Errorf("fits is %v: %v", len(m.wrong) == 0, m.wrong)
			}
		})
	}
}

func TestRunnerKeepsAndCalculates(t *testing.T) {
	t.Parallel()
	m := &matcher{values: values{"chunk": "65536"}}
	m.match("", map[string]any{"a": "${sid:uuid}", "b": "x${n:int}y"}, map[string]any{"a": "5a1d8c0e-1111-4222-8333-944455556666", "b": "x12y"})
	if len(m.wrong) > 0 {
		t.Fatal(m.wrong)
	}
	got, err := m.values.expand(`${sid} ${=2*chunk+n-1} ${int} ${k:int}`, plain)
	if want := "5a1d8c0e-1111-4222-8333-944455556666 131083 ${int} ${k:int}"; err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := m.values.expand(`${nope}`, plain); err == nil {
		t.Errorf("an unknown name gave %q", got)
	}
}

func TestRunnerRefusesCasesItCannotRead(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":           "",
		"no answer":       "> GET /file\n",
		"no path":         "> GET\n< done\n",
		"unknown word":    "> GET /file quickly\n< done\n",
		"unknown status":  "> GET /file\n< fine\n",
		"code is missing": "> GET /file\n< fail\n",
		"stray line":      "GET /file\n",
	} {
		if g, err := parseCase(name, text); err == nil {
			t.Errorf("%s: %+v", name, g)
		}
	}
}

func TestDescriptionIsHeldAgainstAnswers(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	op := c.operation("GET", "/user/capacity")
	if op == nil || c.operation("PUT", "/file/content").OperationID != "putContent" || c.operation("GET", "/file/upload/x").OperationID != "showUpload" {
		t.Fatal("operations are not found")
	}
	schema := op.Responses.Value("200").Value.Content.Get("application/json").Schema.Value
	check := func(text string, fits bool) {
		v := mustDecode(t, text)
		err := c.doc.ValidateSchemaJSON(schemaFor(schema, v), v, validation...)
		if fits != (err == nil) {
			t.Errorf("%s: %v", text, strings.Join(explain("op", err), "; "))
		}
	}
	for _, text := range []string{
		`{"code":0,"data":{"total":1,"used":1,"reserved":0},"msg":""}`,
		`{"code":401,"msg":"Login required","correlation_id":"5a1d8c0e-1111-4222-8333-944455556666"}`,
		`{"code":40073,"data":[{"type":0,"owner":{"application":{"type":"upload"}}}],"msg":"Conflict"}`,
	} {
		check(text, true)
	}
	for _, text := range []string{
		`{"code":0,"data":{"total":1,"used":1},"msg":""}`,
		`{"code":0,"data":{"total":"1","used":1,"reserved":0},"msg":""}`,
		`{"code":0,"data":{"total":1.5,"used":1,"reserved":0},"msg":""}`,
		`{"code":0,"data":{"total":1,"used":1,"reserved":0}}`,
		`{"code":12345,"msg":""}`,
		`{"code":40073,"data":[{"type":0}],"msg":"Lock conflict"}`,
	} {
		check(text, false)
	}
}

package hostile_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/internal/core"
)

const batchKind = "application/vnd.wharfinger.batch"

// batched is the answer of a batch: by file, and of the batch.
type batched struct {
	code  int // of a refusal as a whole; 0 if there were lines
	files map[int]int
	end   int
	ended bool
}

// batch sends a manifest and what follows it.
func (w *world) batch(who, manifest, frames string) batched {
	w.t.Helper()
	r := w.send(sent{
		who: who, method: "POST", path: "/file/batch", header: map[string]string{"Content-Type": batchKind},
		body: strings.NewReader(manifest + "\n" + frames),
	})
	if !strings.HasPrefix(r.header.Get("Content-Type"), "application/x-ndjson") {
		return batched{code: r.code}
	}
	out := batched{files: map[int]int{}}
	for lines := bufio.NewScanner(strings.NewReader(r.body)); lines.Scan(); {
		var line struct {
			Index *int
			Code  int
			Done  *int
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			w.t.Fatalf("%q: %v", lines.Text(), err)
		}
		switch {
		case line.Done != nil:
			out.end, out.ended = line.Code, true
		case line.Index != nil:
			if _, twice := out.files[*line.Index]; twice {
				w.t.Errorf("file %d is answered twice: %s", *line.Index, r.body)
			}
			out.files[*line.Index] = line.Code
		}
	}
	return out
}

func manifest(uris ...string) string {
	var m struct {
		Files []map[string]any `json:"files"`
	}
	for _, u := range uris {
		m.Files = append(m.Files, map[string]any{"uri": u, "size": 1})
	}
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestABatchIsNoWayRoundWhatUploadsAreHeldTo is H1 to H22 for files that come
// together: names, paths, whose drive, lengths, digests.
func TestABatchIsNoWayRoundWhatUploadsAreHeldTo(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.put(admin, "cloudreve://my/kept.txt", "kept")
	var me struct{ ID string }
	w.must(admin, "GET", "/user/me", nil, &me)
	// What was refused for its name alone is dead in its pack, and compacted later.
	state := func() map[string]string {
		all := w.state()
		maps.DeleteFunc(all, func(key, _ string) bool { return strings.HasPrefix(key, "file /storage/packs/") })
		return all
	}
	before := state()

	for what, b := range map[string]batched{
		"nobody":          w.batch("", manifest("cloudreve://my/a"), "0 1\na"),
		"no line feed":    {code: w.send(sent{who: admin, method: "POST", path: "/file/batch", header: map[string]string{"Content-Type": batchKind}, body: strings.NewReader(`{"files":[]}`)}).code},
		"not JSON":        w.batch(admin, "[[[", ""),
		"no object":       w.batch(admin, `[]`, ""),
		"manifest > 4MiB": w.batch(admin, `{"files":[{"uri":"`+strings.Repeat("a", 4<<20)+`"}]}`, ""),
		"5,000 files":     w.batch(admin, manifest(strings.Fields(strings.Repeat("cloudreve://my/x ", 5000))...), ""),
	} {
		if b.code == 0 {
			t.Errorf("%s: was taken: %+v", what, b)
		}
	}
	r := w.send(sent{who: admin, method: "POST", path: "/file/batch", body: strings.NewReader("{}\n"), header: map[string]string{"Content-Type": "application/json"}})
	if r.status != 415 {
		t.Errorf("another type of body: HTTP %d, %s", r.status, r.body)
	}

	for uri, code := range map[string]int{
		"cloudreve://my/a%00b": 40052, "cloudreve://my/a%0Ab": 40052, "cloudreve://my/a%E2%80%AEb": 40052, "cloudreve://my/a%FFb": 40052,
		"cloudreve://my/f.txt%3A%3A%24DATA": 40052, "cloudreve://my/" + strings.Repeat("a", 256): 40052,
		"": 40001, "/etc/passwd": 40001, "cloudreve://my/%zz": 40001, "cloudreve://nowhere/a": -1, "cloudreve://trash/a": 403,
		"cloudreve://my": 40004, "cloudreve://my/kept.txt": 40004, "cloudreve://my/kept.txt/below": 403,
	} {
		if b := w.batch(admin, manifest(uri), "0 1\na"); b.files[0] != code || b.end != 0 || !b.ended {
			t.Errorf("%.40q: %+v, want %d", uri, b, code)
		}
	}
	if b := w.batch(bob, manifest("cloudreve://"+me.ID+"@my/bobs"), "0 1\na"); b.files[0] != 403 {
		t.Errorf("into the drive of another: %+v", b)
	}
	for what, file := range map[string]string{
		"negative size": `{"uri":"cloudreve://my/a","size":-1}`, "too large": `{"uri":"cloudreve://my/a","size":262145}`,
		"unknown purpose": `{"uri":"cloudreve://my/a","size":1,"entity_type":"thumbnail"}`, "no digest": `{"uri":"cloudreve://my/a","size":1,"repr_digest":"crc64nvme=:"}`,
		"a wrong digest": `{"uri":"cloudreve://my/a","size":1,"repr_digest":"crc64nvme=:AAAAAAAAAAA=:"}`,
	} {
		if b := w.batch(admin, `{"files":[`+file+`]}`, "0 1\na"); b.files[0] == 0 {
			t.Errorf("%s: %+v", what, b)
		}
	}
	if diff := cmp.Diff(before, state()); diff != "" {
		t.Errorf("something was stored (-before +after):\n%s", diff)
	}
}

// TestFramesThatLieEndTheirBatch: of what follows a lie nobody can say what it is.
func TestFramesThatLieEndTheirBatch(t *testing.T) {
	t.Parallel()
	w := open(t)
	two := func(i int) string {
		return manifest(fmt.Sprintf("cloudreve://my/%d-a", i), fmt.Sprintf("cloudreve://my/%d-b", i))
	}
	for i, frames := range []string{
		"0 2\naa1 1\nb", "7 1\na", "0 1\na0 1\na", "-1 1\na", "0 1\n", "0 99999999999999999999\na", "x", "0 0x1\na", "0  1\na", "00 1\na", strings.Repeat("9", 100),
	} {
		b := w.batch(admin, two(i), frames)
		if !b.ended || b.end == 0 && b.files[0] == 0 && b.files[1] == 0 && len(b.files) == 2 {
			t.Errorf("%q: %+v", frames, b)
		}
		for index, name := range []string{"a", "b"} {
			there := w.call(admin, "GET", fmt.Sprintf("/file/info?uri=cloudreve://my/%d-%s", i, name), nil).code == 0
			code, told := b.files[index]
			if stored := told && code == 0; there != stored {
				t.Errorf("%q: file %s is there: %v, and was answered: %v (%d)", frames, name, there, told, code)
			}
		}
	}
	if b := w.batch(admin, manifest("cloudreve://my/%C3%A9", "cloudreve://my/e%CC%81", "cloudreve://my/fine"), "1 1\nb2 1\nc0 1\na"); b.files[0] != 0 || b.files[1] == 0 || b.files[2] != 0 || b.end != 0 {
		t.Errorf("frames in another order and a name given twice: %+v", b)
	}
}

// TestABatchTakesNoByteOverTheQuota, whichever of its files come first.
func TestABatchTakesNoByteOverTheQuota(t *testing.T) {
	t.Parallel()
	w := open(t)
	const poor = "poor@h.test"
	if _, err := w.app.AddUser(t.Context(), app.NewUser{Email: poor, Password: core.Secret(password), Quota: 100}); err != nil {
		t.Fatal(err)
	}
	w.signIn(poor)
	var m, frames strings.Builder
	m.WriteString(`{"files":[`)
	for i := range 20 {
		if i > 0 {
			m.WriteString(",")
		}
		fmt.Fprintf(&m, `{"uri":"cloudreve://my/%d","size":30}`, i)
		fmt.Fprintf(&frames, "%d 30\n%s", i, strings.Repeat("x", 30))
	}
	b := w.batch(poor, m.String()+"]}", frames.String())
	stored := 0
	for _, code := range b.files {
		switch code {
		case 0:
			stored++
		case 40051:
		default:
			t.Errorf("refused with %d", code)
		}
	}
	var c struct{ Used, Total int64 }
	w.must(poor, "GET", "/user/capacity", nil, &c)
	if stored != 3 || c.Used != 90 || len(b.files) != 20 {
		t.Errorf("%d stored, %d of %d bytes used, %d answered", stored, c.Used, c.Total, len(b.files))
	}
}

package hostile_test

import (
	"archive/zip"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// archive asks for one and returns the path of its address.
func (w *world) archive(who string, uris ...string) (reply, string) {
	w.t.Helper()
	var got struct{ URLs []struct{ URL string } }
	r := w.call(who, "POST", "/file/url", map[string]any{"uris": uris, "archive": true})
	if r.code != 0 {
		return r, ""
	}
	w.must(who, "POST", "/file/url", map[string]any{"uris": uris, "archive": true}, &got)
	u, err := url.Parse(got.URLs[0].URL)
	if err != nil {
		w.t.Fatal(err)
	}
	return r, u.RequestURI()
}

func TestAnArchiveHasWhatWasChosenAndNothingElse(t *testing.T) {
	t.Parallel()
	w := open(t)
	big := strings.Repeat("0123456789abcdef", 40_000) // more than a pack takes
	for uri, content := range map[string]string{
		"cloudreve://my/d/a.txt": "a", "cloudreve://my/d/sub/b%20%C3%A9.txt": "b", "cloudreve://my/d/big": big, "cloudreve://my/d/empty": "",
		"cloudreve://my/other/a.txt": "another a", "cloudreve://my/secret": "not chosen",
	} {
		w.put(admin, uri, content)
	}
	w.must(admin, "POST", "/file/create", map[string]any{"uri": "cloudreve://my/d/hollow", "type": "folder"}, nil)
	w.begin(admin, "cloudreve://my/d/unfinished", 10)

	_, path := w.archive(admin, "cloudreve://my/d", "cloudreve://my/other/a.txt", "cloudreve://my/d/a.txt")
	r := w.send(sent{method: "GET", path: path})
	if r.status != 200 || r.header.Get("Content-Type") != "application/zip" {
		t.Fatalf("HTTP %d, %q: %.200s", r.status, r.header.Get("Content-Type"), r.body)
	}
	z, err := zip.NewReader(strings.NewReader(r.body), int64(len(r.body)))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range z.File {
		body, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(body) // checks the CRC
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		got[f.Name] = string(text)
	}
	want := map[string]string{
		"d/": "", "d/a.txt": "a", "d/sub/": "", "d/sub/b é.txt": "b", "d/big": big, "d/empty": "", "d/hollow/": "", "a.txt": "another a", "a (2).txt": "a",
	}
	for name, content := range want {
		if text, there := got[name]; !there || text != content {
			t.Errorf("%q: there %v, %d bytes, want %d", name, there, len(text), len(content))
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d entries, want %d: %.300v", len(got), len(want), got)
	}
}

func TestArchivesAreForThoseWhoMayReadWhatIsInThem(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.put(admin, "cloudreve://my/a", "a")
	w.put(bob, "cloudreve://my/a", "a")
	for what, c := range map[string]struct {
		who, uri string
		code     int
	}{
		"nobody": {"", "cloudreve://my/a", 401}, "a group that may not": {bob, "cloudreve://my/a", 403}, "what is not there": {admin, "cloudreve://my/none", 40016},
	} {
		if r, _ := w.archive(c.who, c.uri); r.code != c.code {
			t.Errorf("%s: %s, want %d", what, r.body, c.code)
		}
	}
	_, path := w.archive(admin, "cloudreve://my/a")
	unsigned, _, _ := strings.Cut(path, "?")
	for what, bad := range map[string]string{
		"without a signature":  unsigned,
		"of another selection": strings.Replace(path, "/archive/", "/archive/0", 1),
	} {
		if r := w.send(sent{who: admin, method: "GET", path: bad}); r.code != 403 && r.code != 40071 {
			t.Errorf("%s: HTTP %d, %.100s", what, r.status, r.body)
		}
	}
	// What was taken away since is not in it.
	w.must(admin, "DELETE", "/file", map[string]any{"uris": []string{"cloudreve://my/a"}, "skip_soft_delete": true}, nil)
	if r := w.send(sent{method: "GET", path: path}); r.code != 40016 {
		t.Errorf("a deleted file: HTTP %d, %.100s", r.status, r.body)
	}
}

// TestAnArchiveOfADamagedFileIsBrokenAndKnownToBe: a good zip must never hold less
// than was asked for.
func TestAnArchiveOfADamagedFileIsBrokenAndKnownToBe(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.put(admin, "cloudreve://my/d/a", strings.Repeat("a", 400<<10))
	w.put(admin, "cloudreve://my/d/b", strings.Repeat("b", 500<<10))
	_, path := w.archive(admin, "cloudreve://my/d")
	cut := false
	err := filepath.WalkDir(w.dir, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		i, err := e.Info()
		if err == nil && i.Size() >= 500<<10 && strings.Contains(name, "storage") {
			cut = true
			err = os.Truncate(name, 1000)
		}
		return err
	})
	if err != nil || !cut {
		t.Fatal("the file to break was not found: ", err)
	}
	resp, err := w.http.Get(w.url + path)
	if err != nil {
		return // not even a header came
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode == 200 {
		_, zerr := zip.NewReader(strings.NewReader(string(body)), int64(len(body)))
		t.Errorf("an archive of %d bytes came to its end, and reads as a zip: %v", len(body), zerr)
	}
}

package keep

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/client/pace"
)

func TestTheWayToAServerIsRemembered(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("WHARF_CONFIG", dir+"/")
	w := FindWay("https://Files.example.org/sub")
	w.Keep()
	if _, err := os.Stat(filepath.Join(dir, "ways.json")); err == nil {
		t.Error("keeps what it did not learn")
	}
	w.Size.Passed(960<<10, time.Second)
	w.Size.Refused(1920<<10, "nginx")
	w.Keep()
	again := FindWay("https://files.example.org")
	if note := again.Size.Limit(25 << 20); !strings.Contains(note, "nginx") {
		t.Errorf("the next command knows %q", note)
	}
	if FindWay("https://other.example.org").Size.Limit(25<<20) != "" {
		t.Error("another server has the same limit")
	}
	st, err := os.Stat(filepath.Join(dir, "ways.json"))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", st, err)
	}
}

func TestTheWaysHaveABoundAndMayBeDamaged(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("WHARF_CONFIG", dir+"/")
	file := filepath.Join(dir, "ways.json")
	for _, text := range []string{"", "null", "[]", "{", `{"http://h":5}`, `{"http://h":{"passed":-1}}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if n := FindWay("http://h").Size.Piece(); n != 960<<10 {
			t.Errorf("%s: begins with %d", text, n)
		}
	}
	w := FindWay("http://new")
	all := map[string]pace.Origin{}
	for i := range mostWays + 20 {
		all[fmt.Sprint("http://h", i)] = pace.Origin{Passed: 1, At: time.Unix(int64(i), 0)}
	}
	if err := replaceFile(file, all); err != nil {
		t.Fatal(err)
	}
	w.Size.Passed(http.DefaultMaxHeaderBytes, time.Second)
	w.Keep()
	all = w.read()
	_, oldest := all["http://h0"]
	_, newest := all[fmt.Sprint("http://h", mostWays+19)]
	if _, ours := all["http://new"]; len(all) != mostWays || oldest || !newest || !ours {
		t.Errorf("%d ways are kept, the oldest %v, the newest %v, the new one %v", len(all), oldest, newest, ours)
	}
}

package e2e_test

import (
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/rig"
)

// treeFiles is how many real files go up at once.
const treeFiles = 3000

// TestThreeThousandRealFilesArriveAsTheyAre sends part of Go's own source tree, kills
// client and server once on the way, and compares the digest of every file.
func TestThreeThousandRealFilesArriveAsTheyAre(t *testing.T) {
	long(t)

	root := filepath.Join(t.TempDir(), "src")
	want, total := copyTree(t, root, treeFiles)

	srv := rig.NewServer(t)
	srv.Start()
	line := newProxy(t, srv.URL())
	person := newCLI(t, line.url)

	line.at(total/3, func() { srv.Bounce(300 * time.Millisecond) })
	line.at(2*total/3, person.kill)

	began := time.Now()
	runs := putUntilDone(t, person, "-r", root, "/")
	_, posts, _ := line.totals()
	t.Logf("%d files, %d bytes in %.1f s by %d client runs, %d batches and %d chunks sent", len(want), total, time.Since(began).Seconds(), runs, line.batches(), posts)
	if n := line.batches(); n == 0 || n+posts > treeFiles/10 {
		t.Errorf("%d batches and %d chunks: the small files did not go together", n, posts)
	}
	if n := line.pending(); n > 0 {
		t.Errorf("%d kills never came", n)
	}

	srv.Kill()
	srv.Start()
	direct := rig.NewAPI(t, srv.URL())
	got := download(t, direct, "cloudreve://my/src")

	for name, sum := range want {
		switch got[name] {
		case sum:
		case "":
			t.Errorf("%s is not there", name)
		default:
			t.Errorf("%s: SHA-256 %s came back, %s was sent", name, got[name], sum)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is there, and was never sent", name)
		}
	}
	if used, reserved := direct.Capacity(); used != total || reserved != 0 {
		t.Errorf("capacity says %d used, %d reserved; want %d and 0", used, reserved, total)
	}
	for _, line := range line.sentAgain() {
		t.Error(line)
	}
	if n := len(direct.Unfinished()); n != 0 {
		t.Errorf("%d uploads are still unfinished", n)
	}
}

// copyTree copies n files from all over Go's source tree and returns their digests by
// name.
func copyTree(t *testing.T, to string, n int) (sums map[string]string, total int64) {
	t.Helper()

	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	from := filepath.Join(strings.TrimSpace(string(out)), "src")
	var names []string
	err = filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Type().IsRegular() {
			rel, err := filepath.Rel(from, name)
			names = append(names, rel)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < n {
		t.Fatalf("%s has only %d files", from, len(names))
	}
	slices.Sort(names)

	sums = map[string]string{}
	for i := range n {
		name := names[i*len(names)/n]
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, text, 0o644); err != nil {
			t.Fatal(err)
		}
		sums[filepath.ToSlash(name)] = fileSum(t, target)
		total += int64(len(text))
	}
	return sums, total
}

// download fetches everything below a folder, a few at a time, and returns the digests
// by name.
func download(t *testing.T, a *rig.API, folder string) map[string]string {
	t.Helper()

	var mu sync.Mutex
	sums := map[string]string{}
	work := make(chan rig.File)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for f := range work {
				sum, err := a.Sum(f.Path)
				if err != nil {
					t.Error(err)
					continue
				}
				name, err := url.PathUnescape(strings.TrimPrefix(f.Path, folder+"/"))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				sums[path.Clean(name)] = sum
				mu.Unlock()
			}
		})
	}
	for _, f := range a.List(folder) {
		if f.Type == 0 {
			work <- f
		}
	}
	close(work)
	workers.Wait()
	return sums
}

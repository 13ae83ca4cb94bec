package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wharfinger/wharfinger/test/emu/gateway"
	"github.com/wharfinger/wharfinger/test/rig"
)

// bucket is a store of the S3 family with one bucket, and the key to it.
type bucket struct {
	*gateway.Server
	dir    string // of the bucket
	secret string // file
}

func newBucket(t *testing.T) *bucket {
	t.Helper()
	root := t.TempDir()
	b := &bucket{dir: filepath.Join(root, "files"), secret: filepath.Join(t.TempDir(), "secret")}
	if err := os.Mkdir(b.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.secret, []byte(gateway.Secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if b.Server, err = gateway.Start(root, ""); err != nil {
		t.Skip(err)
	}
	t.Cleanup(b.Stop)
	return b
}

// serve makes the bucket the place of the administrators' files.
func (b *bucket) serve(srv interface{ Admin(args ...string) }, more ...string) {
	srv.Admin(append([]string{
		"policy", "add", "Bucket", "--type", "s3", "--endpoint", "http://" + b.Addr, "--region", gateway.Region, "--bucket", "files",
		"--access-key", gateway.Access, "--secret-key-file", b.secret, "--path-style",
	}, more...)...)
	srv.Admin("group", "set", "Admin", "--policy", "Bucket")
}

// objects returns the sizes of what is stored in the bucket, by the digest of
// the bytes.
func (b *bucket) objects(t *testing.T) map[[32]byte]int {
	t.Helper()
	found := map[[32]byte]int{}
	err := filepath.WalkDir(b.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.Contains(path, ".sgwtmp") {
			return err
		}
		data, err := os.ReadFile(path)
		found[sha256.Sum256(data)] = len(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// filesIn lists the files below a folder.
func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestAPolicyOfABucketIsTriedStepByStep runs the test of a policy against a real
// store, with the right key and with a wrong one.
func TestAPolicyOfABucketIsTriedStepByStep(t *testing.T) {
	long(t)
	b, srv := newBucket(t), rig.NewServer(t)
	b.serve(srv)
	srv.Start()
	srv.Admin("policy", "cors", "Bucket", "--site-url", srv.URL())
	test := func(name string) ([]byte, error) {
		cmd := exec.Command(rig.Binary, "policy", "test", name, "--data", srv.Data, "--site-url", srv.URL())
		cmd.Env = rig.Environment(t)
		return cmd.CombinedOutput()
	}
	out, _ := test("Bucket") // of all that it tries, nobody outside can reach this machine
	if bytes.Count(out, []byte("FAILED")) != 1 || !bytes.Contains(out, []byte("which nobody outside can reach")) || bytes.Count(out, []byte("ok  ")) < 11 {
		t.Errorf("with the right key:\n%s", out)
	}
	if left := b.objects(t); len(left) > 0 {
		t.Errorf("the test left %d objects", len(left))
	}

	if err := os.WriteFile(b.secret, []byte("another key"), 0o600); err != nil {
		t.Fatal(err)
	}
	srv.Admin("policy", "add", "Wrong", "--type", "s3", "--endpoint", "http://"+b.Addr, "--region", gateway.Region, "--bucket", "files",
		"--access-key", gateway.Access, "--secret-key-file", b.secret, "--path-style", "--relay")
	out, err := test("Wrong")
	if err == nil || !bytes.Contains(out, []byte("FAILED  store an object")) || bytes.Contains(out, []byte("another key")) {
		t.Errorf("with a wrong key: %v\n%s", err, out)
	}
}

// TestARelayedUploadSurvivesAKillOnItsWayToTheBucket sends a file in chunks that
// are smaller than the store takes, and kills the server in the middle.
func TestARelayedUploadSurvivesAKillOnItsWayToTheBucket(t *testing.T) {
	long(t)
	b, srv := newBucket(t), rig.NewServer(t)
	b.serve(srv, "--relay", "--chunk-size", "1MiB")
	srv.Start()

	const size = 70<<20 + 123
	name := filepath.Join(t.TempDir(), "big")
	sum := randomFile(t, name, size, seed(t))
	line := newProxy(t, srv.URL())
	person := newCLI(t, line.url)
	line.at(size/2, func() { srv.Bounce(0) })
	putUntilDone(t, person, name, "/")
	if n := line.pending(); n > 0 {
		t.Errorf("%d kills never came", n)
	}

	direct := rig.NewAPI(t, srv.URL())
	if got := download(t, direct, "cloudreve://my")["big"]; got != sum {
		t.Errorf("SHA-256 %s came back, %s was sent", got, sum)
	}
	if n := len(b.objects(t)); n != 1 {
		t.Errorf("%d objects in the bucket", n)
	}
	if left := filesIn(t, filepath.Join(srv.Data, "relay")); len(left) > 0 {
		t.Errorf("left on the disk: %q", left)
	}
}

package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/rig"
)

const (
	linkInside = "WHARF_LINK_INSIDE"
	linkRate   = 100e6 / 8 // bytes a second
)

// TestAShapedLinkIsUsed sends a file over a link of 100 Mbit/s: the loopback of a
// network namespace of its own, shaped by tc. It measures time, so it runs only
// when it is asked to (make bench-link), and only as root.
func TestAShapedLinkIsUsed(t *testing.T) {
	if os.Getenv("WHARF_LINK") == "" {
		t.Skip("measures time; WHARF_LINK=1 asks for it")
	}
	if os.Getenv(linkInside) == "" {
		cmd := exec.Command("unshare", "-n", os.Args[0], "-test.run=^TestAShapedLinkIsUsed$", "-test.v")
		cmd.Env = append(os.Environ(), linkInside+"=1")
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(out), "--- PASS") {
			t.Skip("not here, see above")
		}
		return
	}
	for _, line := range []string{
		"ip link set lo up mtu 1500",
		"tc qdisc add dev lo root tbf rate 100mbit burst 64k latency 100ms",
	} {
		args := strings.Fields(line)
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Skipf("no link can be shaped here: %s: %v %s", line, err, out)
		}
	}
	size := int64(300 << 20)
	dir := t.TempDir()
	big := filepath.Join(dir, "big.bin")
	want := randomFile(t, big, size, seed(t))
	srv := rig.NewServer(t)
	srv.Start()
	person := newCLI(t, srv.URL())
	began := time.Now()
	said := person.must("put", big, "/")
	took := time.Since(began)
	share := float64(size) / took.Seconds() / linkRate
	t.Logf("%d MiB in %.2f s: %.1f Mbit/s of the file, %.1f %% of the link\n%s",
		size>>20, took.Seconds(), share*100, share*100, said)
	if share < 0.9 {
		t.Errorf("%.1f %% of the link is used, want 90 %%", share*100)
	}
	if got, err := rig.NewAPI(t, srv.URL()).Sum("cloudreve://my/big.bin"); err != nil || got != want {
		t.Errorf("the API gives SHA-256 %s, %v; sent was %s", got, err, want)
	}
}

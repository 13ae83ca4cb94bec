package e2e_test

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/rig"
)

// chunkSize keeps the number of chunks large also for the short run.
const chunkSize = 5 << 20

// TestAnUploadSurvivesKill9OfBothSides sends one big file with the client under test
// while the server is killed three times and the client once, each in the middle of a
// chunk. The file must arrive whole, and no chunk that the server acknowledged may be
// sent again.
func TestAnUploadSurvivesKill9OfBothSides(t *testing.T) {
	long(t)

	size := bigSize(t) + 4097 // the last chunk is an odd one
	rnd := rand.New(rand.NewPCG(seed(t), 1))
	dir := t.TempDir()
	big := filepath.Join(dir, "big.bin")
	want := randomFile(t, big, size, rnd.Uint64())

	srv := rig.NewServer(t)
	srv.Admin("policy", "set", "default", "--chunk-size", "5MiB")
	srv.Start()
	line := newProxy(t, srv.URL())
	person := newCLI(t, line.url)

	// Somewhere in each of four quarters; the client's turn is a random one of them.
	clientsTurn := rnd.IntN(4)
	for quarter := range 4 {
		at := size/4*int64(quarter) + rnd.Int64N(size/5) + size/40
		pause := time.Duration(100+rnd.IntN(900)) * time.Millisecond
		if quarter == clientsTurn {
			line.at(at, person.kill)
		} else {
			line.at(at, func() { srv.Bounce(pause) })
		}
	}

	began := time.Now()
	runs := putUntilDone(t, person, big, "/")
	took := time.Since(began)

	acknowledged, posts, passed := line.totals()
	chunks := int((size + chunkSize - 1) / chunkSize)
	t.Logf("%d bytes, %d chunks, in %.1f s by %d client runs: %d chunks acknowledged, %d POSTs, %d bytes passed (%.1f %% more than the file)",
		size, chunks, took.Seconds(), runs, acknowledged, posts, passed, 100*float64(passed-size)/float64(size))

	if n := line.pending(); n > 0 {
		t.Errorf("%d kills never came: the upload passed fewer bytes than planned", n)
	}
	if srv.Kills() != 3 {
		t.Errorf("the server was killed %d times, want 3", srv.Kills())
	}
	if runs < 2 {
		t.Errorf("the client ran %d times: its kill did not end it", runs)
	}
	if n := line.sessions(); n != 1 {
		t.Errorf("the file went up in %d sessions: it was begun anew instead of resumed", n)
	}
	for _, line := range line.sentAgain() {
		t.Error(line)
	}

	// Once more, now that it is complete: completion must be as durable as chunks are.
	srv.Kill()
	srv.Start()

	direct := rig.NewAPI(t, srv.URL())
	if got, err := direct.Sum("cloudreve://my/big.bin"); err != nil {
		t.Error(err)
	} else if got != want {
		t.Errorf("the API gives SHA-256 %s, sent was %s", got, want)
	}
	back := filepath.Join(dir, "back.bin")
	person.must("get", "/big.bin", back)
	if got := fileSum(t, back); got != want {
		t.Errorf("wharf get gives SHA-256 %s, sent was %s", got, want)
	}
	if used, reserved := direct.Capacity(); used != size || reserved != 0 {
		t.Errorf("capacity says %d used, %d reserved; want %d and 0", used, reserved, size)
	}
	if n := len(direct.Unfinished()); n != 0 {
		t.Errorf("%d uploads are still unfinished", n)
	}
	if t.Failed() {
		t.Logf("what passed:\n%s", line.history())
	}
}

// putUntilDone runs wharf put as a script would: again when it was killed, and again
// when it says "try again" (10). It returns how often it ran.
func putUntilDone(t *testing.T, person *cli, args ...string) int {
	t.Helper()

	for run := 1; run <= 20; run++ {
		r := person.run(append([]string{"put"}, args...)...)
		switch r.code {
		case 0:
			return run
		case -1:
			t.Logf("run %d: killed", run)
		case 10:
			t.Logf("run %d: says try again:\n%s", run, r.output)
			time.Sleep(500 * time.Millisecond)
		default:
			t.Fatalf("run %d of wharf put %v: exit %d\n%s", run, args, r.code, r.output)
		}
	}
	t.Fatal("wharf put did not come to an end in 20 runs")
	return 0
}

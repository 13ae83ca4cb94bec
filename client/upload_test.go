package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/test/fake"
)

const chunk = 64 << 10

func TestAFileArrivesWithItsBytesAndItsTime(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, chunk - 1, chunk, chunk + 1, 5*chunk + 77} {
		for _, each := range []int64{chunk, 0} {
			for _, encrypt := range []bool{false, true} {
				t.Run(fmt.Sprint(size, " bytes in chunks of ", each, " encrypted ", encrypt), func(t *testing.T) {
					t.Parallel()
					b := newBench(t)
					b.ChunkSize, b.Encrypt = each, encrypt
					data := randomBytes(size, 1)
					out, err := b.c.Upload(t.Context(), input(data, "a", "b (1).bin"))
					if err != nil {
						t.Fatal(err)
					}
					b.holds("a/b (1).bin", data)
					if _, at, _ := b.Data("a/b (1).bin"); !at.Equal(modified) {
						t.Errorf("time on the server is %v, want %v", at, modified)
					}
					if out.Outcome != client.Sent || !out.Verified || out.Sent != int64(size) || out.Resumed != 0 {
						t.Errorf("says %+v", out)
					}
					b.frugal()
				})
			}
		}
	}
}

func TestFaultsOnTheWayOfAChunkAreOvercome(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fake.Fault{
		"connection cut before":   {Cut: true},
		"connection cut within":   {CutAfter: 1000},
		"answer lost":             {LoseAnswer: true},
		"bad gateway":             {Status: http.StatusBadGateway},
		"too many requests":       {Status: http.StatusTooManyRequests, RetryAfter: "7"},
		"storage failed":          {Code: wire.CodeIOFailed},
		"database failed":         {Code: wire.CodeDatabaseFailed},
		"uncoded":                 {Code: wire.CodeUncoded},
		"session unknown, though": {Code: wire.CodeUploadSessionGone},
		"locked for a moment":     {Code: wire.CodeLockConflict},
	} {
		for _, at := range []int{1, 4, 7} {
			t.Run(fmt.Sprint(name, " at ", at), func(t *testing.T) {
				t.Parallel()
				b := newBench(t)
				b.Break(nth(chunks, map[int]fake.Fault{at: f}))
				data := randomBytes(6*chunk+5, 2)
				if _, err := b.c.Upload(t.Context(), input(data, "x")); err != nil {
					t.Fatal(err)
				}
				b.holds("x", data)
				b.frugal()
				if f.RetryAfter != "" && b.slept < 7*time.Second {
					t.Errorf("waited %v although asked for 7 s", b.slept)
				}
			})
		}
	}
}

func TestALostAnswerDoesNotSendTheChunkAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Break(nth(chunks, map[int]fake.Fault{1: {LoseAnswer: true}, 3: {LoseAnswer: true}, 6: {LoseAnswer: true}}))
	data := randomBytes(6*chunk, 3)
	if _, err := b.c.Upload(t.Context(), input(data, "x")); err != nil {
		t.Fatal(err)
	}
	b.holds("x", data)
	if n := len(b.Chunks()); n != 6 {
		t.Errorf("%d chunks were sent for a file of 6", n)
	}
}

func TestALostAnswerToTheBeginningContinuesThatSession(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Break(nth(begins, map[int]fake.Fault{1: {LoseAnswer: true}}))
	data := randomBytes(3*chunk, 4)
	if _, err := b.c.Upload(t.Context(), input(data, "x")); err != nil {
		t.Fatal(err)
	}
	b.holds("x", data)
	if b.slept > time.Minute {
		t.Errorf("waited %v", b.slept)
	}
}

// interrupted sends some chunks of data and stops, as a killed process does.
func (b *bench) interrupted(data []byte, after int, path ...string) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	defer cancel()
	var n atomic.Int64
	in := input(data, path...)
	in.Chunks = 1
	in.Progress = func(e client.Event) {
		if e.Kind == client.EventProgress && n.Add(1) == int64(after) {
			cancel()
		}
	}
	if _, err := b.c.Upload(ctx, in); !errors.Is(err, context.Canceled) {
		b.t.Fatalf("the interrupted upload says %v", err)
	}
	b.Settle()
}

func TestAnotherProcessGoesOnWhereOneStopped(t *testing.T) {
	t.Parallel()
	for _, encrypt := range []bool{false, true} {
		b := newBench(t)
		b.Encrypt = encrypt
		data := randomBytes(9*chunk+9, 5)
		b.interrupted(data, 4, "x")
		second := b.client()
		b.signIn(second)
		var started client.Event
		in := input(data, "x")
		in.Progress = func(e client.Event) {
			if e.Kind == client.EventStarted {
				started = e
			}
		}
		out, err := second.Upload(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		b.holds("x", data)
		b.frugal()
		if out.Resumed < 4*chunk || out.Resumed+out.Sent != int64(len(data)) || !out.Verified || started.Resumed != out.Resumed {
			t.Errorf("says %+v after it began with %d", out, started.Resumed)
		}
		if n := len(b.Chunks()); n != 10 {
			t.Errorf("%d chunks were sent for a file of 10", n)
		}
	}
}

func TestAResumedFileThatIsAnotherOneIsFoundOutAndSentAnew(t *testing.T) {
	t.Parallel()
	// In a part that is sampled, and in one that is not: then the end tells.
	for at, late := range map[int]bool{10: false, chunk + 10: true} {
		b := newBench(t)
		first := randomBytes(9*chunk, 6)
		b.interrupted(first, 4, "x")
		begun := b.Chunks()
		second := bytes.Clone(first)
		second[at] ^= 1 // same name, size and time
		restarted := false
		in := input(second, "x")
		in.Progress = func(e client.Event) {
			restarted = restarted || e.Kind == client.EventRestarted && errors.Is(e.Err, client.ErrDigest)
		}
		out, err := b.c.Upload(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		b.holds("x", second)
		if !restarted || !out.Verified {
			t.Errorf("restarted %v, %+v", restarted, out)
		}
		mixed := false
		for _, c := range b.Chunks()[len(begun):] {
			mixed = mixed || c.Session == begun[0].Session
		}
		if mixed != late {
			t.Errorf("bytes of two contents were mixed: %v, want %v", mixed, late)
		}
	}
}

func TestBytesSpoiledInTheServerAreReportedIfSendingThemAnewDoesNotHelp(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Break(func(r *http.Request) fake.Fault { return fake.Fault{Flip: chunks(r)} })
	_, err := b.c.Upload(t.Context(), input(randomBytes(3*chunk, 7), "x"))
	if !errors.Is(err, client.ErrDigest) {
		t.Errorf("says %v", err)
	}
}

func TestASessionThatIsGoneIsReplaced(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	data := randomBytes(6*chunk, 8)
	var once atomic.Bool
	b.Break(func(r *http.Request) fake.Fault {
		if chunks(r) && strings.HasSuffix(r.URL.Path, "/3") && !once.Swap(true) {
			b.Forget()
		}
		return fake.Fault{}
	})
	if _, err := b.c.Upload(t.Context(), input(data, "x")); err != nil {
		t.Fatal(err)
	}
	b.holds("x", data)
}

func TestOtherBytesForAChunkThatIsInBeginTheUploadAnew(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Break(nth(chunks, map[int]fake.Fault{3: {Code: wire.CodeObjectChanged}}))
	data := randomBytes(4*chunk, 8)
	if _, err := b.c.Upload(t.Context(), input(data, "x")); err != nil {
		t.Fatal(err)
	}
	b.holds("x", data)
	if n := b.Count("DELETE file/upload"); n != 1 || b.slept > time.Second {
		t.Errorf("%d sessions were cancelled, waited %v", n, b.slept)
	}
}

func TestATokenThatDiesInTheMiddleIsRenewedOnceForAll(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	data := randomBytes(16*chunk, 9)
	var once atomic.Bool
	b.Break(func(r *http.Request) fake.Fault {
		if chunks(r) && strings.HasSuffix(r.URL.Path, "/5") && !once.Swap(true) {
			b.ForgetAccess()
		}
		return fake.Fault{}
	})
	in := input(data, "x")
	in.Chunks = 8
	if _, err := b.c.Upload(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	b.holds("x", data)
	b.frugal()
	if n := b.Count("POST session/token"); n != 2 { // the signing in, and one refresh
		t.Errorf("%d calls for tokens, want 2", n)
	}
}

func TestAnUploadOutlivesAServerThatIsAwayForAWhile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	data := randomBytes(6*chunk, 10)
	var away atomic.Int64
	b.Break(func(r *http.Request) fake.Fault {
		if chunks(r) && strings.HasSuffix(r.URL.Path, "/2") && away.Load() == 0 {
			away.Store(b.clock.Now().Add(8 * time.Minute).UnixNano())
		}
		if at := away.Load(); at != 0 && b.clock.Now().UnixNano() < at {
			return fake.Fault{Cut: true}
		}
		return fake.Fault{}
	})
	if _, err := b.c.Upload(t.Context(), input(data, "x")); err != nil {
		t.Fatal(err)
	}
	b.holds("x", data)
	b.frugal()
	if n := len(b.Chunks()); n != 6 {
		t.Errorf("%d chunks were sent for a file of 6", n)
	}
}

func TestAServerThatStaysAwayIsGivenUpOnAndWhatIsThereIsKept(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	data := randomBytes(6*chunk, 11)
	var dead atomic.Bool
	b.Break(func(r *http.Request) fake.Fault {
		if chunks(r) && strings.HasSuffix(r.URL.Path, "/3") {
			dead.Store(true)
		}
		return fake.Fault{Cut: dead.Load()}
	})
	in := input(data, "x")
	in.GiveUpAfter, in.Chunks = 2*time.Minute, 1
	began := b.clock.Now()
	out, err := b.c.Upload(t.Context(), in)
	if !client.IsRetryable(err) || out.Sent != 3*chunk {
		t.Errorf("says %v and %d bytes sent", err, out.Sent)
	}
	if took := b.clock.Now().Sub(began); took < time.Minute || took > 3*time.Minute {
		t.Errorf("gave up after %v", took)
	}
	dead.Store(false)
	b.Break(nil)
	out, err = b.c.Upload(t.Context(), input(data, "x"))
	if err != nil || out.Resumed != 3*chunk {
		t.Errorf("the next one says %v, resumed %d", err, out.Resumed)
	}
	b.holds("x", data)
	b.frugal()
}

func TestAConnectionThatMovesNothingIsLeft(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *client.Options) { o.StallAfter = 150 * time.Millisecond })
	b.Break(nth(chunks, map[int]fake.Fault{2: {Hang: true}}))
	data := randomBytes(4*chunk, 12)
	if _, err := b.c.Upload(t.Context(), input(data, "x")); err != nil {
		t.Fatal(err)
	}
	b.holds("x", data)
}

func TestRefusalsThatTimeDoesNotHealAreNotRepeated(t *testing.T) {
	t.Parallel()
	for _, code := range []wire.Code{
		wire.CodeChunkIndexInvalid, wire.CodeContentLengthWrong, wire.CodePathNotFound, wire.CodeForbidden, wire.CodePolicyUnsuitable,
	} {
		b := newBench(t)
		b.Break(func(r *http.Request) fake.Fault {
			if chunks(r) {
				return fake.Fault{Code: code}
			}
			return fake.Fault{}
		})
		in := input(randomBytes(2*chunk, 13), "x")
		in.Chunks = 1
		_, err := b.c.Upload(t.Context(), in)
		if client.CodeOf(err) != code {
			t.Errorf("%d: says %v", code, err)
		}
		if b.slept != 0 {
			t.Errorf("%d: waited %v for nothing", code, b.slept)
		}
	}
}

func TestQuotaAndSizeLimitsOfProxiesAreTold(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Quota = 10
	if _, err := b.c.Upload(t.Context(), input(randomBytes(100, 1), "x")); !client.IsQuota(err) {
		t.Errorf("says %v", err)
	}
	b = newBench(t)
	b.Break(func(r *http.Request) fake.Fault {
		if chunks(r) {
			return fake.Fault{Status: http.StatusRequestEntityTooLarge}
		}
		return fake.Fault{}
	})
	if _, err := b.c.Upload(t.Context(), input(randomBytes(100, 1), "x")); !client.IsTooLarge(err) || !strings.Contains(err.Error(), "proxy") {
		t.Errorf("says %v", err)
	}
}

func TestANameThatIsTaken(t *testing.T) {
	t.Parallel()
	old, data := randomBytes(100, 1), randomBytes(100, 2)
	cases := []struct {
		on      client.Conflict
		send    []byte
		outcome client.Outcome
		exists  bool
		names   map[string][]byte
	}{
		{client.Fail, data, "", true, map[string][]byte{"d/x.tar": old}},
		{client.Fail, old, client.Unchanged, false, map[string][]byte{"d/x.tar": old}},
		{client.Version, data, client.Sent, false, map[string][]byte{"d/x.tar": data}},
		{client.Version, old, client.Unchanged, false, map[string][]byte{"d/x.tar": old}},
		{client.Rename, data, client.Sent, false, map[string][]byte{"d/x.tar": old, "d/x (1).tar": data}},
		{client.Skip, data, client.Skipped, false, map[string][]byte{"d/x.tar": old}},
	}
	for _, k := range cases {
		b := newBench(t)
		b.Put("d/x.tar", old, modified.Add(time.Hour))
		in := input(k.send, "d", "x.tar")
		in.OnConflict = k.on
		out, err := b.c.Upload(t.Context(), in)
		if client.IsExists(err) != k.exists || err != nil && !k.exists || out.Outcome != k.outcome {
			t.Errorf("%s: %q, %v", k.on, out.Outcome, err)
		}
		for name, want := range k.names {
			b.holds(name, want)
		}
		if k.outcome != client.Sent && len(b.Chunks()) != 0 {
			t.Errorf("%s: sent %d chunks", k.on, len(b.Chunks()))
		}
	}
}

func TestAFolderIsNeverReplacedByAFile(t *testing.T) {
	t.Parallel()
	for _, on := range []client.Conflict{client.Fail, client.Version} {
		b := newBench(t)
		b.Folder("x")
		in := input([]byte("a"), "x")
		in.OnConflict = on
		if _, err := b.c.Upload(t.Context(), in); !client.IsExists(err) || !b.IsFolder("x") {
			t.Errorf("%s: %v", on, err)
		}
	}
}

func TestAnUnfinishedUploadOfADifferentFileGivesWayAfterAWhile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.interrupted(randomBytes(5*chunk, 1), 2, "x")
	data := randomBytes(3*chunk, 2)
	out, err := b.c.Upload(t.Context(), input(data, "x"))
	if err != nil {
		t.Fatal(err)
	}
	b.holds("x", data)
	if out.Resumed != 0 || b.slept < time.Minute {
		t.Errorf("resumed %d, waited %v", out.Resumed, b.slept)
	}
}

func TestServersWithoutSessionStatusAreServedToo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.NoStatus, b.NoDigests = true, true
	data := randomBytes(4*chunk, 3)
	out, err := b.c.Upload(t.Context(), input(data, "x"))
	if err != nil || out.Verified {
		t.Errorf("%+v, %v", out, err)
	}
	b.holds("x", data)
}

func TestASourceThatCannotBeReadIsNotTheNetworksFault(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := input(randomBytes(3*chunk, 1), "x")
	in.Size += 10
	if _, err := b.c.Upload(t.Context(), in); !errors.Is(err, client.ErrSourceChanged) || b.slept != 0 {
		t.Errorf("too short: %v, waited %v", err, b.slept)
	}
	in = input(randomBytes(chunk, 1), "y")
	in.Source = broken{}
	if _, err := b.c.Upload(t.Context(), in); !errors.Is(err, os.ErrPermission) || b.slept != 0 {
		t.Errorf("unreadable: %v, waited %v", err, b.slept)
	}
}

type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error) { return 0, os.ErrPermission }

// shifting gives other bytes each time it is read.
type shifting struct {
	io.ReaderAt
	n atomic.Int64
}

func (s *shifting) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.ReaderAt.ReadAt(p, off)
	if n > 0 {
		p[0] = byte(s.n.Add(1))
	}
	return n, err
}

func TestASourceThatShiftsIsNeverTakenForSent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := input(nil, "x")
	in.Source, in.Size, in.GiveUpAfter = &shifting{ReaderAt: bytes.NewReader(randomBytes(3*chunk, 1))}, 3*chunk, time.Minute
	if _, err := b.c.Upload(t.Context(), in); err == nil {
		t.Error("success was said of a file that changes as it is read")
	}
}

func TestAFileThatChangesWhileItIsSentIsSentOnceMore(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	name := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(name, randomBytes(3*chunk, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	data := randomBytes(4*chunk, 2)
	var once atomic.Bool
	in := client.UploadInput{URI: wire.MyURI("x"), Progress: func(e client.Event) {
		if e.Kind == client.EventVerifying && !once.Swap(true) {
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Error(err)
			}
		}
	}}
	if _, err := b.c.UploadFile(t.Context(), name, in); err != nil {
		t.Fatal(err)
	}
	b.holds("x", data)
}

func TestALimitedUploadKeepsToItsRate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := input(randomBytes(200<<10, 1), "x")
	in.Limiter = client.NewLimiter(400 << 10)
	began := time.Now()
	if _, err := b.c.Upload(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	// The first burst is free; more time than that is the machine's.
	if took := time.Since(began); took < 300*time.Millisecond {
		t.Errorf("200 KiB at 400 KiB/s took %v", took)
	}
}

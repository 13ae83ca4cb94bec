package chaos_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/test/rig"
)

// inProcess serves in this process, so that the race detector sees both sides.
func inProcess(t *testing.T) *rig.API {
	t.Helper()

	a, err := app.Open(t.Context(), app.Config{
		Data: workspace(t), Listen: "127.0.0.1:0", AdminEmail: rig.AdminEmail, AdminPassword: rig.AdminPassword,
	})
	if err != nil {
		t.Fatal(err)
	}
	size := int64(chunkSize)
	if _, err := a.SetPolicy(t.Context(), "default", app.PolicyPatch{ChunkSize: &size}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Serve(t.Context()) }()
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	return rig.NewAPI(t, a.URL())
}

// TestParallelLastChunksCompleteOnceAndTheFileNeverChanges sends the last chunk of each
// file many times at once, one of them with other bytes, and once more afterwards.
// Whoever wins, there is one version, one charge and one content, and it stays.
func TestParallelLastChunksCompleteOnceAndTheFileNeverChanges(t *testing.T) {
	if testing.Short() {
		t.Setenv("WHARF_CHAOS_RACES", "20")
	}
	n := amount(t, "RACES", 150, 10_000)
	const racers = 8
	rnd, seed := seeded(t)
	a := inProcess(t)
	type job struct {
		id      int
		c       content
		liar    int
		inChunk int
	}
	jobs := make(chan job, n)
	var total int64
	for id := range n {
		c := content{rnd.Uint64(), 1 + rnd.IntN(3*chunkSize)}
		total += int64(c.size)
		jobs <- job{id, c, rnd.IntN(racers), rnd.IntN(c.size)}
	}
	close(jobs)

	var refused, accepted atomic.Int64
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for j := range jobs {
				if j.id%100 == 0 {
					progress(t, j.id, n)
				}
				ok, no, err := race(a, j.id, j.c, racers, j.liar, j.inChunk)
				accepted.Add(int64(ok))
				refused.Add(int64(no))
				if err != nil {
					t.Errorf("file %d: %v", j.id, err)
				}
			}
		})
	}
	workers.Wait()
	if used, reserved := a.Capacity(); used != total || reserved != 0 {
		t.Errorf("%d bytes were sent; the ledger says %d used, %d of them reserved", total, used, reserved)
	}
	report(t, seed, map[string]int{
		"files": n, "last chunks at a time": racers, "accepted": int(accepted.Load()), "refused: other bytes": int(refused.Load()),
	})
}

// race sends one file whose last chunk comes from many at once. The liar has a wrong bit.
func race(a *rig.API, id int, c content, racers, liar, at int) (ok, no int, err error) {
	uri := fmt.Sprintf("cloudreve://my/race/%d", id)
	var ticket struct {
		SessionID string `json:"session_id"`
	}
	if err := a.Try(http.MethodPut, "/file/upload", map[string]any{"uri": uri, "size": c.size}, &ticket); err != nil {
		return 0, 0, err
	}
	up, b := uploadOf(c, chunkSize), c.bytes()
	last := len(up.chunks) - 1
	for i := range last {
		if err := a.Send(ticket.SessionID, i, up.part(b, i), nil); err != nil {
			return 0, 0, err
		}
	}
	honest := up.part(b, last)
	lie := slices.Clone(honest)
	lie[at%len(lie)] ^= 1
	answers := make([]error, racers)
	var all sync.WaitGroup
	for r := range racers {
		all.Go(func() {
			body := honest
			if r == liar {
				body = lie
			}
			answers[r] = a.Send(ticket.SessionID, last, body, nil)
		})
	}
	all.Wait()

	// The liar may have been the first: then the others are refused, and its bytes are
	// the file.
	lied := answers[liar] == nil
	if lied {
		copy(b[len(b)-len(lie):], lie)
	}
	for r, err := range answers {
		switch {
		case err == nil && (r == liar) == lied:
			ok++
		case rig.Code(err) == http.StatusConflict && (r == liar) != lied:
			no++
		default:
			return ok, no, fmt.Errorf("racer %d (the liar is %d, and was first: %t): %w", r, liar, lied, err)
		}
	}
	return ok, no, once(a, uri, up.part(b, last), ticket.SessionID, last, b)
}

// once sees that a file has one version of these bytes, also after a late duplicate.
func once(a *rig.API, uri string, honest []byte, session string, last int, b []byte) error {
	late := slices.Clone(honest)
	late[0] ^= 0x80
	if err := a.Send(session, last, late, nil); rig.Code(err) != http.StatusConflict {
		return fmt.Errorf("a late chunk with other bytes got %w", err)
	}
	if err := a.Send(session, last, honest, nil); err != nil {
		return fmt.Errorf("a late duplicate got %w", err)
	}
	var info struct {
		ExtendedInfo struct {
			Entities []struct{ Size int64 }
		} `json:"extended_info"`
	}
	if err := a.Try(http.MethodGet, "/file/info?extended=true&uri="+url.QueryEscape(uri), nil, &info); err != nil {
		return err
	}
	if n := len(info.ExtendedInfo.Entities); n != 1 {
		return fmt.Errorf("the file has %d versions", n)
	}
	got, err := a.Sum(uri)
	if err != nil {
		return err
	}
	if got != sumOf(b) {
		return fmt.Errorf("the file reads %s, %s was acknowledged", got, sumOf(b))
	}
	return nil
}

package e2e_test

import (
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/wharfinger/wharfinger/test/rig"
)

// kills is how often the server dies under TestNoAcknowledgedChunkIsLost.
const kills = 25

// TestNoAcknowledgedChunkIsLost speaks to the server with plain requests, four at a
// time, in random order and with repeats, and kills it again and again at random
// moments. After each start the server must know every chunk that it acknowledged; at
// the end the file must be the one that was sent.
func TestNoAcknowledgedChunkIsLost(t *testing.T) {
	long(t)
	databases(t, noAcknowledgedChunkIsLost)
}

func noAcknowledgedChunkIsLost(t *testing.T, db string) {
	const chunk, chunks = 1 << 20, 48
	const size = chunk*(chunks-1) + 12345
	rnd := rand.New(rand.NewPCG(seed(t), 2))
	path := filepath.Join(t.TempDir(), "f")
	want := randomFile(t, path, size, rnd.Uint64())
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	srv := rig.NewServer(t)
	srv.Database = db
	srv.Admin("policy", "set", "default", "--chunk-size", "1MiB")
	srv.Start()
	a := rig.NewAPI(t, srv.URL())
	var session struct {
		SessionID string `json:"session_id"`
		ChunkSize int64  `json:"chunk_size"`
	}
	a.Call(http.MethodPut, "/file/upload", map[string]any{"uri": "cloudreve://my/f.bin", "size": size}, &session)
	if session.ChunkSize != chunk {
		t.Fatalf("the session has chunks of %d bytes, the policy says %d", session.ChunkSize, chunk)
	}

	acked := map[int]bool{}
	for n := range kills {
		// The last chunk of the row is held back until all kills are done, so that the
		// session is open at each of them.
		todo := rnd.Perm(chunks - 1)
		got := sendUntilKilled(a, srv, session.SessionID, content, todo, 1+rnd.IntN(6))
		for _, i := range got {
			acked[i] = true
		}
		srv.Start()

		var p struct {
			Received [][2]int64
			State    string
		}
		a.Call(http.MethodGet, "/file/upload/"+session.SessionID, nil, &p)
		for i := range acked {
			from, to := int64(i)*chunk, min(int64(i+1)*chunk, size)
			if !slices.ContainsFunc(p.Received, func(r [2]int64) bool { return r[0] <= from && to <= r[1] }) {
				t.Fatalf("kill %d: chunk %d was acknowledged, and is not among what the server has: %v", n+1, i, p.Received)
			}
		}
	}
	t.Logf("%d kills, %d of %d chunks acknowledged between them", srv.Kills(), len(acked), chunks)
	if len(acked) < chunks/4 {
		t.Errorf("only %d chunks were acknowledged between the kills: too few to prove anything", len(acked))
	}

	for i := range chunks {
		if err := send(a, session.SessionID, content, i); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := a.Sum("cloudreve://my/f.bin"); err != nil || got != want {
		t.Errorf("SHA-256 %s came back (%v), %s was sent", got, err, want)
	}
	if used, reserved := a.Capacity(); used != size || reserved != 0 {
		t.Errorf("capacity says %d used, %d reserved; want %d and 0", used, reserved, size)
	}
}

// sendUntilKilled sends chunks, four at a time, and kills the server as soon as that
// many were acknowledged, while others are on their way. It returns those that were.
func sendUntilKilled(a *rig.API, srv *rig.Server, session string, content []byte, todo []int, enough int) (acked []int) {
	dead := make(chan struct{})
	work := make(chan int)
	var mu sync.Mutex
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for i := range work {
				if send(a, session, content, i) != nil {
					continue
				}
				mu.Lock()
				acked = append(acked, i)
				last := len(acked) == enough
				mu.Unlock()
				if last {
					srv.Kill()
					close(dead)
				}
			}
		})
	}
	for n := 0; ; n++ { // round and round: repeats are part of the matter
		select {
		case work <- todo[n%len(todo)]:
			continue
		case <-dead:
		}
		break
	}
	close(work)
	senders.Wait()
	return acked
}

// send posts one chunk; nil means that it was acknowledged.
func send(a *rig.API, session string, content []byte, i int) error {
	const chunk = 1 << 20
	return a.Send(session, i, content[i*chunk:min((i+1)*chunk, len(content))], nil)
}

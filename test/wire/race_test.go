package wire_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/wharfinger/wharfinger/api/wire"
)

// What cannot be written as one exchange after the other.

const racers = 16

func TestOneOfManyCreatesOfANameWins(t *testing.T) {
	t.Parallel()
	s := connectLocal(t, nil)
	codes := atOnce(racers, func(int) wire.Code {
		return s.code(t, "PUT", "/file/upload", wire.CreateUploadRequest{URI: "cloudreve://my/race/one", Size: 5})
	})
	if codes[wire.CodeOK] != 1 || codes[wire.CodeObjectExists] != racers-1 {
		t.Errorf("%v", codes)
	}
}

func TestOneOfManyVersionsTakesTheLock(t *testing.T) {
	t.Parallel()
	s := connectLocal(t, nil)
	const uri = "cloudreve://my/race/one"
	s.put(t, uri, []byte("before"))
	codes := atOnce(racers, func(int) wire.Code {
		return s.code(t, "PUT", "/file/upload", wire.CreateUploadRequest{URI: uri, Size: 5, EntityType: wire.EntityVersion})
	})
	if codes[wire.CodeOK] != 1 || codes[wire.CodeLockConflict] != racers-1 {
		t.Errorf("%v", codes)
	}
}

func TestParallelCreatesShareTheirParents(t *testing.T) {
	t.Parallel()
	s := connectLocal(t, nil)
	codes := atOnce(racers, func(i int) wire.Code {
		return s.code(t, "PUT", "/file/upload", wire.CreateUploadRequest{URI: fmt.Sprintf("cloudreve://my/race/a/b/c/%d", i), Size: 5})
	})
	if codes[wire.CodeOK] != racers {
		t.Errorf("%v", codes)
	}
}

func TestQuotaIsNotExceededByManyAtOnce(t *testing.T) {
	t.Parallel()
	s := connectLocal(t, nil)
	const each = bobQuota/4 - 10 // room for four
	codes := atOnce(racers, func(i int) wire.Code {
		return s.codeAs(t, "bob", "PUT", "/file/upload", wire.CreateUploadRequest{URI: fmt.Sprintf("cloudreve://my/race/%d", i), Size: each})
	})
	if codes[wire.CodeOK] != 4 || codes[wire.CodeNoCapacity] != racers-4 {
		t.Errorf("%v", codes)
	}
}

func TestParallelChunksMakeTheFile(t *testing.T) {
	t.Parallel()
	s := connectLocal(t, nil)
	const uri = "cloudreve://my/race/whole"
	plain := generated(racers*s.chunk-7, "parallel")
	id := s.begin(t, uri, int64(len(plain)))
	// Each chunk twice, all at once: no chunk may fail for the other's sake but
	// by being asked to come again.
	codes := atOnce(2*racers, func(i int) wire.Code {
		return s.chunkUntilTaken(t, id, int64(i%racers), plain)
	})
	if codes[wire.CodeOK] != 2*racers {
		t.Fatalf("%v", codes)
	}
	if got := s.download(t, uri); !bytes.Equal(got, plain) {
		t.Fatalf("got %d other bytes", len(got))
	}
	info := call[wire.File](t, s, "admin", "GET", "/file/info?extended=true&uri="+uri, nil)
	if info.Data == nil || len(info.Data.ExtendedInfo.Entities) != 1 {
		t.Errorf("not one version: %+v", info.Data)
	}
}

func TestOfManyDifferentBytesForAChunkOneIsKept(t *testing.T) {
	t.Parallel()
	s := connectLocal(t, nil)
	const uri = "cloudreve://my/race/different"
	id := s.begin(t, uri, s.chunk)
	var mu sync.Mutex
	var taken [][]byte
	atOnce(racers, func(i int) wire.Code {
		mine := generated(s.chunk, strconv.Itoa(i))
		c := s.chunkUntilTaken(t, id, 0, mine)
		if c == wire.CodeOK {
			mu.Lock()
			defer mu.Unlock()
			taken = append(taken, mine)
		}
		return c
	})
	if len(taken) != 1 {
		t.Fatalf("%d different bodies were acknowledged", len(taken))
	}
	if got := s.download(t, uri); !bytes.Equal(got, taken[0]) {
		t.Error("the file is not what was acknowledged")
	}
}

func TestChunkThatBreaksOffCanBeSentAgain(t *testing.T) {
	t.Parallel()
	s := connectLocal(t, nil)
	const uri = "cloudreve://my/broken"
	plain := generated(s.chunk, "broken")
	id := s.begin(t, uri, s.chunk)
	head := fmt.Sprintf("POST %s%s HTTP/1.1\r\nHost: wharf\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n",
		prefix, chunkPath(id, 0), s.users["admin"].token, s.chunk)
	if answer := s.talk(t, append([]byte(head), plain[:s.chunk/2]...)); answer != "" && !strings.Contains(answer, `"code":50004`) {
		t.Errorf("half a chunk was answered with %q", answer)
	}
	progress := call[wire.UploadProgress](t, s, "admin", "GET", "/file/upload/"+id, nil)
	if progress.Data == nil || progress.Data.ReceivedBytes != 0 || progress.Data.State != wire.StateOpen {
		t.Fatalf("%+v", progress)
	}
	if c := s.chunkUntilTaken(t, id, 0, plain); c != wire.CodeOK {
		t.Fatalf("again: %d", c)
	}
	if got := s.download(t, uri); !bytes.Equal(got, plain) {
		t.Error("the file differs")
	}
}

func TestContentThatBreaksOffLeavesNothing(t *testing.T) {
	t.Parallel()
	s := connectLocal(t, nil)
	const uri = "cloudreve://my/kept"
	s.put(t, uri, []byte("before"))
	head := fmt.Sprintf("PUT %s/file/content?uri=%s HTTP/1.1\r\nHost: wharf\r\nAuthorization: Bearer %s\r\nContent-Length: 1000\r\n\r\nhalf",
		prefix, url.QueryEscape(uri), s.users["admin"].token)
	if answer := s.talk(t, []byte(head)); answer != "" && !strings.Contains(answer, `"code":50004`) {
		t.Errorf("half a content was answered with %q", answer)
	}
	if got := s.download(t, uri); string(got) != "before" {
		t.Errorf("the file is %q", got)
	}
	// The name must be free again for the next try.
	s.put(t, uri, []byte("after"))
	if got := s.download(t, uri); string(got) != "after" {
		t.Errorf("the file is %q", got)
	}
}

func TestRefusedChunkIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	s := connectLocal(t, nil)
	// 8 MiB do not fit into the buffers of a connection that nobody reads.
	got := s.raw(t, "admin", "POST", chunkPath("00000000-0000-4000-8000-000000000000", 0), bytes.NewReader(make([]byte, 8<<20)))
	if !strings.Contains(string(got.body), `"code":40011`) {
		t.Errorf("%s", got.body)
	}
}

func TestRequestsThatReadersDisagreeOnAreRefused(t *testing.T) {
	t.Parallel()
	s := connectLocal(t, nil)
	id := s.begin(t, "cloudreve://my/smuggle", 5)
	for name, header := range map[string]string{
		"two lengths":         "Content-Length: 5\r\nContent-Length: 6\r\n",
		"signed length":       "Content-Length: +5\r\n",
		"length with a space": "Content-Length : 5\r\n",
		"unknown coding":      "Transfer-Encoding: chunked, identity\r\n",
		"folded":              "Content-Length: 5\r\nX-A: b\r\n c\r\nX B: c\r\n",
	} {
		head := fmt.Sprintf("POST %s%s HTTP/1.1\r\nHost: wharf\r\nAuthorization: Bearer %s\r\n%s\r\nhello",
			prefix, chunkPath(id, 0), s.users["admin"].token, header)
		if answer := s.talk(t, []byte(head)); !strings.HasPrefix(answer, "HTTP/1.1 400 ") && !strings.HasPrefix(answer, "HTTP/1.1 501 ") {
			t.Errorf("%s: %.200q", name, answer)
		}
	}
	progress := call[wire.UploadProgress](t, s, "admin", "GET", "/file/upload/"+id, nil)
	if progress.Data == nil || progress.Data.ReceivedBytes != 0 {
		t.Errorf("%+v", progress)
	}
}

// atOnce runs f n times in parallel and counts what it answers.
func atOnce(n int, f func(i int) wire.Code) map[wire.Code]int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	codes := map[wire.Code]int{}
	gate := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-gate
			c := f(i)
			mu.Lock()
			defer mu.Unlock()
			codes[c]++
		})
	}
	close(gate)
	wg.Wait()
	return codes
}

func chunkPath(id string, index int64) string { return "/file/upload/" + id + "/" + itoa(index) }

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// begin begins an upload and returns its session.
func (s *server) begin(t *testing.T, uri string, size int64) string {
	t.Helper()
	r := call[wire.UploadTicket](t, s, "admin", "PUT", "/file/upload", wire.CreateUploadRequest{URI: uri, Size: size})
	if r.Data == nil {
		t.Fatalf("%+v", r)
	}
	return r.Data.SessionID
}

func (s *server) put(t *testing.T, uri string, content []byte) {
	t.Helper()
	got := s.raw(t, "admin", "PUT", "/file/content?uri="+url.QueryEscape(uri), bytes.NewReader(content))
	if !strings.HasPrefix(string(got.body), `{"code":0,`) {
		t.Fatalf("%s", got.body)
	}
}

// chunkUntilTaken sends one chunk, again as long as it is told to try again.
func (s *server) chunkUntilTaken(t *testing.T, id string, index int64, plain []byte) wire.Code {
	from, to := index*s.chunk, min((index+1)*s.chunk, int64(len(plain)))
	for range 50 {
		var r wire.Reply[wire.None]
		got := s.raw(t, "admin", "POST", chunkPath(id, index), bytes.NewReader(plain[from:to]))
		if err := json.Unmarshal(got.body, &r); err != nil {
			t.Errorf("%d %s: %v", got.status, got.body, err)
			return wire.CodeUncoded
		}
		if r.Code != wire.CodeIOFailed {
			return r.Code
		}
	}
	return wire.CodeIOFailed
}

func (s *server) code(t *testing.T, method, path string, body any) wire.Code {
	return s.codeAs(t, "admin", method, path, body)
}

func (s *server) codeAs(t *testing.T, as, method, path string, body any) wire.Code {
	text, err := json.Marshal(body)
	if err != nil {
		t.Error(err)
	}
	var r wire.Reply[json.RawMessage]
	got := s.raw(t, as, method, path, bytes.NewReader(text), "Content-Type", "application/json")
	if err := json.Unmarshal(got.body, &r); err != nil {
		t.Errorf("%d %s: %v", got.status, got.body, err)
	}
	return r.Code
}

// raw makes a call and may be used by any goroutine: what goes wrong is an
// error of the test and an empty answer.
func (s *server) raw(t *testing.T, as, method, path string, body io.Reader, header ...string) answer {
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, s.url+prefix+path, body)
	if err != nil {
		t.Error(err)
		return answer{}
	}
	req.Header.Set("Authorization", "Bearer "+s.users[as].token)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	got, err := send(req)
	if err != nil {
		t.Error(err)
	}
	return got
}

// talk sends bytes on a connection of their own, ends its own direction and
// returns what comes back, "" if that is nothing.
func (s *server) talk(t *testing.T, request []byte) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(request); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil {
		t.Logf("the connection broke: %v", err)
	}
	return string(got)
}

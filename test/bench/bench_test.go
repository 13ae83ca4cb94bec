package bench_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/app"
)

type server struct {
	b     *testing.B
	url   string
	token string
	http  *http.Client
}

func start(b *testing.B) *server {
	b.Helper()
	a, err := app.Open(b.Context(), app.Config{
		Data: b.TempDir(), Listen: "127.0.0.1:0", AdminEmail: "a@example.test", AdminPassword: "correct horse",
	})
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = a.Serve(b.Context()) }()
	b.Cleanup(func() { _ = a.Close() })
	s := &server{b: b, url: a.URL() + "/api/v4", http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	var login wire.Login
	s.call("POST", "/session/token", []byte(`{"email":"a@example.test","password":"correct horse"}`), &login)
	s.token = login.Token.AccessToken
	return s
}

func (s *server) call(method, path string, body []byte, into any) {
	req, err := http.NewRequestWithContext(s.b.Context(), method, s.url+path, bytes.NewReader(body))
	if err != nil {
		s.b.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	res, err := s.http.Do(req)
	if err != nil {
		s.b.Error(err)
		return
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.b.Error(err)
	}
	var reply struct {
		Code int
		Msg  string
		Data json.RawMessage
	}
	if err := json.Unmarshal(text, &reply); err != nil || reply.Code != 0 {
		s.b.Errorf("%s %s: %s", method, path, text)
		return
	}
	if into != nil {
		if err := json.Unmarshal(reply.Data, into); err != nil {
			s.b.Error(err)
		}
	}
}

var serial atomic.Int64

func (s *server) put(data []byte) {
	name := fmt.Sprintf("cloudreve://my/bench/%d", serial.Add(1))
	var t wire.UploadTicket
	s.call("PUT", "/file/upload", fmt.Appendf(nil, `{"uri":%q,"size":%d}`, name, len(data)), &t)
	s.call("POST", "/file/upload/"+t.SessionID+"/0", data, nil)
}

// BenchmarkSmallFiles is create + chunk of 4 KiB, one client after the other
// and sixteen at once.
func BenchmarkSmallFiles(b *testing.B) {
	for _, clients := range []int{1, 16} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			s := start(b)
			data := make([]byte, 4<<10)
			b.SetParallelism(max(1, clients/2)) // times GOMAXPROCS
			b.ResetTimer()
			if clients == 1 {
				for range b.N {
					s.put(data)
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					s.put(data)
				}
			})
		})
	}
}

// BenchmarkBigChunk is one chunk of 16 MiB.
func BenchmarkBigChunk(b *testing.B) {
	s := start(b)
	data := make([]byte, 16<<20)
	b.SetBytes(int64(len(data)))
	for range b.N {
		s.put(data)
	}
}

// stored uploads one file and returns the path of a link to it.
func (s *server) stored(data []byte) string {
	s.put(data)
	var links wire.FileURLs
	name := fmt.Sprintf("cloudreve://my/bench/%d", serial.Load())
	s.call("POST", "/file/url", fmt.Appendf(nil, `{"uris":[%q]}`, name), &links)
	return links.URLs[0].URL
}

func (s *server) get(url, ranges string, want int64) {
	req, err := http.NewRequestWithContext(s.b.Context(), http.MethodGet, url, nil)
	if err != nil {
		s.b.Error(err)
		return
	}
	if ranges != "" {
		req.Header.Set("Range", ranges)
	}
	res, err := s.http.Do(req)
	if err != nil {
		s.b.Error(err)
		return
	}
	defer res.Body.Close()
	if n, err := io.Copy(io.Discard, res.Body); n != want || err != nil {
		s.b.Errorf("%s: %d of %d bytes, %v", res.Status, n, want, err)
	}
}

const storedSize = 16 << 20

// BenchmarkGet is one whole GET of 16 MiB.
func BenchmarkGet(b *testing.B) {
	s := start(b)
	url := s.stored(make([]byte, storedSize))
	b.SetBytes(storedSize)
	for b.Loop() {
		s.get(url, "", storedSize)
	}
}

// BenchmarkRange is 64 KiB from the middle of a file, four clients at once.
func BenchmarkRange(b *testing.B) {
	s := start(b)
	url := s.stored(make([]byte, storedSize))
	b.SetParallelism(2) // times GOMAXPROCS
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			s.get(url, "bytes=1000000-1065535", 64<<10)
		}
	})
}

package fake

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
)

// The one user.
const (
	Email    = "ann@example.test"
	Password = "correct horse"
)

// Fault is what goes wrong with one request. The zero value is nothing.
type Fault struct {
	Cut        bool          // the connection ends before the request is looked at
	CutAfter   int64         // the connection ends when so much of its body was read; 0: no
	LoseAnswer bool          // the request is obeyed, its answer never sent
	Status     int           // an answer of a proxy instead of ours
	RetryAfter string        // with Status
	Code       wire.Code     // a refusal instead of the work
	Flip       bool          // of a chunk: a bit is stored wrong; of a content: is sent wrong
	SendOnly   int64         // of a content or a batch: so many bytes of the answer, then the end
	Delay      time.Duration // before anything else
	Hang       bool          // nothing happens until the client is gone
}

// Server is the fake. Its exported fields are set before the first request.
type Server struct {
	URL string
	// ChunkSize is the policy's.
	ChunkSize int64
	// PieceAlign is where chunks may be cut; 0: this server knows no pieces.
	PieceAlign int64
	// Encrypt makes the server ask for encryption by clients that can.
	Encrypt bool
	// NoDigests and NoStatus take away what other servers do not have.
	NoDigests, NoStatus bool
	// Quota is how many bytes all files may have.
	Quota int64
	// TokenLife is that of access tokens.
	TokenLife time.Duration
	// Now is the server's clock.
	Now func() time.Time

	http *httptest.Server
	mu   sync.Mutex
	busy atomic.Int64

	fault    func(*http.Request) Fault
	files    map[string]*file // by path; folders too
	sessions map[string]*session
	access   map[string]time.Time
	refresh  map[string]bool
	chunks   []Chunk
	calls    map[string]int // by method and first two parts of the path
}

type file struct {
	folder   bool
	name     string
	entity   string
	data     []byte
	modified time.Time
	session  string
}

// Chunk is one chunk that came in.
type Chunk struct {
	Session string
	Index   int
	From    int64 // where in the file
	Bytes   int64
	Acked   bool // and the answer was sent
}

// New starts a server that ends with the test t, a testing.TB.
func New(t interface {
	Helper()
	Cleanup(func())
},
) *Server {
	t.Helper()
	s := Start()
	t.Cleanup(s.Close)
	return s
}

// Start starts a server that ends with Close.
func Start() *Server {
	s := &Server{
		ChunkSize: 64 << 10, PieceAlign: 1 << 10, Quota: 1 << 40, TokenLife: time.Hour, Now: time.Now,
		files: map[string]*file{"": {folder: true}}, sessions: map[string]*session{},
		access: map[string]time.Time{}, refresh: map[string]bool{}, calls: map[string]int{},
	}
	mux := http.NewServeMux()
	for pattern, h := range s.routes() {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /api/v4"+path, h)
	}
	s.http = httptest.NewServer(s.faulty(mux))
	s.URL = s.http.URL
	return s
}

// Break lets choose decide about the fault of each request from now on. It is
// called by many goroutines at once.
func (s *Server) Break(choose func(*http.Request) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = choose
}

// Settle waits until no request is being worked on: what a client that left has
// sent may still be.
func (s *Server) Settle() {
	for s.busy.Load() != 0 {
		time.Sleep(time.Millisecond)
	}
}

// Close ends it.
func (s *Server) Close() {
	s.http.CloseClientConnections()
	s.http.Close()
}

func (s *Server) routes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /site/ping":                   func(w http.ResponseWriter, _ *http.Request) { answer(w, wire.OK("4.14.0")) },
		"POST /session/token":              s.signIn,
		"POST /session/token/refresh":      s.renew,
		"DELETE /session/token":            s.signOut,
		"GET /user/capacity":               s.user(s.capacity),
		"GET /file":                        s.user(s.list),
		"GET /file/info":                   s.user(s.info),
		"POST /file/create":                s.user(s.create),
		"POST /file/batch":                 s.user(s.batch),
		"POST /file/rename":                s.user(s.rename),
		"DELETE /file":                     s.user(s.remove),
		"POST /file/url":                   s.user(s.url),
		"GET /file/content/{entity}/{any}": s.content,
		"PUT /file/upload":                 s.user(s.begin),
		"GET /file/upload":                 s.user(s.uploads),
		"DELETE /file/upload":              s.user(s.cancel),
		"GET /file/upload/{id}":            s.user(s.status),
		"POST /file/upload/{id}/{index}":   s.user(s.chunk),
	}
}

// faulty puts the chosen fault around the work.
func (s *Server) faulty(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.busy.Add(1)
		defer s.busy.Add(-1)
		var f Fault
		s.mu.Lock()
		choose := s.fault
		s.mu.Unlock()
		if choose != nil {
			f = choose(r)
		}
		s.mu.Lock()
		parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v4/"), "/")
		s.calls[r.Method+" "+strings.Join(parts[:min(2, len(parts))], "/")]++
		s.mu.Unlock()
		time.Sleep(f.Delay)
		switch {
		case f.Hang:
			_, _ = io.Copy(io.Discard, r.Body) // only then is it noticed that the client left
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		case f.Cut:
			panic(http.ErrAbortHandler)
		case f.CutAfter > 0:
			_, _ = io.CopyN(io.Discard, r.Body, f.CutAfter)
			panic(http.ErrAbortHandler)
		case f.Status != 0:
			_, _ = io.Copy(io.Discard, r.Body)
			if f.RetryAfter != "" {
				w.Header().Set("Retry-After", f.RetryAfter)
			}
			http.Error(w, "<html>proxy says no</html>", f.Status)
			return
		case f.Code != 0:
			_, _ = io.Copy(io.Discard, r.Body)
			refuse(w, f.Code, "broken on command")
			return
		}
		if f.LoseAnswer {
			next.ServeHTTP(&lost{header: http.Header{}}, r)
			panic(http.ErrAbortHandler)
		}
		if f.Flip || f.SendOnly > 0 {
			w = &spoiled{ResponseWriter: w, fault: f}
		}
		next.ServeHTTP(w, r)
	})
}

// lost takes an answer and sends nothing.
type lost struct{ header http.Header }

func (l *lost) Header() http.Header         { return l.header }
func (l *lost) Write(p []byte) (int, error) { return len(p), nil }
func (l *lost) WriteHeader(int)             {}

// spoiled carries the fault to the handlers that look for it.
type spoiled struct {
	http.ResponseWriter
	fault Fault
	sent  int64
}

func (s *spoiled) Write(p []byte) (int, error) {
	if n := s.fault.SendOnly; n > 0 && !strings.HasPrefix(s.Header().Get("Content-Type"), "application/json") {
		if s.sent+int64(len(p)) > n {
			_, _ = s.ResponseWriter.Write(p[:n-s.sent])
			_ = http.NewResponseController(s.ResponseWriter).Flush()
			panic(http.ErrAbortHandler)
		}
		s.sent += int64(len(p))
	}
	return s.ResponseWriter.Write(p)
}

// user lets only requests with a living token through.
func (s *Server) user(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		s.mu.Lock()
		until, ok := s.access[bearer]
		s.mu.Unlock()
		if !ok || !s.Now().Before(until) {
			_, _ = io.Copy(io.Discard, r.Body)
			refuse(w, wire.CodeLoginRequired, "Login required")
			return
		}
		next(w, r)
	}
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	var q wire.LoginRequest
	if !read(w, r, &q) {
		return
	}
	if q.Email != Email || q.Password != Password {
		refuse(w, wire.CodeLoginWrong, "Incorrect password or email address")
		return
	}
	answer(w, wire.OK(wire.Login{User: wire.User{ID: "u1", Nickname: "ann", Email: Email}, Token: s.pair()}))
}

func (s *Server) renew(w http.ResponseWriter, r *http.Request) {
	var q wire.RefreshRequest
	if !read(w, r, &q) {
		return
	}
	s.mu.Lock()
	ok := s.refresh[q.RefreshToken]
	delete(s.refresh, q.RefreshToken) // each is used up
	s.mu.Unlock()
	if !ok {
		refuse(w, wire.CodeCredentialInvalid, "Failed to issue token pair")
		return
	}
	answer(w, wire.OK(s.pair()))
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	var q wire.RefreshRequest
	if !read(w, r, &q) {
		return
	}
	s.ForgetTokens()
	answer(w, wire.Done())
}

func (s *Server) pair() wire.Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := wire.Token{
		AccessToken: "a-" + rand.Text(), RefreshToken: "r-" + rand.Text(),
		AccessExpires: s.Now().Add(s.TokenLife), RefreshExpires: s.Now().Add(14 * 24 * time.Hour),
	}
	s.access[p.AccessToken], s.refresh[p.RefreshToken] = p.AccessExpires, true
	return p
}

// ForgetAccess makes every access token a stranger; refresh tokens live on.
func (s *Server) ForgetAccess() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

// SetQuota changes the quota of a server that runs.
func (s *Server) SetQuota(bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Quota = bytes
}

// ForgetTokens makes every token a stranger.
func (s *Server) ForgetTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
	clear(s.refresh)
}

// SentAgain lists the chunks that came again although they had been
// acknowledged.
func (s *Server) SentAgain() (again []Chunk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	acked := map[string]bool{}
	for _, c := range s.chunks {
		key := fmt.Sprint(c.Session, "/", c.From, "+", c.Bytes)
		if acked[key] {
			again = append(again, c)
		}
		acked[key] = acked[key] || c.Acked
	}
	return again
}

// Chunks lists the chunks that were stored, in order.
func (s *Server) Chunks() []Chunk {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Chunk(nil), s.chunks...)
}

// Count is how often a call came, for example "POST file/upload".
func (s *Server) Count(call string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[call]
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		refuse(w, wire.CodeBadParameter, "Parameter error")
		return false
	}
	return true
}

func answer(w http.ResponseWriter, reply any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if err := json.NewEncoder(w).Encode(reply); err != nil {
		panic(err)
	}
}

// correlationID is that of every refusal.
const correlationID = "5a1d8c0e-1111-4222-8333-944455556666"

func refuse(w http.ResponseWriter, code wire.Code, msg string) {
	refuseWith(w, code, msg, nil)
}

func refuseWith(w http.ResponseWriter, code wire.Code, msg string, data any) {
	f := wire.Refuse(code, msg, data)
	f.CorrelationID = correlationID
	answer(w, f)
}

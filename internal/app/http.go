package app

import (
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"runtime/debug"

	addressdoor "github.com/wharfinger/wharfinger/internal/door/address"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/door/share"
)

// handler is the mux in its chain: recover, log.
func (a *App) handler(door http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(desk.Prefix+"/", door)
	mux.HandleFunc("GET /healthz", a.health)
	mux.HandleFunc("GET "+share.Prefix, share.Short)
	mux.Handle("GET "+addressdoor.Prefix, addressdoor.Short(door))
	mux.Handle("/", page(a.storeOrigins))
	return a.observe(mux)
}

// health is for supervisors: 200 while the database answers.
func (a *App) health(w http.ResponseWriter, r *http.Request) {
	if err := a.store.Ping(r.Context()); err != nil {
		a.cfg.Log.Error("health", "err", err.Error())
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok\n") // a supervisor that went away is not an event
}

// observe recovers from panics and writes the access log.
func (a *App) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w}
		start := a.cfg.Clock()
		defer func() { //nolint:contextcheck // what is left to do must not end with the request
			if p := recover(); p != nil {
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(p)
				}
				a.cfg.Log.Error("panic", "path", share.WithoutPassword(r.URL.Path), "panic", p, "stack", string(debug.Stack()))
				if rec.status == 0 {
					http.Error(rec, "Something failed inside the server. Its log has the cause.", http.StatusInternalServerError)
				}
			}
			a.cfg.Log.LogAttrs(r.Context(), slog.LevelDebug, "access",
				slog.String("method", r.Method), slog.String("path", share.WithoutPassword(r.URL.Path)), slog.Int("status", rec.status),
				slog.Int64("bytes", rec.bytes), slog.Duration("dur", a.cfg.Clock().Sub(start)))
		}()
		r = a.peers.unfold(r)
		a.guard(rec, r)
		next.ServeHTTP(rec, r)
	})
}

// guard sets what holds for every answer, and bounds bodies that no handler
// reads: net/http reads on behind the handler to keep the connection.
func (a *App) guard(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if r.TLS != nil || r.URL.Scheme == "https" {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(a.cfg.Clock().Add(bodyGrace))
	}
	if r.ProtoMajor == 1 && len(r.TransferEncoding) > 0 {
		// It may have had a Content-Length too, of which net/http does not tell:
		// then nothing may follow on this connection (RFC 9112 §6.1).
		h.Set("Connection", "close")
	}
}

// recorder notes what was answered. It passes ReadFrom on, so that the kernel
// still sends files by itself.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// ReadFrom implements io.ReaderFrom.
func (r *recorder) ReadFrom(src io.Reader) (int64, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := io.Copy(r.ResponseWriter, src)
	r.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController find the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// quiet sends what net/http has to say of broken connections to the debug log.
func quiet(l *slog.Logger) *log.Logger { return slog.NewLogLogger(l.Handler(), slog.LevelDebug) }

package app

import (
	"bytes"
	"compress/gzip"
	"context"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/admin"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/web"
)

// pageCSP is what our own page may load: itself, nothing inline but styles (the
// component kit sets some on elements), and files where the stores keep them.
const pageCSP = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:STORES; " +
	"font-src 'self'; connect-src 'self'STORES; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// page serves the built page: files as they are, everything else as
// index.html, whose script finds its own way by the path.
func page(stores func(context.Context) string) http.Handler {
	dist := web.Dist()
	var packed sync.Map // path → []byte, gzip of compressible files
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "405 method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", strings.ReplaceAll(pageCSP, "STORES", ""))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		data, err := fs.ReadFile(dist, name)
		if err != nil {
			if strings.HasPrefix(name, "assets/") {
				http.Error(w, "404 page not found", http.StatusNotFound)
				return
			}
			name = "index.html"
			if data, err = fs.ReadFile(dist, name); err != nil {
				http.Error(w, "This binary was built without its page. Build it with `make build`; the API works as it is.", http.StatusNotFound)
				return
			}
		}
		if name == "index.html" { // what it loads goes by its policy, and need not ask for the stores again
			h.Set("Content-Security-Policy", strings.ReplaceAll(pageCSP, "STORES", stores(r.Context())))
		}
		// Names under assets/ carry a digest of their content.
		h.Set("Cache-Control", "public, no-cache")
		if strings.HasPrefix(name, "assets/") {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		kind := mime.TypeByExtension(path.Ext(name))
		if kind == "" {
			kind = "application/octet-stream"
		}
		h.Set("Content-Type", kind)
		if compressible(kind) && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			h.Add("Vary", "Accept-Encoding")
			data = pack(&packed, name, data)
		}
		_, _ = w.Write(data) // a browser that went away is not an event
	})
}

// storeOrigins are the origins of the stores that clients go to by themselves, each
// behind a blank.
func (b *Base) storeOrigins(ctx context.Context) string {
	policies, err := b.Policies(ctx)
	if err != nil {
		b.cfg.Log.Error("page", "err", err.Error())
	}
	var out strings.Builder
	now := b.cfg.Clock()
	for _, p := range policies {
		if p.Relay || !admin.Far(p.Type) {
			continue
		}
		bucket, err := b.buckets.Bucket(ctx, p)
		if err != nil {
			continue // uploads to it say why
		}
		address, err := bucket.Link(ctx, strings.Repeat("0", 32), blob.LinkOptions{Now: now, Until: now.Add(time.Minute)})
		if err != nil {
			continue
		}
		if u, err := url.Parse(address); err == nil && !strings.ContainsAny(u.Host, " ;,'") {
			out.WriteString(" " + u.Scheme + "://" + u.Host)
		}
	}
	return out.String()
}

func compressible(kind string) bool {
	return strings.HasPrefix(kind, "text/") || strings.Contains(kind, "javascript") ||
		strings.Contains(kind, "json") || strings.Contains(kind, "svg")
}

// pack returns the gzip of a file, made once.
func pack(packed *sync.Map, name string, data []byte) []byte {
	if have, ok := packed.Load(name); ok {
		return have.([]byte) //nolint:errcheck // nothing else is stored in it
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // a constant level
	}
	_, _ = z.Write(data) // a buffer takes everything
	_ = z.Close()
	packed.Store(name, b.Bytes())
	return b.Bytes()
}

package client

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/crc64nvme"
	"golang.org/x/time/rate"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client/fail"
	"github.com/wharfinger/wharfinger/client/flow"
)

// DownloadInput is a file to be downloaded.
type DownloadInput struct {
	URI wire.URI
	// Entity is the version wanted. "": the current one.
	Entity string
	// OnConflict is Fail, Overwrite, Rename or Skip; for local files only.
	// "": Fail.
	OnConflict Conflict
	// Limiter, Progress and GiveUpAfter are as for uploads.
	Limiter     *rate.Limiter
	Progress    func(Event)
	GiveUpAfter time.Duration
	// Root, if set, holds the local names; nothing is written outside of it.
	Root *os.Root
	// Batch is shared by the transfers of one run. May be nil.
	Batch *Batch

	local string
}

// Overwrite replaces a local file. The one that was there stays until the new
// one is whole and verified.
const Overwrite Conflict = "overwrite"

// Downloaded is a download that ended well.
type Downloaded struct {
	Outcome  Outcome
	Path     string // of the local file, if there is one
	Entity   string // the version that was read
	Size     int64
	Received int64 // bytes read by this call
	Resumed  int64 // bytes of an earlier call that were kept
	Modified time.Time
	Verified bool // what was written has the server's digest
	Took     time.Duration
}

// Download writes a file's content to w, going on after failures where it
// stopped. An ErrDigest at the end means that what w got must not be used.
func (c *Client) Download(ctx context.Context, in DownloadInput, w io.Writer) (Downloaded, error) {
	d := newDownload(c, in)
	err := d.look(ctx)
	if err == nil {
		d.started()
		err = d.stream(ctx, w)
	}
	if err == nil {
		err = d.verify()
	}
	d.out.Took = c.clock.Now().Sub(d.began)
	return d.out, err
}

// download is one content on its way in.
type download struct {
	c      *Client
	in     DownloadInput
	out    Downloaded
	back   *backoff
	tells  *teller
	began  time.Time
	digest string // Repr-Digest of the whole, when known
	etag   string
	link   string
	away   bool  // link is an address of a store
	relay  bool  // the store gave nothing: the server's own address is wanted
	at     int64 // bytes written and summed
	crc    uint64
	sha    hash.Hash // nil unless the server has one to compare
}

func newDownload(c *Client, in DownloadInput) *download {
	if in.OnConflict == "" {
		in.OnConflict = Fail
	}
	d := &download{c: c, in: in, began: c.clock.Now()}
	d.tells = &teller{to: in.Progress, at: Event{Local: in.local, Remote: in.URI.String()}}
	d.back = c.backoff(in.GiveUpAfter, d.tells.retry, in.Batch)
	return d
}

// look learns which version it is, and pins it: what comes is one version's
// bytes, even if the file gets a new one meanwhile.
func (d *download) look(ctx context.Context) error {
	f, err := persist(ctx, d.back, func() (wire.File, error) { return d.c.Stat(ctx, d.in.URI) })
	if err != nil {
		return err
	}
	if f.Type != wire.IsFile {
		return fmt.Errorf("download: %s: %w but a folder", d.in.URI, ErrNotRegular)
	}
	d.out.Entity, d.out.Size, d.out.Modified = f.PrimaryEntity, f.Size, f.UpdatedAt
	if d.in.Entity != "" {
		d.out.Entity = d.in.Entity
	}
	known := false
	if f.ExtendedInfo != nil {
		for _, e := range f.ExtendedInfo.Entities {
			if e.ID == d.out.Entity {
				known, d.digest, d.out.Size = true, e.ReprDigest, e.Size
				if d.in.Entity != "" {
					d.out.Modified = e.CreatedAt
				}
			}
		}
	}
	if d.in.Entity != "" && !known {
		return &Error{Op: "download", Code: wire.CodeEntityNotFound, Message: "this file has no version " + d.in.Entity}
	}
	if f.Metadata[sessionMark] != "" && !known && f.Size == 0 {
		return &Error{Op: "download", Code: wire.CodePathNotFound, Message: "the first upload of this file is not finished"}
	}
	d.etag = `"` + d.out.Entity + `"`
	d.begin()
	return nil
}

// begin forgets what was summed.
func (d *download) begin() {
	d.at, d.crc, d.sha = 0, 0, nil
	if _, ok := wire.DigestOf(d.digest, wire.SHA256); ok {
		d.sha = sha256.New()
	}
}

func (d *download) started() {
	d.out.Resumed = d.at
	d.tells.tell(func(e *Event) {
		e.Kind, e.Size, e.Confirmed, e.Resumed = EventStarted, d.out.Size, d.at, d.at
	})
}

func (d *download) add(p []byte) {
	d.crc = crc64nvme.Update(d.crc, p)
	if d.sha != nil {
		_, _ = d.sha.Write(p)
	}
	d.at += int64(len(p))
}

// sinkError is a failure to write, which no repetition of the request mends.
type sinkError struct{ err error }

func (e sinkError) Error() string { return "download: write: " + e.err.Error() }
func (e sinkError) Unwrap() error { return e.err }

// How often a refused address is replaced without a byte in between.
const linkTries = 3

// stream writes the rest of the content to w.
func (d *download) stream(ctx context.Context, w io.Writer) error {
	refused := 0
	for n := 1; d.at < d.out.Size; n++ {
		before := d.at
		err := d.attempt(ctx, w)
		if d.at > before {
			n, refused = 1, 0
			d.back.progress()
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if d.refused(err, before) && refused < linkTries {
			refused++
			d.link, d.relay = "", d.relay || d.away && refused > 1
			continue
		}
		if !IsRetryable(err) {
			return err
		}
		if err := d.back.wait(ctx, n, err); err != nil {
			return err
		}
	}
	return nil
}

// refused reports whether another address may help: this one does not hold, or it is
// of a store that gave nothing.
func (d *download) refused(err error, before int64) bool {
	if _, ours := errors.AsType[sinkError](err); ours || d.at > before {
		return false
	}
	return d.away || fail.HasCode(err, wire.CodeSignatureExpired, wire.CodeSignatureInvalid)
}

// attempt reads as much as one answer gives.
func (d *download) attempt(ctx context.Context, w io.Writer) error {
	if err := d.address(ctx); err != nil {
		return err
	}
	ctx, watch := flow.NewWatch(ctx, d.c.stall)
	defer watch.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.link, http.NoBody)
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	id := newUUID()
	req.Header.Set("User-Agent", d.c.agent)
	req.Header.Set(headerCorrelation, id)
	if d.at > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.at))
		if d.etag != "" {
			req.Header.Set("If-Range", d.etag)
		}
	}
	resp, err := d.c.http.Do(req)
	if err != nil {
		return stalled(ctx, noAnswer(ctx, "download", id, err))
	}
	defer resp.Body.Close()
	if err := d.accept(resp, id); err != nil {
		return err
	}
	err = d.pour(ctx, w, resp, watch)
	if _, ours := errors.AsType[sinkError](err); err == nil || ours {
		return err
	}
	return stalled(ctx, noAnswer(ctx, "download", id, err))
}

// stalled makes our own giving up of an attempt a failure of the network.
func stalled(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), flow.ErrStalled) {
		return &Error{Op: "download", Message: flow.ErrStalled.Error(), Err: flow.ErrStalled}
	}
	return err
}

// address gets the signed address of the content.
func (d *download) address(ctx context.Context) error {
	if d.link != "" {
		return nil
	}
	body := wire.CreateURLRequest{URIs: []string{d.in.URI.String()}, Entity: d.out.Entity, Download: true, Relay: d.relay}
	l, err := call[wire.FileURLs](ctx, d.c, request{op: "download", method: http.MethodPost, path: "/file/url", body: body})
	if err != nil {
		return fail.Single(err)
	}
	if len(l.URLs) != 1 {
		return fmt.Errorf("download: the server answered %d addresses for one file", len(l.URLs))
	}
	ref, err := url.Parse(l.URLs[0].URL)
	if err != nil {
		return fmt.Errorf("download: the server answered an address that is none: %w", err)
	}
	d.link = d.c.site.ResolveReference(ref).String()
	d.away, d.etag = !strings.Contains(ref.Path, "/api/v4/"), `"`+d.out.Entity+`"`
	if d.away {
		d.etag = "" // the store has one of its own for the same bytes
	}
	return nil
}

// accept decides whether the body of an answer is the content from d.at on.
func (d *download) accept(resp *http.Response, id string) error {
	ours := resp.Header.Get("ETag") == "" && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json")
	if resp.StatusCode >= 300 || ours {
		text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
		if err == nil {
			_, err = decode[any]("download", resp, text)
		}
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return &Error{Op: "download", HTTPStatus: resp.StatusCode, CorrelationID: id, Message: "the answer is not the content", Err: err}
		}
		if e.CorrelationID == "" {
			e.CorrelationID = id
		}
		if e.HTTPStatus == http.StatusNotFound && e.Code == wire.CodeOK {
			e.Message = "the server has lost the bytes of this file"
		}
		return e
	}
	if etag := resp.Header.Get("ETag"); etag != "" && !strings.HasPrefix(etag, "W/") {
		d.etag = etag
	}
	if field := resp.Header.Get("Repr-Digest"); field != "" && d.digest == "" {
		d.digest = field
	}
	if resp.StatusCode != http.StatusPartialContent {
		return d.skip(resp)
	}
	from, total, ok := wire.ParseContentRange(resp.Header.Get("Content-Range"))
	if !ok || from != d.at || total != d.out.Size {
		return fmt.Errorf("download: asked for the bytes from %d of %d on, got %q", d.at, d.out.Size, resp.Header.Get("Content-Range"))
	}
	return nil
}

// skip passes over what is here already, where something on the way does not
// let ranges through.
func (d *download) skip(resp *http.Response) error {
	if resp.ContentLength >= 0 && resp.ContentLength != d.out.Size {
		return fmt.Errorf("download: the file has %d bytes, the server sends %d", d.out.Size, resp.ContentLength)
	}
	if _, err := io.CopyN(io.Discard, resp.Body, d.at); err != nil {
		return &Error{Op: "download", Message: "the answer broke off", Err: err}
	}
	return nil
}

// pour writes the body of an answer to w.
func (d *download) pour(ctx context.Context, w io.Writer, resp *http.Response, watch *flow.Watch) error {
	buf, _ := flow.Buffers.Get().(*[flow.BufferSize]byte)
	defer flow.Buffers.Put(buf)
	for d.at < d.out.Size {
		p := buf[:min(flow.BufferSize, d.out.Size-d.at)]
		if l := d.in.Limiter; l != nil {
			p = p[:min(len(p), max(1, l.Burst()))]
		}
		n, err := resp.Body.Read(p)
		watch.Moved(1)
		if n > 0 {
			if _, err := w.Write(p[:n]); err != nil {
				return sinkError{err}
			}
			d.add(p[:n])
			d.out.Received += int64(n)
			d.tells.tell(func(e *Event) { e.Kind, e.Confirmed = EventProgress, d.at })
			if l := d.in.Limiter; l != nil {
				if err := l.WaitN(ctx, n); err != nil {
					return err
				}
			}
		}
		if err != nil && d.at < d.out.Size {
			return err
		}
	}
	return nil
}

// verify compares what was written with the server's digests.
func (d *download) verify() error {
	if d.in.Progress != nil {
		d.tells.tell(func(e *Event) { e.Kind = EventVerifying })
	}
	d.out.Outcome = Sent
	if want, ok := wire.CRCOf(d.digest); ok {
		if want != d.crc {
			return fmt.Errorf("download: %w: the server has CRC-64 %016x, what came has %016x", ErrDigest, want, d.crc)
		}
		d.out.Verified = true
	}
	if want, ok := wire.DigestOf(d.digest, wire.SHA256); ok && d.sha != nil {
		if got := d.sha.Sum(nil); string(got) != string(want) {
			return fmt.Errorf("download: %w: the server has SHA-256 %x, what came has %x", ErrDigest, want, got)
		}
		d.out.Verified = true
	}
	return nil
}

package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client/fail"
	"github.com/wharfinger/wharfinger/client/pace"
	"github.com/wharfinger/wharfinger/client/plan"
	"github.com/wharfinger/wharfinger/client/seal"
)

// Conflict is what to do when something of that name is there. A file with the
// very bytes that were to be sent is never a conflict: the upload is done, and
// its outcome is Unchanged.
type Conflict string

// What to do about a name that is taken.
const (
	Fail    Conflict = "fail"    // an IsExists error
	Version Conflict = "version" // a new version of the file there
	Rename  Conflict = "rename"  // a new file, "name (1).ext"
	Skip    Conflict = "skip"    // leave it, without comparing bytes
)

// UploadInput is a file to be uploaded.
type UploadInput struct {
	// Source is read at any place, at several at once, and each part more than
	// once. It must not change meanwhile; if it does, that is noticed.
	Source io.ReaderAt
	Size   int64
	// URI is the name it gets. Missing folders are made.
	URI wire.URI
	// Modified is kept as the file's time, and is one of the marks by which an
	// unfinished upload is known again. Zero: the time of completion.
	Modified   time.Time
	MIME       string
	Metadata   map[string]string
	OnConflict Conflict // "": Fail
	// Chunks is how many are sent at once. 0: as many as make it faster.
	Chunks int
	// Limiter bounds the bytes per second, of all transfers that share it; see
	// [NewLimiter]. Nil: no bound.
	Limiter *rate.Limiter
	// Way is how the bytes go to a store behind the server; "": straight if it can be
	// reached from here.
	Way Way
	// Progress is told what happens, by one goroutine at a time. It must be
	// quick. May be nil.
	Progress func(Event)
	// GiveUpAfter ends the upload when nothing has worked for that long. 0:
	// DefaultGiveUpAfter; negative: never.
	GiveUpAfter time.Duration

	// Batch is shared by the transfers of one run. May be nil.
	Batch *Batch

	local string // path of Source, for events
}

// Outcome is how a transfer ended well.
type Outcome string

// The outcomes.
const (
	Sent      Outcome = "sent"      // bytes were transferred, now or by an earlier call
	Unchanged Outcome = "unchanged" // the same bytes were there already
	Skipped   Outcome = "skipped"   // something of that name was there
)

// Uploaded is an upload that ended well. After an error its URI and counts tell
// what is safe on the server.
type Uploaded struct {
	Outcome  Outcome
	URI      wire.URI // not the one asked for after Rename
	Session  string
	Entity   string // the version that was made, if known
	Size     int64
	Sent     int64 // bytes acknowledged to this call
	Resumed  int64 // bytes that were on the server before
	Verified bool  // the server's digest of the file is that of the source
	Took     time.Duration
}

// How often an upload may begin anew before it is called failed.
const maxRestarts = 3

// restart says that the session is of no more use, but another may be.
type restart struct {
	why    error
	cancel bool // the session is still there and in the way
	differ bool // it was completed, with other bytes
}

func (r *restart) Error() string { return r.why.Error() }
func (r *restart) Unwrap() error { return r.why }

// Upload sends a file and returns when it is complete on the server, and known
// to be the same there.
//
// An unfinished upload of the same name, size and time, begun by whomever on
// whatever device, is continued. When ctx ends the session is left for that.
func (c *Client) Upload(ctx context.Context, in UploadInput) (Uploaded, error) {
	u := newUpload(c, in)
	err := u.run(ctx)
	u.out.Took = c.clock.Now().Sub(u.began)
	return u.out, err
}

// upload is one call of Upload on its way.
type upload struct {
	c       *Client
	in      UploadInput
	as      wire.EntityType
	out     Uploaded
	back    *backoff
	streams *pace.Streams
	tells   *teller
	began   time.Time
	dead    map[string]bool // sessions that turned out to be of no use
	rival   rival
	named   int  // tries to find a free name
	detour  bool // the bytes go through the server, although there is a store behind it
}

func newUpload(c *Client, in UploadInput) *upload {
	if in.OnConflict == "" {
		in.OnConflict = Fail
	}
	u := &upload{c: c, in: in, began: c.clock.Now(), dead: map[string]bool{}, streams: c.pace.Streams}
	switch {
	case in.Chunks > 0:
		u.streams = pace.Fixed(in.Chunks)
	case in.Limiter != nil:
		u.streams = pace.Fixed(4)
	}
	u.out = Uploaded{URI: in.URI, Size: in.Size}
	u.tells = &teller{to: in.Progress, at: Event{Local: in.local, Remote: in.URI.String(), Size: in.Size}}
	u.back = c.backoff(in.GiveUpAfter, u.tells.retry, in.Batch)
	return u
}

func (u *upload) run(ctx context.Context) error {
	differed := false
	for restarts := 0; ; restarts++ {
		s, err := u.open(ctx)
		if err != nil || s == nil {
			return err
		}
		err = u.complete(ctx, s)
		u.out.Sent = s.Safe() - u.out.Resumed
		r, again := errors.AsType[*restart](err)
		switch {
		case err == nil:
			u.out.Outcome = Sent
			return nil
		case !again:
			return err
		case r.differ && differed:
			return fmt.Errorf("upload: %w: %s on the server is not the file that was sent, twice in a row; do not use it", r.why, u.out.URI)
		case restarts >= maxRestarts:
			return fmt.Errorf("upload: given up after %d sessions: %w", restarts+1, r.why)
		}
		if r.differ {
			// What was completed is wrong. It is replaced, whatever was asked
			// for about files of others.
			differed, u.as = true, wire.EntityVersion
		}
		if r.cancel {
			if err := u.c.CancelUpload(ctx, s.id, u.out.URI); err != nil && !IsLocked(err) {
				return err
			}
		}
		u.dead[s.id] = true
		u.tells.tell(func(e *Event) { e.Kind, e.Err, e.Confirmed, e.Resumed = EventRestarted, r.why, 0, 0 })
	}
}

// open continues an unfinished session or makes a new one. Neither a session
// nor an error means that nothing needs to be sent; out says why.
func (u *upload) open(ctx context.Context) (*session, error) {
	if s, err := u.resume(ctx); s != nil || err != nil {
		return s, err
	}
	for range 1000 {
		s, err := u.create(ctx)
		if err == nil {
			u.started(s)
			return s, nil
		}
		if !fail.HasCode(err, wire.CodeObjectExists, wire.CodeLockConflict) {
			return nil, err
		}
		s, settled, err := u.conflict(ctx, err)
		if s != nil || settled || err != nil {
			return s, err
		}
	}
	return nil, fmt.Errorf("upload: no free name like %s was found", u.in.URI)
}

func (u *upload) started(s *session) {
	u.back.progress()
	safe := s.Safe()
	u.out.Session, u.out.Resumed = s.id, safe
	u.tells.tell(func(e *Event) { e.Kind, e.Confirmed, e.Resumed = EventStarted, safe, safe })
	u.tellLimit(s)
}

func (u *upload) create(ctx context.Context) (*session, error) {
	q := wire.CreateUploadRequest{
		URI: u.out.URI.String(), Size: u.in.Size, LastModified: u.modified(), MimeType: u.in.MIME,
		Metadata: u.in.Metadata, EntityType: u.as, EncryptionSupported: []string{seal.Cipher}, Relay: u.relays(),
		Paged: true,
	}
	t, err := persist(ctx, u.back, func() (wire.UploadTicket, error) {
		return call[wire.UploadTicket](ctx, u.c, request{op: "begin upload", method: http.MethodPut, path: "/file/upload", body: q})
	})
	if err != nil {
		return nil, err
	}
	past := len(t.UploadURLs) > 0 && !t.StoragePolicy.Relay
	shape := plan.Shape{Size: u.in.Size, Chunk: t.ChunkSize, Align: t.PieceAlign}
	if past {
		shape.Align = 0 // stores take parts whole
	}
	s, err := newSession(t.SessionID, shape, t.EncryptMetadata)
	if err != nil || !past {
		return s, err
	}
	barred := u.in.Way == "" && !u.detour && u.c.barred.Has(t.UploadURLs[0], u.c.clock.Now())
	if s.far = u.farAt(t.StoragePolicy.Type, s.id); s.far == nil || barred {
		_ = u.c.CancelUpload(ctx, s.id, u.out.URI)
		if u.in.Way == Straight || u.detour {
			return nil, fmt.Errorf("begin upload: storage policy %q wants the bytes sent straight to %s storage, which this client cannot do",
				t.StoragePolicy.Name, t.StoragePolicy.Type)
		}
		u.detour = true
		return u.create(ctx)
	}
	return s, nil
}

// modified is the time as sessions carry it; 0: unknown.
func (u *upload) modified() int64 {
	if u.in.Modified.IsZero() {
		return 0
	}
	return max(0, u.in.Modified.UnixMilli())
}

// resume looks for an unfinished upload of this file.
func (u *upload) resume(ctx context.Context) (*session, error) {
	var list []wire.UploadProgress
	if u.in.Batch != nil && u.in.Batch.listed && len(u.dead) == 0 {
		list = u.in.Batch.unfinished
	} else {
		var err error
		if list, err = u.list(ctx); err != nil {
			return nil, err
		}
	}
	for _, p := range list {
		if u.names(p) && u.matches(p) {
			return u.adopt(ctx, p.SessionID)
		}
	}
	return nil, nil //nolint:nilnil // there is none
}

// list is empty for a server that cannot tell.
func (u *upload) list(ctx context.Context) ([]wire.UploadProgress, error) {
	l, err := persist(ctx, u.back, func() (wire.UploadList, error) { return call[wire.UploadList](ctx, u.c, uploadList) })
	if isUnsupported(err) {
		return nil, nil
	}
	return l.Uploads, err
}

// isUnsupported reports that the server has no such call.
func isUnsupported(err error) bool {
	return CodeOf(err) == wire.CodeOK && fail.HasStatus(err, http.StatusNotFound, http.StatusMethodNotAllowed)
}

// names reports that p is an unfinished upload of the name in question.
func (u *upload) names(p wire.UploadProgress) bool {
	if p.State != wire.StateOpen && p.State != wire.StateSealing {
		return false
	}
	uri, err := wire.ParseURI(p.URI)
	return err == nil && samePlace(uri, u.out.URI)
}

// samePlace compares URIs, where a session may or may not name its user.
func samePlace(a, b wire.URI) bool {
	if a.User != "" && b.User != "" && a.User != b.User || a.FS != b.FS || len(a.Path) != len(b.Path) {
		return false
	}
	for i := range a.Path {
		if a.Path[i] != b.Path[i] {
			return false
		}
	}
	return true
}

// matches reports that p is likely to be of this very content. Only the digest
// at the end makes it certain.
func (u *upload) matches(p wire.UploadProgress) bool {
	return p.Size == u.in.Size && p.LastModified == u.modified() && !u.dead[p.SessionID]
}

// adopt makes an unfinished session ours. None, and no error, means that it has
// ended meanwhile.
func (u *upload) adopt(ctx context.Context, id string) (*session, error) {
	p, err := persist(ctx, u.back, func() (wire.UploadProgress, error) {
		return call[wire.UploadProgress](ctx, u.c, uploadStatus(id))
	})
	if IsSessionGone(err) || err == nil && (p.State == wire.StateAborted || p.State == wire.StateExpired) {
		return nil, nil //nolint:nilnil // see above
	}
	if err != nil {
		return nil, err
	}
	s, err := newSession(id, plan.Shape{Size: p.Size, Chunk: p.ChunkSize, Align: p.PieceAlign}, p.EncryptMetadata)
	if err != nil {
		return nil, err
	}
	if is, err := u.adoptFar(ctx, s, p); is || err != nil {
		if s.far == nil {
			s = nil
		}
		return s, err
	}
	if same, err := u.sampled(ctx, s, p.Samples); !same || err != nil {
		return nil, err
	}
	s.Receive(p.Received, complete(p))
	u.started(s)
	return s, nil
}

// sampled compares what the server says of bytes it has with the source. An
// upload of another content is left alone: it is never mixed with this one.
func (u *upload) sampled(ctx context.Context, s *session, samples []wire.UploadSample) (same bool, err error) {
	for _, one := range samples {
		want, ok := wire.CRCOf(one.Digest)
		g := plan.Piece{From: one.Bytes[0], To: one.Bytes[1]}
		if !ok || g.From < 0 || g.To > u.in.Size || g.Len() <= 0 {
			continue
		}
		got, err := u.crc(ctx, g.From, g.To)
		if err != nil {
			return false, err
		}
		if got != want {
			why := fmt.Errorf("%w: the unfinished upload of that name, size and time is of another content", ErrDigest)
			u.dead[s.id] = true
			u.tells.tell(func(e *Event) { e.Kind, e.Err, e.Confirmed, e.Resumed = EventRestarted, why, 0, 0 })
			return false, nil
		}
		s.Note(g, got)
	}
	return true, nil
}

// rival is an unfinished upload of the same name that is not ours to continue.
type rival struct {
	id      string
	touched time.Time // by the server's clock
	since   time.Time // seen so, by ours
}

// The server lets an unfinished upload give way to a new one when it has been
// idle for a minute.
const (
	rivalPoll = 5 * time.Second
	rivalIdle = 90 * time.Second
)

// conflict decides what a taken name means. No session, not settled and no
// error: create again, under the name and purpose that u has now.
func (u *upload) conflict(ctx context.Context, cause error) (s *session, settled bool, err error) {
	var f wire.File
	if !IsLocked(cause) {
		f, err = u.stat(ctx)
		if IsNotFound(err) {
			return nil, false, nil // gone again
		}
		if err != nil {
			return nil, false, err
		}
		if f.Type == wire.IsFolder || f.Metadata[sessionMark] == "" && (hasContent(f) || f.Size == 0 && u.in.Size == 0) {
			settled, err = u.taken(ctx, f, cause)
			return nil, settled, err
		}
	}
	list, err := u.list(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, p := range list {
		switch {
		case !u.names(p):
			continue
		case u.matches(p):
			s, err = u.adopt(ctx, p.SessionID)
			return s, false, err
		case IsLocked(cause) || !hasContent(f):
			return nil, false, u.outwait(ctx, p, cause)
		}
		break
	}
	if IsLocked(cause) {
		return nil, false, cause
	}
	settled, err = u.taken(ctx, f, cause)
	return nil, settled, err
}

// sessionMark is the metadata key of a file with an unfinished upload.
const sessionMark = "sys:upload_session_id"

// hasContent tells a file from the mere promise of one. Servers that do not
// tell about versions are taken at their word that something exists.
func hasContent(f wire.File) bool { return f.ExtendedInfo == nil || primary(f) != nil }

func (u *upload) stat(ctx context.Context) (wire.File, error) {
	return persist(ctx, u.back, func() (wire.File, error) { return u.c.Stat(ctx, u.out.URI) })
}

// primary is the current version of a file, as its extended info has it.
func primary(f wire.File) *wire.Entity {
	if f.ExtendedInfo == nil {
		return nil
	}
	for i, e := range f.ExtendedInfo.Entities {
		if e.ID == f.PrimaryEntity {
			return &f.ExtendedInfo.Entities[i]
		}
	}
	return nil
}

// outwait waits for an unfinished upload that is in the way to give way. One
// that moves belongs to somebody who is at work.
func (u *upload) outwait(ctx context.Context, p wire.UploadProgress, cause error) error {
	now := u.c.clock.Now()
	seen := rival{id: p.SessionID, touched: p.UpdatedAt, since: now}
	busy := fmt.Errorf("another upload of that name, of a different file, is unfinished and was active at %s: %w",
		p.UpdatedAt.Local().Format(time.DateTime), cause)
	switch {
	case u.rival.id == "":
		u.rival = seen
	case u.rival.id != seen.id || !u.rival.touched.Equal(seen.touched) || now.Sub(u.rival.since) > rivalIdle:
		return busy
	}
	u.tells.retry(busy, rivalPoll)
	return u.c.clock.Sleep(ctx, rivalPoll)
}

// taken applies OnConflict to a file or folder that is there for good.
func (u *upload) taken(ctx context.Context, f wire.File, cause error) (settled bool, err error) {
	if u.in.OnConflict == Skip {
		u.out.Outcome = Skipped
		return true, nil
	}
	if f.Type == wire.IsFile {
		same, err := u.same(ctx, f)
		if err != nil {
			return false, err
		}
		if same {
			u.out.Outcome, u.out.Entity, u.out.Verified = Unchanged, f.PrimaryEntity, true
			return true, nil
		}
	}
	switch {
	case u.in.OnConflict == Rename:
		u.named++
		u.out.URI = numbered(u.in.URI, u.named)
		return false, nil
	case u.in.OnConflict == Version && f.Type == wire.IsFile && u.as == wire.EntityNew:
		u.as = wire.EntityVersion
		return false, nil
	}
	return false, cause
}

// same reports that the file on the server has the bytes of the source. Where
// the server has no digest of it, size and time must do.
func (u *upload) same(ctx context.Context, f wire.File) (bool, error) {
	if f.Size != u.in.Size {
		return false, nil
	}
	if f.Size == 0 {
		return true, nil
	}
	if e := primary(f); e != nil {
		if want, ok := wire.CRCOf(e.ReprDigest); ok {
			got, err := u.crc(ctx, 0, u.in.Size)
			return got == want, err
		}
	}
	return u.modified() > 0 && f.UpdatedAt.UnixMilli() == u.modified(), nil
}

// numbered is "name (n).ext".
func numbered(uri wire.URI, n int) wire.URI {
	name := uri.Name()
	ext := path.Ext(name)
	base := strings.TrimSuffix(name, ext)
	if base == "" { // ".profile" has no extension
		base, ext = name, ""
	}
	parent := uri
	parent.Path = uri.Path[:max(0, len(uri.Path)-1)]
	return parent.Child(fmt.Sprintf("%s (%d)%s", base, n, ext))
}

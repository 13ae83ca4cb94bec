package batch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/minio/crc64nvme"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
)

// MaxFile is the size of the largest file that can be sent, in bytes.
const MaxFile = 256 << 10

// ErrUnsupported means that the server does not know batches.
var ErrUnsupported = errors.New("the server does not take batches")

// File is one to be sent.
type File struct {
	URI      string
	Size     int64
	Modified time.Time
	MIME     string
	// Version: a file that is there gets a new version. Else it is refused.
	Version bool
	Open    func() (io.ReadCloser, error)
}

// Result is what became of one.
type Result struct {
	File   File
	Stored wire.BatchedFile
	Same   bool // it was there already, with this very content
	Again  bool // it was sent before without an answer: Same may be that sending's doing
	Err    error
}

// Options say how. Only Client must be set.
type Options struct {
	Client *client.Client
	// Most is how large a request may grow, in bytes; 0: 8 MiB.
	Most int64
	// GiveUpAfter is how long to go on while no file gets through; 0: ten minutes.
	GiveUpAfter time.Duration
	// Waiting is told why it waits and for how long; nil: nobody is.
	Waiting func(err error, d time.Duration)
}

// The size of requests, in bytes.
const (
	firstSize   = 960 << 10
	leastSize   = 64 << 10
	defaultMost = 8 << 20
)

const (
	maxFiles = 2048 // of a request
	maxTries = 4    // of a file that the server refuses for now
	op       = "batch"
	kind     = "application/vnd.wharfinger.batch"
)

// Put sends files and calls done for each, from one goroutine and not in order. It
// returns an error when it gives up as a whole: then files without a result have
// none, and can be given again.
func Put(ctx context.Context, o Options, files iter.Seq[File], done func(Result)) error {
	if o.Most <= 0 {
		o.Most = defaultMost
	}
	if o.GiveUpAfter <= 0 {
		o.GiveUpAfter = client.DefaultGiveUpAfter
	}
	if o.Waiting == nil {
		o.Waiting = func(error, time.Duration) {}
	}
	next, stop := iter.Pull(files)
	defer stop()
	s := &sender{o: o, next: next, done: done, size: min(firstSize, o.Most), top: o.Most}
	for {
		b := s.load()
		if len(b) == 0 {
			return nil
		}
		if err := s.sendAll(ctx, b); err != nil {
			return err
		}
		if len(s.late) > 0 {
			if err := s.wait(ctx, s.why, 1); err != nil {
				return err
			}
		}
	}
}

// item is a file that was read.
type item struct {
	File
	body  []byte
	crc   uint64
	tries int
	sends int
}

// sender is one call of Put.
type sender struct {
	o    Options
	next func() (File, bool)
	done func(Result)
	over bool

	held *item   // was read, and did not fit in
	late []*item // to be sent again
	why  error   // of the last of them
	size int64   // of the next request
	top  int64   // no larger: that failed
}

// load reads files for one request.
func (s *sender) load() []*item {
	b, sum := s.late, int64(0)
	s.late = nil
	for _, it := range b {
		sum += it.cost()
	}
	if s.held != nil {
		b, sum, s.held = append(b, s.held), sum+s.held.cost(), nil
	}
	for !s.over && len(b) < maxFiles && sum < s.size {
		f, ok := s.next()
		if s.over = !ok; s.over {
			break
		}
		it, err := read(f)
		if err != nil {
			s.done(Result{File: f, Err: err})
			continue
		}
		if len(b) > 0 && sum+it.cost() > s.size {
			s.held = it
			break
		}
		b, sum = append(b, it), sum+it.cost()
	}
	return b
}

// cost is about what an item adds to a request.
func (it *item) cost() int64 { return int64(len(it.body)+3*len(it.URI)) + 160 }

func read(f File) (*item, error) {
	if f.Size < 0 || f.Size > MaxFile {
		return nil, fmt.Errorf("batch: a file of %d bytes does not go into a batch", f.Size)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	body := make([]byte, f.Size, f.Size+1)
	if _, err = io.ReadFull(r, body); err == nil {
		var n int
		n, err = io.ReadFull(r, body[len(body):cap(body)])
		if n > 0 || errors.Is(err, io.EOF) {
			err = nil
		}
		if n > 0 {
			return nil, client.ErrSourceChanged
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, client.ErrSourceChanged
	}
	return &item{File: f, body: body, crc: crc64nvme.Update(0, body)}, err
}

// sendAll sends items until each has its result, or it is hopeless.
func (s *sender) sendAll(ctx context.Context, b []*item) error {
	var since time.Time
	for fails := 0; len(b) > 0; {
		part := s.cut(b)
		left, err := s.send(ctx, part)
		if len(left) < len(part) {
			fails, since = 0, time.Time{}
		}
		b = append(left, b[len(part):]...)
		if err == nil {
			s.size = min(2*s.size, s.top)
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		smaller := s.shrink(err, part)
		if !smaller && (client.IsTooLarge(err) || !client.IsRetryable(err)) {
			return err
		}
		if client.IsTooLarge(err) {
			continue // said clearly; nothing to wait for
		}
		if fails++; fails == 1 {
			since = time.Now()
		}
		if time.Since(since) > s.o.GiveUpAfter {
			return err
		}
		if err := s.wait(ctx, err, fails); err != nil {
			return err
		}
	}
	return nil
}

// cut takes what one request may have.
func (s *sender) cut(b []*item) []*item {
	var sum int64
	for i, it := range b {
		if sum += it.cost(); i > 0 && sum > s.size {
			return b[:i]
		}
	}
	return b
}

// shrink makes requests smaller after a failure that their size may have caused. It
// reports whether that can help.
func (s *sender) shrink(err error, part []*item) bool {
	var e *client.Error
	large := client.IsTooLarge(err)
	if !errors.As(err, &e) || !large && e.HTTPStatus != 0 && e.HTTPStatus != http.StatusRequestTimeout || len(part) < 2 {
		return false
	}
	if large {
		if s.size <= leastSize {
			return false
		}
		s.top = max(s.size/2, leastSize) // it is a limit, and stays one
	}
	s.size = max(s.size/2, leastSize)
	return true
}

func (s *sender) wait(ctx context.Context, err error, fails int) error {
	d := min(time.Second<<min(fails-1, 5), 30*time.Second)
	var e *client.Error
	if errors.As(err, &e) {
		d = max(d, min(e.RetryAfter, 5*time.Minute))
	}
	s.o.Waiting(err, d)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// send sends one request and reports what has an answer. left are the items that
// have none.
func (s *sender) send(ctx context.Context, b []*item) (left []*item, err error) {
	body, err := encode(b)
	if err != nil {
		return b, err
	}
	for _, it := range b {
		it.sends++
	}
	in, err := s.o.Client.Stream(ctx, op, "/file/batch", kind, body)
	if err != nil {
		var e *client.Error
		if errors.As(err, &e) && (e.HTTPStatus == http.StatusNotFound || e.HTTPStatus == http.StatusMethodNotAllowed) {
			err = errors.Join(ErrUnsupported, err)
		}
		return b, err
	}
	defer in.Close()
	answered := make([]bool, len(b))
	err = s.answers(in, b, answered)
	for i, it := range b {
		if !answered[i] {
			left = append(left, it)
		}
	}
	return left, err
}

// encode writes manifest and frames.
func encode(b []*item) ([]byte, error) {
	m := wire.BatchManifest{Files: make([]wire.BatchFile, len(b))}
	size := 0
	for i, it := range b {
		f := wire.BatchFile{
			URI: it.URI, Size: int64(len(it.body)), MimeType: it.MIME,
			ReprDigest: wire.FormatDigests(wire.Digest{Algorithm: wire.CRC64NVME, Sum: binary.BigEndian.AppendUint64(nil, it.crc)}),
		}
		if !it.Modified.IsZero() {
			f.LastModified = it.Modified.UnixMilli()
		}
		if it.Version {
			f.EntityType = string(wire.EntityVersion)
		}
		m.Files[i] = f
		size += len(it.body) + 16
	}
	text, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	out := bytes.NewBuffer(make([]byte, 0, len(text)+size))
	out.Write(append(text, '\n'))
	for i, it := range b {
		fmt.Fprintf(out, "%d %d\n", i, len(it.body))
		out.Write(it.body)
	}
	return out.Bytes(), nil
}

// line is an answer or the end.
type line struct {
	wire.BatchAnswer
	Index *int `json:"index"`
	Done  *int `json:"done"`
}

// maxLine is the longest line that is read.
const maxLine = 1 << 20

func (s *sender) answers(in io.Reader, b []*item, answered []bool) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	for lines.Scan() {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return &client.Error{Op: op, Message: "the answer is not one of this API", Err: err}
		}
		switch {
		case l.Done != nil && l.Code != wire.CodeOK:
			return &client.Error{Op: op, Code: l.Code, Message: l.Msg, CorrelationID: l.CorrelationID, HTTPStatus: http.StatusOK}
		case l.Done != nil:
			return nil
		case l.Index == nil || *l.Index < 0 || *l.Index >= len(b) || answered[*l.Index]:
			return &client.Error{Op: op, Message: "the answer is of no file that was sent", Err: io.ErrUnexpectedEOF}
		}
		answered[*l.Index] = true
		s.settle(b[*l.Index], l)
	}
	err := lines.Err()
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	var e *client.Error
	if errors.As(err, &e) || errors.Is(err, context.Canceled) {
		return err
	}
	return &client.Error{Op: op, Message: "the connection ended before the answer did", Err: err}
}

// settle reports an answer, or keeps the file to be sent again.
func (s *sender) settle(it *item, l line) {
	r := Result{File: it.File, Same: l.Same, Again: it.sends > 1}
	if l.Code == wire.CodeOK {
		r.Err = json.Unmarshal(l.Data, &r.Stored)
		s.done(r)
		return
	}
	e := &client.Error{Op: op, Code: l.Code, Message: l.Msg, CorrelationID: l.CorrelationID, HTTPStatus: http.StatusOK}
	if it.tries++; client.IsRetryable(e) && it.tries < maxTries {
		s.late, s.why = append(s.late, it), e
		return
	}
	if l.Code == wire.CodeLockConflict {
		_ = json.Unmarshal(l.Data, &e.Locks) // without them it is a conflict all the same
	}
	r.Err = e
	s.done(r)
}

package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/crc64nvme"
	"pgregory.net/rapid"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/memblob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// plain hides every ability of a driver but the least.
type plain struct{ blob.Driver }

// broken fails every call with err, unless a field says otherwise.
type broken struct {
	blob.Driver
	blob.Parts
	err error
}

func (b broken) Stat(context.Context, string) (blob.Info, error) { return blob.Info{}, b.err }
func (b broken) Delete(context.Context, []string) ([]blob.KeyError, error) {
	return []blob.KeyError{{Key: "k", Err: b.err}}, nil
}

func (b broken) List(context.Context, string, string, int) (blob.Page, error) {
	return blob.Page{}, b.err
}

func (b broken) Put(_ context.Context, _ string, src blob.Source, _ blob.PutOptions) (blob.Info, error) {
	_, _ = io.Copy(io.Discard, src)
	return blob.Info{}, b.err
}

func (b broken) Open(context.Context, string, core.Range) (io.ReadCloser, error) { return nil, b.err }

func (b broken) Staged(context.Context, blob.Handle, core.Range) (io.ReadCloser, error) {
	return nil, b.err
}
func (b broken) Close() error                               { return b.err }
func (b broken) Check() error                               { return b.err }
func (b broken) Free(context.Context) (int64, int64, error) { return 5, 10, nil }
func (b broken) Begin(context.Context, string, int64, blob.PutOptions) (blob.Handle, error) {
	return blob.Handle{}, b.err
}

func (b broken) WriteAt(_ context.Context, _ blob.Handle, _ core.Range, src io.Reader, _ blob.PutOptions) error {
	_, _ = io.Copy(io.Discard, src)
	return b.err
}

func (b broken) Commit(context.Context, blob.Handle, blob.PutOptions) (blob.Info, error) {
	return blob.Info{}, b.err
}
func (b broken) Abort(context.Context, blob.Handle) error { return b.err }
func (b broken) Pending(context.Context, string, int) ([]blob.Handle, error) {
	return nil, b.err
}

func (b broken) Classify(err error) errs.Kind {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return errs.NoSpace
	case errors.Is(err, syscall.EMFILE):
		return errs.Transient
	case errors.Is(err, fs.ErrNotExist):
		return errs.NotFound
	case errors.Is(err, fs.ErrExist):
		return errs.Exists
	}
	return errs.Internal
}

func TestBucketNamesEveryFailureOnce(t *testing.T) {
	h := blob.Handle{Key: "k", Size: 3}
	w := blob.Write{Range: span(0, 3), Body: strings.NewReader("abc")}
	calls := map[string]func(*blob.Bucket) error{
		"blob.Begin": func(b *blob.Bucket) error { _, err := b.Begin(t.Context(), "k", 3); return err },
		"blob.WriteAt": func(b *blob.Bucket) error {
			w.Body = strings.NewReader("abc")
			_, err := b.WriteAt(t.Context(), h, w)
			return err
		},
		"blob.Commit": func(b *blob.Bucket) error {
			_, err := b.Commit(t.Context(), h, []blob.Receipt{{Range: span(0, 3)}}, nil)
			return err
		},
		"blob.Abort":   func(b *blob.Bucket) error { return b.Abort(t.Context(), h) },
		"blob.Open":    func(b *blob.Bucket) error { _, err := b.Open(t.Context(), "k", span(0, 1), nil); return err },
		"blob.Put":     func(b *blob.Bucket) error { _, err := b.Put(t.Context(), "k", blobtest.Bytes(nil), nil); return err },
		"blob.Stat":    func(b *blob.Bucket) error { _, err := b.Stat(t.Context(), "k"); return err },
		"blob.List":    func(b *blob.Bucket) error { _, err := b.List(t.Context(), "", "", 1); return err },
		"blob.Pending": func(b *blob.Bucket) error { _, err := b.Pending(t.Context(), "", 1); return err },
		"blob.Check":   func(b *blob.Bucket) error { return b.Check() },
		"blob.Close":   func(b *blob.Bucket) error { return b.Close() },
		"blob.Delete": func(b *blob.Bucket) error {
			failed, err := b.Delete(t.Context(), []string{"k"})
			return errors.Join(err, failed[0].Err)
		},
	}
	for _, c := range []struct {
		err    error
		kind   errs.Kind
		reason errs.Reason
	}{
		{syscall.ENOSPC, errs.NoSpace, errs.DiskFull},
		{syscall.EMFILE, errs.Transient, errs.Overload},
		{fs.ErrNotExist, errs.NotFound, errs.RecoverNeeded},
		{fs.ErrExist, errs.Exists, errs.IOFailed},
		{syscall.EIO, errs.Internal, errs.IOFailed},
		{fmt.Errorf("%w: %w", blob.ErrSuspect, syscall.ENOSPC), errs.Internal, errs.StorageStopped},
		{context.Canceled, errs.Canceled, ""},
		{context.DeadlineExceeded, errs.Canceled, ""},
		{errs.New(errs.Conflict, errs.Locked), errs.Conflict, errs.Locked},
	} {
		b := blob.New(broken{err: c.err}, blob.Options{})
		for op, call := range calls {
			want := c.reason
			if op == "blob.Stat" && want == errs.RecoverNeeded {
				want = errs.VersionMissing
			}
			err := call(b)
			if !errs.Is(err, c.kind) || !errs.Has(err, want) || !errors.Is(err, c.err) {
				t.Errorf("%s of %v: %v", op, c.err, err)
			}
			if n := strings.Count(err.Error(), "blob."); n != 1 || !strings.HasPrefix(err.Error(), op) {
				t.Errorf("%s names %d stations: %v", op, n, err)
			}
		}
	}
	_, err := blob.New(broken{err: syscall.ENOSPC}, blob.Options{}).Begin(t.Context(), "k", 7)
	if !strings.Contains(err.Error(), "7 bytes needed, 5 free") {
		t.Errorf("a full disk does not say how full: %v", err)
	}
}

func TestBucketSaysWhatItsDriverCannot(t *testing.T) {
	b := blob.New(plain{memblob.Open()}, blob.Options{})
	if got := b.Can(); got != (blob.Abilities{}) {
		t.Errorf("%+v", got)
	}
	h := blob.Handle{Key: "k"}
	_, begin := b.Begin(t.Context(), "k", 1)
	_, write := b.WriteAt(t.Context(), h, blob.Write{})
	_, commit := b.Commit(t.Context(), h, nil, nil)
	_, file := b.OpenFile(t.Context(), "k")
	for _, err := range []error{begin, write, commit, file, b.Abort(t.Context(), h)} {
		if !errs.Is(err, errs.Unsupported) || !errs.Has(err, errs.PolicyUse) {
			t.Errorf("%v", err)
		}
	}
	if hs, err := b.Pending(t.Context(), "", 1); hs != nil || err != nil {
		t.Errorf("Pending: %v %v", hs, err)
	}
	if err := b.Check(); err != nil {
		t.Errorf("Check: %v", err)
	}
	if got := blob.New(memblob.Open(), blob.Options{}).Can(); got != (blob.Abilities{Parts: true}) {
		t.Errorf("%+v", got)
	}
}

func TestBucketLetsNoOtherKeysThrough(t *testing.T) {
	b := blob.New(memblob.Open(), blob.Options{})
	for _, key := range []string{"", "/", "/a", "a/", "a//b", "A", ".", "..", "a.b", "../a", "a\x00", "a b", "ä", strings.Repeat("a", 201)} {
		_, begin := b.Begin(t.Context(), key, 1)
		_, open := b.Open(t.Context(), key, span(0, 0), nil)
		_, put := b.Put(t.Context(), key, blobtest.Bytes(nil), nil)
		_, stat := b.Stat(t.Context(), key)
		_, del := b.Delete(t.Context(), []string{"ok", key})
		for _, err := range []error{begin, open, put, stat, del} {
			if !errs.Is(err, errs.Internal) || !errs.Has(err, errs.BadParam) {
				t.Errorf("%q: %v", key, err)
			}
		}
	}
}

func TestSizesAreBounded(t *testing.T) {
	b := blob.New(memblob.Open(), blob.Options{})
	for _, size := range []int64{-1, blob.MaxSize + 1, -1 << 63, 1<<63 - 1} {
		if _, err := b.Begin(t.Context(), "k", size); !errs.Is(err, errs.Invalid) {
			t.Errorf("Begin of %d: %v", size, err)
		}
	}
	h, err := b.Begin(t.Context(), "k", 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []core.Range{span(-1, 3), span(4, 3), span(0, 11), span(11, 11), span(1<<63-1, -1<<63)} {
		if _, err := b.WriteAt(t.Context(), h, blob.Write{Range: r, Body: strings.NewReader("")}); !errs.Has(err, errs.ChunkIndex) {
			t.Errorf("WriteAt %v: %v", r, err)
		}
	}
	if _, err := blob.Measure(blob.Write{Range: span(4, 3)}, false); !errs.Has(err, errs.ChunkIndex) {
		t.Errorf("Measure: %v", err)
	}
	if _, err := b.Open(t.Context(), "k", span(4, 3), nil); !errs.Is(err, errs.Invalid) {
		t.Errorf("Open: %v", err)
	}
}

// A fault of the sender and a fault of the storage must never be taken for each
// other: one asks for the chunk again, the other for the administrator.
func TestFaultsOfTheBodyAreToldFromThoseOfTheStorage(t *testing.T) {
	data := blobtest.Content(1, 100_000)
	named := errs.New(errs.TooLarge, errs.FileTooLarge)
	for what, c := range map[string]struct {
		body   io.Reader
		kind   errs.Kind
		reason errs.Reason
	}{
		"timeout":      {iotest.TimeoutReader(bytes.NewReader(data)), errs.Transient, errs.ChunkShort},
		"reset":        {iotest.ErrReader(syscall.ECONNRESET), errs.Transient, errs.ChunkShort},
		"named":        {iotest.ErrReader(named), errs.TooLarge, errs.FileTooLarge},
		"client gone":  {iotest.ErrReader(context.Canceled), errs.Canceled, errs.ChunkShort},
		"no progress":  {idle{}, errs.Transient, errs.ChunkShort},
		"idle at end":  {io.MultiReader(bytes.NewReader(data), idle{}), errs.Transient, errs.ChunkShort},
		"broken end":   {io.MultiReader(bytes.NewReader(data), iotest.ErrReader(io.ErrUnexpectedEOF)), errs.Transient, errs.ChunkShort},
		"disk is full": {bytes.NewReader(data), errs.NoSpace, errs.DiskFull},
	} {
		// The storage fails in every case; it must be blamed in the last only.
		b := blob.New(broken{err: syscall.ENOSPC}, blob.Options{})
		_, err := b.WriteAt(t.Context(), blob.Handle{Key: "k", Size: 100_000}, blob.Write{Range: span(0, 100_000), Body: c.body})
		if !errs.Is(err, c.kind) || !errs.Has(err, c.reason) {
			t.Errorf("%s: %v", what, err)
		}
		if what == "disk is full" {
			continue
		}
		if _, err := blob.Measure(blob.Write{Range: span(0, 100_000), Body: c.body}, false); err == nil {
			t.Errorf("%s: Measure saw nothing", what)
		}
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

func TestADriverThatDoesNotReadToTheEndIsFoundOut(t *testing.T) {
	d := memblob.Open()
	b := blob.New(struct {
		blob.Driver
		lazy
	}{d, lazy{d.(blob.Parts)}}, blob.Options{})
	h, err := b.Begin(t.Context(), "k", 10)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.WriteAt(t.Context(), h, blob.Write{Range: span(0, 10), Body: strings.NewReader("0123456789")})
	if !errs.Is(err, errs.Internal) || !errs.Has(err, errs.IOFailed) {
		t.Errorf("%v", err)
	}
	if _, err = b.Commit(t.Context(), h, []blob.Receipt{{Range: span(0, 10)}}, nil); !errs.Is(err, errs.Internal) {
		t.Errorf("a commit of another size: %v", err)
	}
}

// lazy stores half and says that all is well.
type lazy struct{ blob.Parts }

func (l lazy) WriteAt(_ context.Context, _ blob.Handle, _ core.Range, src io.Reader, _ blob.PutOptions) error {
	_, err := src.Read(make([]byte, 5))
	return err
}

func (l lazy) Commit(context.Context, blob.Handle, blob.PutOptions) (blob.Info, error) {
	return blob.Info{Size: 5}, nil
}

func TestReceiptsMustCoverTheFileExactly(t *testing.T) {
	b := blob.New(memblob.Open(), blob.Options{})
	h, err := b.Begin(t.Context(), "k", 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []blob.Receipt
	for _, r := range []core.Range{span(0, 4), span(4, 10)} {
		g, err := b.WriteAt(t.Context(), h, blob.Write{Range: r, Body: strings.NewReader("abcdefghij"[r.From:r.To])})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, g)
	}
	for what, bad := range map[string][]blob.Receipt{
		"none":     nil,
		"gap":      {got[0], {Range: span(5, 10)}},
		"overlap":  {got[0], {Range: span(3, 10)}},
		"twice":    {got[0], got[0], got[1]},
		"no end":   got[:1],
		"no start": got[1:],
		"too much": {got[0], got[1], {Range: span(10, 11)}},
		"no range": {got[0], {Range: span(4, 3)}, got[1]},
	} {
		if _, err := b.Commit(t.Context(), h, bad, nil); !errs.Is(err, errs.Internal) {
			t.Errorf("%s: %v", what, err)
		}
	}
	sum, err := b.Commit(t.Context(), h, []blob.Receipt{got[1], {Range: span(4, 4)}, got[0], {Range: span(10, 10)}}, nil)
	if err != nil || sum.CRC64 != crc64nvme.Checksum([]byte("abcdefghij")) || sum.SHA256 != nil {
		t.Errorf("%+v, %v", sum, err)
	}
}

// The one property: whatever the plan, order, pace and cipher, the sums are
// those of the content and the content comes back.
func TestAnyUploadComesBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(t, "data")
		chunk := rapid.Int64Range(1, 700).Draw(t, "chunk")
		sha := rapid.Bool().Draw(t, "sha")
		b := blob.New(memblob.Open(), blob.Options{SHA256: sha})
		var c *blob.Cipher
		sealed := false
		if rapid.Bool().Draw(t, "ciphered") {
			c, sealed = blob.NewCipher(), rapid.Bool().Draw(t, "sealed")
		}
		sent := bytes.Clone(data)
		if sealed {
			c.Stream(0).XORKeyStream(sent, sent)
		}
		size := int64(len(data))
		h, err := b.Begin(t.Context(), "k", size)
		if err != nil {
			t.Fatal(err)
		}
		order := make([]int64, blob.Chunks(size, chunk))
		for i := range order {
			order[i] = int64(i)
		}
		var got []blob.Receipt
		for _, i := range rapid.Permutation(order).Draw(t, "order") {
			r, err := blob.ChunkRange(size, chunk, i)
			if err != nil {
				t.Fatal(err)
			}
			g, err := b.WriteAt(t.Context(), h, write(t, r, sent, c, sealed))
			if err != nil {
				t.Fatal(err)
			}
			m, err := blob.Measure(write(t, r, sent, c, sealed), sha)
			if diff := cmp.Diff(g, m); diff != "" || err != nil {
				t.Fatalf("Measure differs: %v\n%s", err, diff)
			}
			got = append(got, g)
		}
		sum, err := b.Commit(t.Context(), h, got, c)
		if err != nil || sum.CRC64 != crc64nvme.Checksum(data) || sum.Size != size {
			t.Fatalf("%+v, %v", sum, err)
		}
		if want := sha256.Sum256(data); sha && !bytes.Equal(sum.SHA256, want[:]) || !sha && sum.SHA256 != nil {
			t.Fatalf("SHA-256 %x", sum.SHA256)
		}
		from := rapid.Int64Range(0, size).Draw(t, "from")
		to := rapid.Int64Range(from, size).Draw(t, "to")
		body, err := b.Open(t.Context(), "k", span(from, to), c)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := io.ReadAll(iotest.OneByteReader(body)); err != nil || !bytes.Equal(back, data[from:to]) {
			t.Fatalf("%d to %d come back as other bytes: %v", from, to, err)
		}
		if err := body.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// write draws a body of the bytes r and true claims about it.
func write(t *rapid.T, r core.Range, sent []byte, c *blob.Cipher, sealed bool) blob.Write {
	part := sent[r.From:r.To]
	sum := sha256.Sum256(part)
	paces := map[string]io.Reader{
		"plain": bytes.NewReader(part), "bytes": iotest.OneByteReader(bytes.NewReader(part)),
		"halves": iotest.HalfReader(bytes.NewReader(part)), "data and end at once": iotest.DataErrReader(bytes.NewReader(part)),
	}
	return blob.Write{
		Range:  r,
		Body:   paces[rapid.SampledFrom(slices.Sorted(maps.Keys(paces))).Draw(t, "pace")],
		Cipher: c,
		Sealed: sealed,
		Want:   []blob.Digest{{Algorithm: blob.SHA256, Value: sum[:]}, blob.CRC(crc64nvme.Checksum(part))},
	}
}

func TestASealedBodyNeedsItsCipher(t *testing.T) {
	_, err := blob.Measure(blob.Write{Range: span(0, 1), Body: strings.NewReader("x"), Sealed: true}, false)
	if !errs.Has(err, errs.CipherFailed) {
		t.Errorf("%v", err)
	}
}

func TestDigestsOfEveryAlgorithmAreHeldTo(t *testing.T) {
	body := func() io.Reader { return strings.NewReader("abc") }
	for _, n := range []struct {
		algorithm string
		size      int
	}{{blob.SHA256, 32}, {blob.SHA512, 64}, {blob.CRC64NVME, 8}} {
		for _, sha := range []bool{false, true} {
			_, err := blob.Measure(blob.Write{Range: span(0, 3), Body: body(), Want: []blob.Digest{{Algorithm: n.algorithm, Value: make([]byte, n.size)}}}, sha)
			if !errs.Is(err, errs.Invalid) || !errs.Has(err, errs.DigestMismatch) {
				t.Errorf("%s: %v", n.algorithm, err)
			}
			_, err = blob.Measure(blob.Write{Range: span(0, 3), Body: body(), Want: []blob.Digest{{Algorithm: n.algorithm, Value: nil}}}, sha)
			if !errs.Has(err, errs.BadParam) {
				t.Errorf("%s of no bytes: %v", n.algorithm, err)
			}
		}
	}
	// A claim about an empty body is held to before the driver is asked.
	_, err := blob.New(broken{}, blob.Options{}).WriteAt(t.Context(), blob.Handle{Key: "k"}, blob.Write{Body: strings.NewReader(""), Want: []blob.Digest{blob.CRC(1)}})
	if !errs.Has(err, errs.DigestMismatch) {
		t.Errorf("empty body: %v", err)
	}
}

// retrying stores a source at its second try.
type retrying struct{ blob.Driver }

func (r retrying) Put(ctx context.Context, key string, src blob.Source, o blob.PutOptions) (blob.Info, error) {
	if _, err := io.CopyN(io.Discard, src, 3); err != nil {
		return blob.Info{}, err
	}
	if err := src.Rewind(); err != nil {
		return blob.Info{}, err
	}
	return r.Driver.Put(ctx, key, src, o)
}

func TestPutIsMeasuredFromTheLastTry(t *testing.T) {
	b := blob.New(retrying{memblob.Open()}, blob.Options{SHA256: true})
	data, c := blobtest.Content(1, 5000), blob.NewCipher()
	sum, err := b.Put(t.Context(), "k", blobtest.Bytes(data), c)
	want := sha256.Sum256(data)
	if err != nil || sum.CRC64 != crc64nvme.Checksum(data) || !bytes.Equal(sum.SHA256, want[:]) {
		t.Fatalf("%+v, %v", sum, err)
	}
	body, err := b.Open(t.Context(), "k", span(0, 5000), c)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, data) {
		t.Errorf("other bytes: %v", err)
	}
	if _, err := b.Put(t.Context(), "s", stuck{blobtest.Bytes(data)}, nil); err == nil {
		t.Error("a source that cannot go back was tried again")
	}
}

type stuck struct{ blob.Source }

func (stuck) Rewind() error { return errors.New("no way back") }

// short gives readers that end early, or fail.
type short struct {
	blob.Driver
	body io.Reader
}

func (s short) Open(context.Context, string, core.Range) (io.ReadCloser, error) {
	return io.NopCloser(s.body), nil
}

func TestReadersFailRatherThanEndEarly(t *testing.T) {
	for what, body := range map[string]io.Reader{
		"short": strings.NewReader("abc"),
		"EIO":   io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(syscall.EIO)),
	} {
		b := blob.New(short{memblob.Open(), body}, blob.Options{})
		r, err := b.Open(t.Context(), "k", span(0, 4), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if string(got) != "abc" || !errs.Is(err, errs.Internal) || !errs.Has(err, errs.IOFailed) {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	// One that goes on too long is cut.
	b := blob.New(short{memblob.Open(), strings.NewReader("abcdef")}, blob.Options{})
	r, err := b.Open(t.Context(), "k", span(0, 4), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); string(got) != "abcd" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// rotten changes staged bytes behind our back.
type rotten struct {
	blob.Driver
	blob.Parts
}

func (r rotten) Staged(ctx context.Context, h blob.Handle, at core.Range) (io.ReadCloser, error) {
	body, err := r.Parts.Staged(ctx, h, at)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(io.MultiReader(strings.NewReader("?"), io.NewSectionReader(body.(io.ReaderAt), 1, at.Len()-1))), nil
}

type readerAt struct{ blob.Parts }

func (r readerAt) Staged(ctx context.Context, h blob.Handle, at core.Range) (io.ReadCloser, error) {
	body, err := r.Parts.Staged(ctx, h, at)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(body)
	return struct {
		*bytes.Reader
		io.Closer
	}{bytes.NewReader(data), body}, err
}

func TestCommitFindsBytesThatChangedOnTheWay(t *testing.T) {
	d := memblob.Open()
	for _, c := range []struct {
		o     blob.Options
		again bool // the upload began in an earlier process
		found bool // else nobody looked
	}{
		{blob.Options{SHA256: true}, false, true},
		{blob.Options{}, false, false},
		{blob.Options{}, true, true},
		{blob.Options{Sync: blob.SyncComplete}, false, false},
		{blob.Options{Sync: blob.SyncComplete}, true, true},
		{blob.Options{Sync: blob.SyncNever}, true, true},
	} {
		b := blob.New(rotten{d, readerAt{d.(blob.Parts)}}, c.o)
		h, err := b.Begin(t.Context(), "k", 6)
		if err != nil {
			t.Fatal(err)
		}
		var got []blob.Receipt
		for _, r := range []core.Range{span(0, 3), span(3, 6)} {
			g, err := b.WriteAt(t.Context(), h, blob.Write{Range: r, Body: strings.NewReader("abcdef"[r.From:r.To])})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, g)
		}
		if c.again {
			b = blob.New(rotten{d, readerAt{d.(blob.Parts)}}, c.o)
		}
		_, err = b.Commit(t.Context(), h, got, nil)
		if (err != nil) != c.found || c.found && !errs.Is(err, errs.Internal) {
			t.Errorf("%+v: %v", c, err)
		}
		if err := b.Abort(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Delete(t.Context(), []string{"k"}); err != nil {
			t.Fatal(err)
		}
	}
}

package trial

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Options are what is tried, and how. All but Site are needed.
type Options struct {
	Bucket *blob.Bucket
	Client http.RoundTripper
	Clock  core.Clock
	Site   *url.URL // public address of the site; nil: not known
	Relay  bool     // clients do not go to the store by themselves
}

// Step is one thing that was tried.
type Step struct {
	What string
	Err  error  // nil: it works
	Fix  string // what to do about Err
}

// Cause is what a person is told of Err.
func (s Step) Cause() string {
	err := s.Err
	for {
		e, ok := errors.AsType[*errs.Error](err)
		switch {
		case !ok:
			return err.Error()
		case e.Note != "":
			return e.Note
		case e.Err == nil:
			return e.Error()
		}
		err = e.Err
	}
}

// Run tries what a storage policy needs at its vendor, one by one, with objects of
// its own that it removes. Each step is told as it ends; the error is that of the
// first one that failed. Unsupported/policy_use for a bucket on this machine.
func Run(ctx context.Context, o Options, tell func(Step)) error {
	const op = "trial.Run"
	if !o.Bucket.Can().Direct {
		return errs.Newf(errs.Unsupported, errs.PolicyUse, "This storage policy keeps its files on this machine: nothing is to be tried at a vendor.").At(op)
	}
	t := trial{Options: o, now: o.Clock(), key: strings.ReplaceAll(core.NewUUID(), "-", "")}
	t.small, t.large = []byte(rand.Text()), make([]byte, 2*leastPart+1)
	_, _ = rand.Read(t.large) // never fails since Go 1.24
	var first error
	for _, s := range t.steps() {
		s.Err = s.do(ctx)
		tell(s.Step)
		if first == nil {
			first = s.Err
		}
		if s.Err != nil && s.last {
			break
		}
	}
	return errs.Wrap(op, first)
}

// leastPart is the smallest part but the last that all stores take.
const leastPart = 5 << 20

// trial is one try of a policy.
type trial struct {
	Options
	now          time.Time
	key          string
	small, large []byte
	first        http.Header // of the first answer
}

type step struct {
	Step
	do   func(context.Context) error
	last bool // if it fails nothing else can be told
}

const rights = "Check the endpoint, the region, both keys and the clock of this machine; the key needs the right to "

func (t *trial) steps() []step {
	all := []step{
		{Step: Step{What: "reach the store", Fix: "Check the endpoint, http or https, the port, and what lies between: name service, firewall, proxy."}, do: t.reach, last: true},
		{Step: Step{What: "the clock of this machine agrees with the store's", Fix: "Set the clock of this machine, by NTP for instance: the store refuses what was signed at another time."}, do: t.clock},
		{Step: Step{What: "store an object", Fix: rights + "put objects."}, do: t.put},
		{Step: Step{What: "read it, and some bytes of it", Fix: rights + "get objects."}, do: t.get},
		{Step: Step{What: "read it from a signed address, as clients do", Fix: "The address for clients must lead to the bucket: see --public-endpoint and --path-style."}, do: t.link},
		{Step: Step{What: "upload three parts to signed addresses", Fix: rights + "put objects and list the parts of uploads."}, do: t.parts},
		{Step: Step{What: "list objects and unfinished uploads", Fix: rights + "list the bucket and its multipart uploads."}, do: t.list},
		{Step: Step{What: "abort an upload", Fix: rights + "abort multipart uploads."}, do: t.abort},
		{Step: Step{What: "delete objects", Fix: rights + "delete objects. What was stored for this test has a key that begins with the policy's prefix."}, do: t.remove},
	}
	if t.Relay {
		return all
	}
	return slices.Insert(all, len(all)-1,
		step{Step: Step{What: "a browser on this site's page may send to the bucket (CORS)", Fix: "Let this site's origin in: wharf policy cors NAME, or the button on the policy's page."}, do: t.cors},
		step{Step: Step{What: "a browser may read the ETag of what it sent", Fix: "Add ETag to what the bucket exposes: wharf policy cors NAME, or the button on the policy's page."}, do: t.exposed},
		step{Step: Step{What: "clients reach the address that they call when they are done", Fix: "Start the server with --site-url and the address that clients reach. Until then uploads end by themselves within some minutes."}, do: t.callback},
	)
}

func (t *trial) put(ctx context.Context) error {
	_, err := t.Bucket.PutWhole(ctx, t.key, blob.Write{Range: core.Range{To: int64(len(t.small))}, Body: bytes.NewReader(t.small)})
	return err
}

func (t *trial) get(ctx context.Context) error {
	if err := t.holds(ctx, t.key, core.Range{To: int64(len(t.small))}, t.small); err != nil {
		return err
	}
	return t.holds(ctx, t.key, core.Range{From: 3, To: 9}, t.small[3:9])
}

func (t *trial) holds(ctx context.Context, key string, r core.Range, want []byte) error {
	body, err := t.Bucket.Open(ctx, key, r, nil)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // read only
	got, err := io.ReadAll(body)
	if err == nil && !bytes.Equal(got, want) {
		err = errs.Newf(errs.Internal, errs.IOFailed, "%d other bytes came back", len(got))
	}
	return err
}

func (t *trial) link(ctx context.Context) error {
	address, err := t.Bucket.Link(ctx, t.key, blob.LinkOptions{Now: t.now, Until: t.now.Add(time.Hour), Name: "try.txt", Attachment: true})
	if err != nil {
		return err
	}
	got, _, err := t.send(ctx, http.MethodGet, address, nil, nil)
	if err == nil && !bytes.Equal(got, t.small) {
		err = errs.Newf(errs.Internal, errs.IOFailed, "%d other bytes came back", len(got))
	}
	return err
}

// send makes a request as a client would.
func (t *trial) send(ctx context.Context, method, address string, body []byte, header http.Header) ([]byte, http.Header, error) {
	const op = "trial.send"
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, nil, errs.Wrap(op, err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	answer, err := t.Client.RoundTrip(r)
	if err != nil {
		return nil, nil, errs.As(op, errs.Transient, errs.IOFailed, err)
	}
	defer func() { _ = answer.Body.Close() }() // read only
	got, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return nil, nil, errs.As(op, errs.Transient, errs.IOFailed, err)
	}
	if answer.StatusCode/100 != 2 {
		return nil, answer.Header, errs.Newf(errs.Forbidden, errs.IOFailed, "the store answered %s: %.300s", answer.Status, got).At(op)
	}
	return got, answer.Header, nil
}

func (t *trial) ask() blob.Ask {
	return blob.Ask{Key: t.key + "-parts", Size: int64(len(t.large)), PartSize: leastPart, Now: t.now, Until: t.now.Add(time.Hour)}
}

func (t *trial) parts(ctx context.Context) error {
	a := t.ask()
	h, err := t.Bucket.Grant(ctx, a)
	if err != nil {
		return err
	}
	signed, err := t.Bucket.Sign(ctx, h, a, 0, a.Parts())
	if err != nil {
		return err
	}
	for n, address := range signed.Parts {
		from := int64(n) * a.PartSize
		if _, _, err := t.send(ctx, http.MethodPut, address, t.large[from:from+a.Part(n)], signed.Header); err != nil {
			return fmt.Errorf("part %d: %w", n+1, err)
		}
	}
	seen, err := t.Bucket.Confirm(ctx, h)
	if err == nil {
		_, err = t.Bucket.Finish(ctx, h, seen.Parts)
	}
	if err != nil {
		return err
	}
	return t.holds(ctx, a.Key, core.Range{To: a.Size}, t.large)
}

func (t *trial) list(ctx context.Context) error {
	page, err := t.Bucket.List(ctx, t.key, "", 10)
	if err != nil {
		return err
	}
	if len(page.Objects) == 0 {
		return errs.Newf(errs.Internal, errs.IOFailed, "the list does not have what was stored")
	}
	_, err = t.Bucket.Pending(ctx, "", 1)
	return err
}

func (t *trial) abort(ctx context.Context) error {
	a := t.ask()
	a.Key += "-not"
	h, err := t.Bucket.Grant(ctx, a)
	if err != nil {
		return err
	}
	return t.Bucket.Revoke(ctx, h)
}

func (t *trial) remove(ctx context.Context) error {
	failed, err := t.Bucket.Delete(ctx, []string{t.key, t.ask().Key})
	if err == nil && len(failed) > 0 {
		err = failed[0].Err
	}
	return err
}

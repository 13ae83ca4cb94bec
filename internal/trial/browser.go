package trial

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// mostOff is the difference of clocks that is worth telling; S3 and its like refuse
// at 15 minutes.
const mostOff = 5 * time.Minute

// reach takes any answer, a refusal too.
func (t *trial) reach(ctx context.Context) error {
	address, err := t.address(ctx)
	if err != nil {
		return err
	}
	bare, _, _ := strings.Cut(address, "?")
	_, t.first, err = t.send(ctx, http.MethodGet, bare, nil, nil)
	if t.first == nil {
		return err
	}
	return nil
}

// clock compares the time of the first answer with ours.
func (t *trial) clock(context.Context) error {
	date, err := http.ParseTime(t.first.Get("Date"))
	if err != nil {
		return nil //nolint:nilerr // a store that tells no time does not compare it
	}
	if off := t.Clock().Sub(date).Round(time.Second); off.Abs() > mostOff {
		return broken("it is %v away from the store's", off)
	}
	return nil
}

// broken is a defect that was found.
func broken(format string, args ...any) error {
	return errs.Newf(errs.Invalid, errs.PolicyUse, format, args...)
}

// address is one that a client would read from.
func (t *trial) address(ctx context.Context) (string, error) {
	return t.Bucket.Link(ctx, t.key, blob.LinkOptions{Now: t.now, Until: t.now.Add(time.Hour)})
}

// origin is where our page comes from.
func (t *trial) origin() (string, error) {
	if t.Site == nil {
		return "", broken("not tried: this site's public address is not known. Start the server with --site-url")
	}
	return t.Site.Scheme + "://" + t.Site.Host, nil
}

// cors asks what a browser asks before it sends a part (Fetch Standard,
// "CORS-preflight fetch").
func (t *trial) cors(ctx context.Context) error {
	origin, err := t.origin()
	if err != nil {
		return err
	}
	address, err := t.address(ctx)
	if err != nil {
		return err
	}
	_, h, err := t.send(ctx, http.MethodOptions, address, nil, http.Header{
		"Origin": {origin}, "Access-Control-Request-Method": {http.MethodPut}, "Access-Control-Request-Headers": {"content-type"},
	})
	if h == nil {
		return err
	}
	if err := admits(h, origin); err != nil {
		return err
	}
	if methods := h.Get("Access-Control-Allow-Methods"); !lists(methods, http.MethodPut) {
		return broken("the bucket lets pages of %s do %q, which lacks PUT", origin, methods)
	}
	return nil
}

func admits(h http.Header, origin string) error {
	if got := h.Get("Access-Control-Allow-Origin"); got != "*" && got != origin {
		return broken("the bucket does not let pages of %s in (Access-Control-Allow-Origin is %q)", origin, got)
	}
	return nil
}

// exposed reads as a page would, and looks whether it could see the ETag.
func (t *trial) exposed(ctx context.Context) error {
	origin, err := t.origin()
	if err != nil {
		return err
	}
	address, err := t.address(ctx)
	if err != nil {
		return err
	}
	_, h, err := t.send(ctx, http.MethodGet, address, nil, http.Header{"Origin": {origin}})
	if err != nil {
		return err
	}
	if err := admits(h, origin); err != nil {
		return err
	}
	if names := h.Get("Access-Control-Expose-Headers"); !lists(names, "ETag") {
		return broken("a page sees %q of an answer, which lacks ETag", names)
	}
	return nil
}

// lists reports whether a list of names, as headers have them, has one or is open.
func lists(list, name string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.EqualFold(one, name) {
			return true
		}
	}
	return false
}

// callback looks whether the site's address is one that others can reach. Whether
// they do, only they can tell.
func (t *trial) callback(ctx context.Context) error {
	if t.Site == nil {
		return broken("this site's public address is not known")
	}
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", t.Site.Hostname())
	if err != nil {
		return broken("%s cannot be found: %v", t.Site.Hostname(), err)
	}
	for _, a := range all {
		if inside(a.Unmap()) {
			return broken("%s is %v, which nobody outside can reach", t.Site.Hostname(), a)
		}
	}
	return nil
}

// inside reports whether an address means something on its own network only.
func inside(a netip.Addr) bool {
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast()
}

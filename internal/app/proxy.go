package app

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// proxies are the peers whose forwarded headers are believed.
type proxies []netip.Prefix

// parseProxies reads addresses and networks, such as 10.0.0.0/8 or ::1.
func parseProxies(list []string) (proxies, error) {
	const op = "app.parseProxies"
	var out proxies
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			var a netip.Addr
			if a, err = netip.ParseAddr(text); err == nil {
				p = netip.PrefixFrom(a, a.BitLen())
			}
		}
		if err != nil {
			return nil, errs.Newf(errs.Invalid, errs.BadParam,
				"The trusted proxy %q is neither an address nor a network such as 10.0.0.0/8.", text).At(op).Because(err)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

func (p proxies) trust(a netip.Addr) bool {
	for _, n := range p {
		if n.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

// unfold gives a request that a trusted proxy forwarded the address of its real
// sender: the last in X-Forwarded-For that is not a trusted proxy itself. From
// anybody else the header means nothing. X-Forwarded-Proto says whether links
// are https.
func (p proxies) unfold(r *http.Request) *http.Request {
	if len(p) == 0 {
		return r
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !p.trust(peer.Addr()) {
		return r
	}
	r = r.Clone(r.Context())
	if r.Header.Get("X-Forwarded-Proto") == "https" {
		r.URL.Scheme = "https"
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		r.RemoteAddr = net.JoinHostPort(a.Unmap().String(), "0")
		if !p.trust(a) {
			break
		}
	}
	return r
}

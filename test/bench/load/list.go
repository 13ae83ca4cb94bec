//go:build linux

package load

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Page is a page of a folder: where it is, and how to ask for it.
type Page struct {
	Mode  string
	Dir   string
	Order string
	Token string // "": the first
}

type listing struct {
	Files      []struct{ Name string }
	Pagination struct {
		Token string `json:"next_token"`
	}
}

const pageSize = 100

func (t *v4) page(k *conn, p Page, size int) (listing, time.Duration, error) {
	q := url.Values{
		"uri": {uri(p.Dir)}, "page_size": {fmt.Sprint(size)}, "order_by": {p.Order}, "order_direction": {"asc"},
	}
	if p.Token != "" {
		q.Set("next_page_token", p.Token)
	}
	var l listing
	r := request{method: http.MethodGet, path: "/api/v4/file?" + q.Encode(), header: t.auth}
	a := time.Now()
	got, err := k.do(r)
	d := time.Since(a)
	return l, d, decode(got, err, "list", &l)
}

// Walk goes through the folder by its own tokens and returns the first page and the
// one after the first deep files.
func Walk(addr string, first Page, deep int) ([]Page, error) {
	t := &v4{addr: addr}
	k, err := dial(addr)
	if err != nil {
		return nil, err
	}
	defer k.close()
	if err := t.signIn(k); err != nil {
		return nil, err
	}
	at := first
	for seen := 0; seen < deep; {
		l, _, err := t.page(k, at, min(1000, max(pageSize, deep-seen)))
		if err != nil {
			return nil, err
		}
		if seen += len(l.Files); l.Pagination.Token == "" || len(l.Files) == 0 {
			return nil, fmt.Errorf("%s by %s ends after %d files", first.Dir, first.Order, seen)
		}
		at.Token = l.Pagination.Token
	}
	at.Mode = first.Mode + "/deep"
	first.Mode += "/first"
	return []Page{first, at}, nil
}

// List asks for a page again and again.
func (r Run) List(p Page, reps int) Result {
	out := r.result(p.Mode)
	t, ok := r.Target.(*v4)
	if !ok {
		return out.failed(errors.New("lists are measured over v4 only"))
	}
	k, err := dial(r.Addr)
	if err != nil {
		return out.failed(err)
	}
	defer k.close()
	if err := t.signIn(k); err != nil {
		return out.failed(err)
	}
	var took []time.Duration
	first := ""
	m, t0 := startMeter(r.PID), time.Now()
	for range reps {
		l, d, err := t.page(k, p, pageSize)
		if err != nil {
			return out.failed(err)
		}
		if len(l.Files) != pageSize || first != "" && l.Files[0].Name != first {
			return out.failed(fmt.Errorf("a page of %d files that is not the one before", len(l.Files)))
		}
		first = l.Files[0].Name
		took = append(took, d)
	}
	out.latencies(took, out.finish(m, t0))
	out.Verified = true
	return out
}

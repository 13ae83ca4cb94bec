package policies_test

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

// TestAStoreThatAnswersWronglyIsAskedUntilItAnswers has the emulators break each kind
// of request that finishes an upload, in each way, twice: the callback fails, and the
// reconciler makes one file of it all the same. The store has all parts; in one half
// of the cases its client has completed the upload, in the other nobody has.
func TestAStoreThatAnswersWronglyIsAskedUntilItAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("one server for each case; left out in short mode")
	}
	faults := map[string]shelf.Kind{
		"reset": shelf.Reset, "lost": shelf.Lost, "busy": shelf.Busy, "busy, but done": shelf.BusyDone, "a page of HTML": shelf.Page, "cut": shelf.Cut,
	}
	for _, w := range worlds {
		if !w.emulated {
			continue
		}
		for name, kind := range faults {
			for _, completed := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/completed=%v", w.kind, name, completed), func(t *testing.T) {
					t.Parallel()
					p := newPlace(t, w.start, false)
					data := noise(p.size())
					p.deaf.Store(true)
					u := p.create("f")
					tags := p.sendAll(u, data)
					if completed {
						p.complete(u, tags)
					}
					for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodPost} {
						p.store.front.Fail(shelf.Fault{Kind: kind, Method: method, Times: 2})
					}
					p.until("it is completed", 30*time.Second, func() bool { _, reserved := p.api.Capacity(); return reserved == 0 })
					p.one("f", data)
					if p.later.Load() > int64(time.Hour) {
						t.Errorf("it took %v", time.Duration(p.later.Load()))
					}
				})
			}
		}
	}
}

// TestAPartThatBreaksOffWithItsClientMakesNoFile is for stores that keep such a part
// and list it with the length that was announced. The other part is in, and nobody
// comes back: the server may not take that for a whole file.
func TestAPartThatBreaksOffWithItsClientMakesNoFile(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real stores; left out in short mode")
	}
	for _, w := range worlds {
		t.Run(w.kind, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, w.start, false)
			data := noise(p.size())
			u := p.create("f")
			p.send(u, data, 1)
			p.breakOff(u, data, 0)
			p.until("the session is over", 10*time.Second, func() bool { _, reserved := p.api.Capacity(); return reserved == 0 })
			if files := p.api.List(uri("")); len(files) != 0 {
				t.Fatalf("a file of it: %v", files)
			}
			p.none()
		})
	}
}

// breakOff sends a fifth of part n, and is gone.
func (p *place) breakOff(u ticket, data []byte, n int) {
	p.Helper()
	at, err := url.Parse(u.UploadURLs[n])
	if err != nil {
		p.Fatal(err)
	}
	c, err := new(net.Dialer).DialContext(p.Context(), "tcp", cmp.Or(p.store.addr, at.Host))
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	part := u.part(data, n)
	fmt.Fprintf(c, "PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n",
		at.RequestURI(), at.Host, len(part))
	if _, err := c.Write(part[:len(part)/5]); err != nil {
		p.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		p.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, c) // until it is done with us
}

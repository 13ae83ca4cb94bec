package policies_test

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/test/rig"
)

// TestADownloadComesFromTheStoreUnlessItMayNot asks for addresses of files in each
// kind of store, by everybody who may and in every way.
func TestADownloadComesFromTheStoreUnlessItMayNot(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real stores; left out in short mode")
	}
	for _, w := range worlds {
		t.Run(w.kind, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, w.start, false)
			p.put("page.html")
			p.put("photo.png")

			p.shown("page.html", false, "attachment", "application/octet-stream") // it would run where the store is
			p.shown("page.html", true, "attachment", "application/octet-stream")
			p.shown("photo.png", false, "inline", "image/png")
			p.shown("photo.png", true, "attachment", "image/png")

			p.comesFrom("a file", true, p.link(map[string]any{"uris": []string{uri("photo.png")}}))
			p.comesFrom("a file that was asked for here", false, p.link(map[string]any{"uris": []string{uri("photo.png")}, "relay": true}))
			p.comesFrom("an archive", false, p.link(map[string]any{"uris": []string{uri("photo.png"), uri("page.html")}, "archive": true}))

			var short string
			p.api.Call(http.MethodPut, "/share", map[string]any{"uri": uri("photo.png")}, &short)
			id := short[strings.LastIndex(short, "/")+1:]
			p.comesFrom("a shared file", false, p.link(map[string]any{"uris": []string{"cloudreve://" + id + "@share/photo.png"}}))

			p.set(map[string]any{"direct_download": false})
			p.comesFrom("a file of a policy that wants it so", false, p.link(map[string]any{"uris": []string{uri("photo.png")}}))
			p.set(map[string]any{"direct_download": true})
			p.comesFrom("a file again", true, p.link(map[string]any{"uris": []string{uri("photo.png")}}))
			p.set(map[string]any{"relay": true})
			p.comesFrom("a file of a policy that relays", false, p.link(map[string]any{"uris": []string{uri("photo.png")}}))
			p.set(map[string]any{"relay": false})

			no, yes := false, true
			for _, straight := range []*bool{&no, &yes} { // as wharf policy set does
				if _, err := p.a.SetPolicy(t.Context(), "Bucket", app.PolicyPatch{Downloads: straight}); err != nil {
					t.Fatal(err)
				}
				p.comesFrom("a file of a policy that was set by hand", *straight, p.link(map[string]any{"uris": []string{uri("photo.png")}}))
			}
			if _, err := p.a.SetPolicy(t.Context(), "Default", app.PolicyPatch{Downloads: &yes}); !errs.Has(err, errs.PolicyUse) {
				t.Errorf("of a local policy: %v", err)
			}
			if _, err := p.a.SetPolicy(t.Context(), "Bucket", app.PolicyPatch{Encrypt: &yes}); err != nil {
				t.Fatal(err)
			}
			if err := p.api.Raw(http.MethodPut, "/file/content?uri="+uri("sealed"), []byte("some bytes"), nil, nil); err != nil {
				t.Fatal(err)
			}
			p.comesFrom("an encrypted file", false, p.link(map[string]any{"uris": []string{uri("sealed")}}))
			if _, got := p.download("sealed", nil); string(got) != "some bytes" {
				t.Errorf("%q came back", got)
			}

			old := p.link(map[string]any{"uris": []string{uri("photo.png")}})
			p.later.Add(int64(61 * time.Minute))
			if w.emulated { // a real one has a clock of its own
				if status, _, _ := p.ask(http.MethodGet, old, nil, nil); status != http.StatusForbidden {
					t.Errorf("after an hour the address is answered with HTTP %d", status)
				}
			}
		})
	}
}

func (p *place) link(body map[string]any) string {
	p.Helper()
	var links struct {
		URLs    []struct{ URL string }
		Expires time.Time
	}
	p.api.Call(http.MethodPost, "/file/url", body, &links)
	if len(links.URLs) != 1 || links.Expires.Sub(p.config.Clock()) > time.Hour {
		p.Fatalf("%v: %+v", body, links)
	}
	return links.URLs[0].URL
}

// comesFrom checks whose address it is, and that it can be read.
func (p *place) comesFrom(what string, store bool, address string) {
	p.Helper()
	u, err := url.Parse(address)
	if err != nil {
		p.Fatal(err)
	}
	if ours := u.Hostname() == siteHost || u.Hostname() == "127.0.0.1" && u.Host == p.config.Listen; ours == store {
		p.Errorf("%s comes from %s", what, u.Host)
	}
	if status, _, text := p.ask(http.MethodGet, address, nil, nil); status != http.StatusOK {
		p.Errorf("%s: HTTP %d %.200s", what, status, text)
	}
}

// shown checks how the store serves a file.
func (p *place) shown(name string, save bool, disposition, kind string) {
	p.Helper()
	_, h, _ := p.ask(http.MethodGet, p.link(map[string]any{"uris": []string{uri(name)}, "download": save}), nil, nil)
	if d := h.Get("Content-Disposition"); !strings.HasPrefix(d, disposition+";") || !strings.Contains(d, name) || h.Get("Content-Type") != kind {
		p.Errorf("%s, to be saved %v: %q, %q", name, save, d, h.Get("Content-Type"))
	}
}

// set changes settings of the policy as an administrator does.
func (p *place) set(settings map[string]any) {
	p.Helper()
	var list struct {
		Policies []struct {
			ID   int
			Name string
		}
	}
	p.api.Call(http.MethodPost, "/admin/policy", map[string]any{"page": 1, "page_size": 50}, &list)
	for _, x := range list.Policies {
		if x.Name == "Bucket" {
			p.api.Call(http.MethodPut, "/admin/policy/"+strconv.Itoa(x.ID), map[string]any{"policy": map[string]any{"settings": settings}}, nil)
			return
		}
	}
	p.Fatal("no policy")
}

// watched counts the requests that do not go to the server under test.
type watched struct {
	http.RoundTripper
	here   string
	broken bool // the others cannot be reached
	away   atomic.Int64
}

func (w *watched) RoundTrip(r *http.Request) (*http.Response, error) {
	if h := r.URL.Host; h != w.here && h != siteHost {
		w.away.Add(1)
		if r.Header.Get("Authorization") != "" {
			return nil, errors.New("the token of the site is sent to " + h)
		}
		if w.broken {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
		}
	}
	return w.RoundTripper.RoundTrip(r)
}

// TestOurClientReadsFromTheStoreAndFromTheServerWhereItCannot downloads with the
// command line's package, the second time with a store that it cannot reach.
func TestOurClientReadsFromTheStoreAndFromTheServerWhereItCannot(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real stores; left out in short mode")
	}
	for _, w := range worlds {
		t.Run(w.kind, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, w.start, false)
			data := p.put("f")
			for _, reached := range []bool{true, false} {
				way := &watched{RoundTripper: p.way(), here: p.config.Listen, broken: !reached}
				c, err := client.New(client.Options{BaseURL: "http://" + p.config.Listen, HTTPClient: &http.Client{Transport: way}})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.SignIn(t.Context(), client.Credentials{Email: rig.AdminEmail, Password: rig.AdminPassword}); err != nil {
					t.Fatal(err)
				}
				var got bytes.Buffer
				at, err := wire.ParseURI(uri("f"))
				if err != nil {
					t.Fatal(err)
				}
				done, err := c.Download(t.Context(), client.DownloadInput{URI: at}, &got)
				if err != nil || !bytes.Equal(got.Bytes(), data) || !done.Verified {
					t.Errorf("reached %v: %d bytes, verified %v: %v", reached, got.Len(), done.Verified, err)
				}
				if way.away.Load() == 0 {
					t.Errorf("reached %v: the store was not asked", reached)
				}
			}
		})
	}
}

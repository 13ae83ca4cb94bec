package wire_test

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/wharfinger/wharfinger/api/wire"
)

func TestWire(t *testing.T) {
	for _, th := range loadThemes(t) {
		t.Run(th.name, func(t *testing.T) {
			if *flagTarget == "" {
				t.Parallel()
			}
			runTheme(t, th)
		})
	}
}

func runTheme(t *testing.T, th theme) {
	t.Helper()
	s := connect(t, th.server)
	root := "cloudreve://my/w-" + random(4)
	for _, g := range th.cases {
		t.Run(g.name, func(t *testing.T) {
			switch {
			case g.reference != "" && !*flagStrict:
				t.Skip("reference: " + g.reference)
			case g.local && s.running == nil:
				t.Skip("needs a server in this process")
			case strings.Contains(g.text, "as bob") && s.users["bob"] == nil:
				t.Skip("needs a second user")
			}
			r := &runner{server: s, values: s.valuesOf(root + "/" + g.name)}
			if *flagStrict {
				r.check = newChecker(t)
			}
			if strings.Contains(g.text, "${dir}") {
				s.makeFolders(t, g, r.values["dir"])
			}
			r.run(t, g)
		})
	}
	if s.running == nil {
		s.tidy(t, root)
	}
}

// tidy takes away what the cases left on a target, as far as it can.
func (s *server) tidy(t *testing.T, root string) {
	t.Helper()
	for name, u := range s.users {
		if u.token == "" {
			continue
		}
		var open wire.Reply[wire.UploadList]
		got := s.raw(t, name, "GET", "/file/upload", http.NoBody)
		if json.Unmarshal(got.body, &open) == nil && open.Data != nil {
			for _, p := range open.Data.Uploads {
				if strings.HasPrefix(p.URI, root) {
					call[wire.None](t, s, name, "DELETE", "/file/upload", wire.DeleteUploadRequest{ID: p.SessionID, URI: p.URI})
				}
			}
		}
		call[wire.None](t, s, name, "DELETE", "/file", wire.DeleteFilesRequest{URIs: []string{root}, SkipSoftDelete: true})
	}
}

func (s *server) valuesOf(dir string) values {
	v := values{"dir": dir, "chunk": strconv.FormatInt(s.chunk, 10)}
	for name, u := range s.users {
		v[name+"_email"], v[name+"_password"], v[name+"_token"], v[name+"_refresh"] = u.email, u.password, u.token, u.refresh
	}
	if s.running != nil {
		v["setup_token"] = s.running.setupToken
	}
	return v
}

func (s *server) makeFolders(t *testing.T, g golden, dir string) {
	t.Helper()
	for name, u := range s.users {
		if u.token == "" || name == "bob" && !strings.Contains(g.text, "as bob") {
			continue
		}
		if r := call[wire.File](t, s, name, "POST", "/file/create", wire.CreateFileRequest{URI: dir, Type: "folder"}); r.Code != wire.CodeOK {
			t.Fatalf("%s cannot make %s: %+v", name, dir, r)
		}
	}
}

func random(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

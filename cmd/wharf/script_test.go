package main

import (
	"bytes"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/test/fake"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wharf": main})
}

// TestScripts runs test/script/*.txt, each against a fake server of its own at
// $SRV, where ann@example.test has the password in the file $PW.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "../../test/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			srv := fake.Start()
			env.Defer(srv.Close)
			env.Values["server"] = srv
			env.Setenv("SRV", srv.URL)
			env.Setenv("WHARF_CONFIG", env.WorkDir+"/config/login.json")
			env.Setenv("PW", env.WorkDir+"/password")
			return os.WriteFile(env.WorkDir+"/password", []byte(fake.Password+"\n"), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"server": tellServer,
		},
	})
}

// exits runs a command that must end with one code: exits 3 wharf put …
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil || len(args) < 2 {
		ts.Fatalf("usage: exits CODE command…")
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		if _, after, ok := strings.Cut(err.Error(), "exit status "); ok {
			got, _ = strconv.Atoi(after)
		} else {
			ts.Fatalf("%v", err)
		}
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// tellServer speaks to the fake behind the command's back.
func tellServer(ts *testscript.TestScript, neg bool, args []string) {
	srv, _ := ts.Value("server").(*fake.Server)
	file := func(i int) []byte { return []byte(ts.ReadFile(args[i])) }
	switch args[0] {
	case "has": // server has PATH [FILE]: a file, with those bytes
		data, _, ok := srv.Data(args[1])
		if ok == neg {
			ts.Fatalf("has %s: %v, the server has %q", args[1], ok, srv.Names())
		}
		if !neg && len(args) > 2 && !bytes.Equal(data, file(2)) {
			ts.Fatalf("%s has other bytes than %s", args[1], args[2])
		}
	case "folder": // server folder PATH
		if srv.IsFolder(args[1]) == neg {
			ts.Fatalf("folder %s; the server has %q", args[1], srv.Names())
		}
	case "put": // server put PATH FILE
		srv.Put(args[1], file(2), time.Date(2029, 1, 2, 3, 4, 5, 0, time.UTC))
	case "mkdir":
		srv.Folder(args[1])
	case "forget": // all tokens
		srv.ForgetTokens()
	case "quota":
		quota, _ := strconv.ParseInt(args[1], 10, 64)
		srv.SetQuota(quota)
	case "refuse": // server refuse CODE WORD: requests whose address has the word
		code, _ := strconv.Atoi(args[1])
		srv.Break(func(r *http.Request) (f fake.Fault) {
			if strings.Contains(r.URL.Path, args[2]) {
				f.Code = wire.Code(code)
			}
			return f
		})
	case "status": // server status STATUS WORD: the same, by a proxy
		status, _ := strconv.Atoi(args[1])
		srv.Break(func(r *http.Request) (f fake.Fault) {
			if strings.Contains(r.URL.Path, args[2]) {
				f.Status = status
			}
			return f
		})
	case "counts": // server counts N METHOD PATH: so many requests so far
		want, _ := strconv.Atoi(args[1])
		if got := srv.Count(args[2] + " " + args[3]); (got == want) == neg {
			ts.Fatalf("%d requests %s %s", got, args[2], args[3])
		}
	case "cuts": // the first answer to a batch, after some of its lines
		first := true
		srv.Break(func(r *http.Request) (f fake.Fault) {
			if first && strings.HasSuffix(r.URL.Path, "/file/batch") {
				first, f.SendOnly = false, 200
			}
			return f
		})
	case "away": // requests whose address has the word are cut
		srv.Break(func(r *http.Request) fake.Fault { return fake.Fault{Cut: strings.Contains(r.URL.Path, args[1])} })
	case "loses": // the answer to the first chunk
		first := true
		srv.Break(func(r *http.Request) fake.Fault {
			lose := first && r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/file/upload/")
			first = first && !lose
			return fake.Fault{LoseAnswer: lose}
		})
	default:
		ts.Fatalf("server cannot %s", args[0])
	}
}

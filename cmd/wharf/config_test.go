package main

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/test/fake"
)

// TestProcessesShareOneSignIn lets many clients, each as its own process would
// have it, find the same dead token. The fake uses each refresh token up, so a
// second refresh by anyone would sign all of them out.
func TestProcessesShareOneSignIn(t *testing.T) {
	t.Parallel()
	srv := fake.New(t)
	path := filepath.Join(t.TempDir(), "config", "login.json")
	open := func() *client.Client {
		c, err := client.New(client.Options{BaseURL: srv.URL, Tokens: &config{path}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if _, err := open().SignIn(t.Context(), client.Credentials{Email: fake.Email, Password: fake.Password}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		srv.ForgetAccess()
		before := srv.Count("POST session/token")
		var wg sync.WaitGroup
		for range 8 {
			c := open()
			wg.Go(func() {
				for range 3 {
					if _, err := c.Capacity(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if n := srv.Count("POST session/token") - before; n != 1 {
			t.Errorf("%d refreshes, want 1", n)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 2 { // the file and its lock
		t.Errorf("left over: %v", entries)
	}
}

func TestADamagedSignInIsToldAndNotOverwritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "login.json")
	if err := os.WriteFile(path, []byte("{half"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &config{path}
	if _, err := c.read(); err == nil {
		t.Error("read")
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "{half" {
		t.Errorf("now it is %q, %v", text, err)
	}
}

func TestExcludePatterns(t *testing.T) {
	t.Parallel()
	out, err := excluder([]string{"*.tmp", "build/", "a/*.log", "/top"})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		rel    string
		folder bool
		want   bool
	}{
		{"x.tmp", false, true},
		{"d/e/x.tmp", false, true},
		{"x.tmpx", false, false},
		{"build", true, true},
		{"d/build", true, true},
		{"build", false, false},
		{"a/x.log", false, true},
		{"b/x.log", false, false},
		{"a/b/x.log", false, false},
		{"top", false, true},
		{"d/top", false, false},
	} {
		if got := out(k.rel, k.folder); got != k.want {
			t.Errorf("%s (folder: %v): %v, want %v", k.rel, k.folder, got, k.want)
		}
	}
	if _, err := excluder([]string{"["}); err == nil {
		t.Error("[ is accepted")
	}
}

func TestNamesThatATerminalWouldObeyAreQuoted(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a b.txt": "a b.txt", "näme": "näme", "\x1b[2J": `"\x1b[2J"`, "a\nb": `"a\nb"`, "\xff": `"\xff"`, "\u202Egpj.exe": `"\u202egpj.exe"`,
	} {
		if got := show(in); got != want {
			t.Errorf("%q is shown as %s, want %s", in, got, want)
		}
	}
}

package keep

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
		c, err := client.New(client.Options{BaseURL: srv.URL, Tokens: &Store{path}})
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
	c := &Store{path}
	if _, err := c.Read(); err == nil {
		t.Error("read")
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "{half" {
		t.Errorf("now it is %q, %v", text, err)
	}
}

package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/wharfinger/wharfinger/test/rig"
)

// TestTheCommandLineSignsInWithTheSecondFactor, and says what is missing without it.
func TestTheCommandLineSignsInWithTheSecondFactor(t *testing.T) {
	long(t)
	t.Parallel()
	srv := rig.NewServer(t)
	srv.Start()
	api := rig.NewAPI(t, srv.URL())
	var secret string
	api.Call(http.MethodGet, "/user/setting/2fa", nil, &secret)
	code := func(ahead time.Duration) string {
		c, err := totp.GenerateCode(secret, time.Now().Add(ahead))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	api.Call(http.MethodPatch, "/user/setting", map[string]any{"two_fa_enabled": true, "two_fa_code": code(0)}, nil)

	dir := t.TempDir()
	person := &cli{t: t, config: filepath.Join(dir, "config.json")}
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(rig.AdminPassword), 0o600); err != nil {
		t.Fatal(err)
	}
	login := []string{"login", srv.URL(), "--email", rig.AdminEmail, "--password-file", password}
	for name, c := range map[string]struct {
		more []string
		want string
	}{
		"no code":    {nil, "give its code with --code or WHARF_CODE"},
		"wrong code": {[]string{"--code", "000000"}, "40022"},
	} {
		if r := person.run(append(login, c.more...)...); r.code == 0 || !strings.Contains(r.output, c.want) {
			t.Errorf("%s: exit %d\n%s", name, r.code, r.output)
		}
	}
	if r := person.run("ls", "/"); r.code == 0 {
		t.Errorf("it is signed in all the same:\n%s", r.output)
	}
	person.env = []string{"WHARF_CODE=" + code(30*time.Second)} // each counts once, and the next already does
	if out := person.must(login...); !strings.Contains(out, "Signed in to") {
		t.Error(out)
	}
	person.env = nil
	person.must("ls", "/")
}

package app

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/wharfinger/wharfinger/test/rig/passkey"
)

// TestAPasskeyFromRegistrationToRemoval is the whole way of one over HTTP, at
// localhost, since the golden cases run at an address of numbers.
func TestAPasskeyFromRegistrationToRemoval(t *testing.T) {
	t.Parallel()
	a, _ := serve(t, Config{AdminEmail: testEmail, AdminPassword: testPassword})
	token, _ := signIn(t, a, testEmail)
	site := strings.Replace(a.URL(), "127.0.0.1", "localhost", 1)
	call := func(method, path, token, body string) any {
		t.Helper()
		_, r, _ := ask(t, method, site+"/api/v4"+path, token, body)
		if r["code"] != 0.0 {
			t.Fatalf("%s %s: %v", method, path, r)
		}
		return r["data"]
	}
	text := func(v any) []byte {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	get := func(v any, key string) any { return v.(map[string]any)[key] }
	ways := func() any { return get(call("GET", "/session/prepare?email="+testEmail, "", ""), "webauthn_enabled") }
	if get(call("GET", "/site/config/login", "", ""), "authn") != true || ways() != false {
		t.Error("passkeys are not offered truthfully")
	}
	if _, r, _ := ask(t, "GET", a.URL()+"/api/v4/site/config/login", "", ""); get(r["data"], "authn") == true {
		t.Error("passkeys are offered where no browser knows them")
	}
	key := passkey.New(site)
	made := key.Create(text(call("PUT", "/user/authn", token, "")))
	p := call("POST", "/user/authn", token, fmt.Sprintf(`{"response":%q,"ua":"Phone"}`, made))
	if get(p, "name") != "Phone" || ways() != true {
		t.Errorf("%v", p)
	}
	asked := call("PUT", "/session/authn", "", "")
	answer := text(map[string]any{"session_id": get(asked, "session_id"), "response": string(key.Get(text(get(asked, "options"))))})
	in := call("POST", "/session/authn", "", string(answer))
	fresh, _ := get(get(in, "token"), "access_token").(string)
	if get(call("GET", "/user/me", fresh, ""), "email") != testEmail {
		t.Error("somebody else was signed in")
	}
	if _, r, _ := ask(t, "POST", site+"/api/v4/session/authn", "", string(answer)); r["code"] != 40025.0 {
		t.Errorf("the same answer again: %v", r)
	}
	list, _ := get(call("GET", "/user/setting", fresh, ""), "passkeys").([]any)
	if len(list) != 1 || get(list[0], "used_at") == nil {
		t.Fatalf("%v", list)
	}
	call("DELETE", "/user/authn?id="+get(p, "id").(string), fresh, "")
	if ways() != false {
		t.Error("a passkey that was removed is offered")
	}
}

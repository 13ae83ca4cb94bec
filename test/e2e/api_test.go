package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// api speaks to the server with nothing of ours in between, so that what it says does
// not depend on the client under test.
type api struct {
	t     *testing.T
	base  string
	token string
	http  *http.Client
}

func newAPI(t *testing.T, base string) *api {
	t.Helper()

	a := &api{t: t, base: base, http: &http.Client{Timeout: 10 * time.Minute}}
	var login struct {
		Token struct {
			AccessToken string `json:"access_token"`
		}
	}
	a.call(http.MethodPost, "/session/token", map[string]string{"email": adminEmail, "password": adminPassword}, &login)
	a.token = login.Token.AccessToken
	return a
}

func (a *api) call(method, path string, in, out any) {
	a.t.Helper()
	if err := a.try(method, path, in, out); err != nil {
		a.t.Fatal(err)
	}
}

func (a *api) try(method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, a.base+"/api/v4"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var envelope struct {
		Code *int
		Msg  string
		Data json.RawMessage
	}
	if err := json.Unmarshal(text, &envelope); err != nil || envelope.Code == nil {
		return fmt.Errorf("%s %s: HTTP %d is no envelope: %.200s", method, path, resp.StatusCode, text)
	}
	if *envelope.Code != 0 {
		return fmt.Errorf("%s %s: code %d %s", method, path, *envelope.Code, envelope.Msg)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(envelope.Data, out)
}

// remote is a file as the listing has it.
type remote struct {
	Type int
	Name string
	Path string
	Size int64
}

// list returns everything below a folder, by its URI.
func (a *api) list(uri string) []remote {
	a.t.Helper()

	var all []remote
	for token := ""; ; {
		var page struct {
			Files      []remote
			Pagination struct {
				NextToken string `json:"next_token"`
			}
		}
		q := url.Values{"uri": {uri}, "page_size": {"500"}}
		if token != "" {
			q.Set("next_page_token", token)
		}
		a.call(http.MethodGet, "/file?"+q.Encode(), nil, &page)
		for _, f := range page.Files {
			all = append(all, f)
			if f.Type == 1 {
				all = append(all, a.list(f.Path)...)
			}
		}
		if token = page.Pagination.NextToken; token == "" {
			return all
		}
	}
}

// sum downloads one file and returns the SHA-256 of what came.
func (a *api) sum(uri string) (string, error) {
	var links struct{ URLs []struct{ URL string } }
	if err := a.try(http.MethodPost, "/file/url", map[string]any{"uris": []string{uri}, "download": true}, &links); err != nil {
		return "", err
	}
	if len(links.URLs) != 1 {
		return "", fmt.Errorf("%s: %d links instead of one", uri, len(links.URLs))
	}
	link, err := url.Parse(links.URLs[0].URL)
	if err != nil {
		return "", err
	}
	base, err := url.Parse(a.base)
	if err != nil {
		return "", err
	}
	resp, err := a.http.Get(base.ResolveReference(link).String()) //nolint:noctx // the client has a deadline
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: HTTP %d", uri, resp.StatusCode)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, resp.Body); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// capacity is what the account has used; reserved is the part that open uploads hold.
func (a *api) capacity() (used, reserved int64) {
	a.t.Helper()

	var c struct{ Used, Reserved int64 }
	a.call(http.MethodGet, "/user/capacity", nil, &c)
	return c.Used, c.Reserved
}

// unfinished counts the uploads in progress.
func (a *api) unfinished() int {
	a.t.Helper()

	var u struct{ Uploads []json.RawMessage }
	a.call(http.MethodGet, "/file/upload", nil, &u)
	return len(u.Uploads)
}

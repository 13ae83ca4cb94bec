package rig

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// API speaks to the server as one signed-in user.
type API struct {
	Base  string
	Token string
	HTTP  *http.Client
	t     *testing.T
}

// Refusal is an answer of the server that is not success. What is no Refusal is a
// connection that broke: whether the server acted is not known.
type Refusal struct {
	What string
	Code int
	Msg  string
	Data json.RawMessage
}

func (r *Refusal) Error() string { return fmt.Sprintf("%s: code %d %s", r.What, r.Code, r.Msg) }

// Code is the envelope's code of err, 0 for none: no error, or no answer.
func Code(err error) int {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return 0
}

// NewAPI signs the administrator in.
func NewAPI(t *testing.T, base string) *API {
	t.Helper()

	a := &API{t: t, Base: base, HTTP: &http.Client{Timeout: 10 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	t.Cleanup(a.HTTP.CloseIdleConnections)
	var login struct {
		Token struct {
			AccessToken string `json:"access_token"`
		}
	}
	a.Call(http.MethodPost, "/session/token", map[string]string{"email": AdminEmail, "password": AdminPassword}, &login)
	a.Token = login.Token.AccessToken
	return a
}

// Call makes a request that has to succeed.
func (a *API) Call(method, path string, in, out any) {
	a.t.Helper()
	if err := a.Try(method, path, in, out); err != nil {
		a.t.Fatal(err)
	}
}

// Try makes a request with a JSON body, or none.
func (a *API) Try(method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	return a.Raw(method, path, body, http.Header{"Content-Type": {"application/json"}}, out)
}

// Send posts one chunk; nil means that it was acknowledged.
func (a *API) Send(session string, index int, body []byte, header http.Header) error {
	return a.Raw(http.MethodPost, fmt.Sprintf("/file/upload/%s/%d", session, index), body, header, nil)
}

// Raw makes a request and reads the envelope of its answer into out.
func (a *API) Raw(method, path string, body []byte, header http.Header, out any) error {
	req, err := http.NewRequestWithContext(context.Background(), method, a.Base+"/api/v4"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	if a.Token != "" {
		req.Header.Set("Authorization", "Bearer "+a.Token)
	}
	resp, err := a.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
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
		return &Refusal{method + " " + path, *envelope.Code, envelope.Msg, envelope.Data}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(envelope.Data, out)
}

// File is a file or folder as the listing has it.
type File struct {
	Type int
	Name string
	Path string
	Size int64
}

// List returns everything below a folder, by its URI.
func (a *API) List(uri string) []File {
	a.t.Helper()

	var all []File
	for token := ""; ; {
		var page struct {
			Files      []File
			Pagination struct {
				NextToken string `json:"next_token"`
			}
		}
		q := url.Values{"uri": {uri}, "page_size": {"500"}}
		if token != "" {
			q.Set("next_page_token", token)
		}
		a.Call(http.MethodGet, "/file?"+q.Encode(), nil, &page)
		for _, f := range page.Files {
			all = append(all, f)
			if f.Type == 1 {
				all = append(all, a.List(f.Path)...)
			}
		}
		if token = page.Pagination.NextToken; token == "" {
			return all
		}
	}
}

// Sum downloads one file and returns the SHA-256 of what came.
func (a *API) Sum(uri string) (string, error) {
	var links struct{ URLs []struct{ URL string } }
	if err := a.Try(http.MethodPost, "/file/url", map[string]any{"uris": []string{uri}, "download": true}, &links); err != nil {
		return "", err
	}
	if len(links.URLs) != 1 {
		return "", fmt.Errorf("%s: %d links instead of one", uri, len(links.URLs))
	}
	link, err := url.Parse(links.URLs[0].URL)
	if err != nil {
		return "", err
	}
	base, err := url.Parse(a.Base)
	if err != nil {
		return "", err
	}
	resp, err := a.HTTP.Get(base.ResolveReference(link).String()) //nolint:noctx // the client has a deadline
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Disposition") == "" { // refusals have status 200
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		return "", fmt.Errorf("%s: HTTP %d %s", uri, resp.StatusCode, text)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, resp.Body); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Capacity is what the account has used; reserved is the part that open uploads hold.
func (a *API) Capacity() (used, reserved int64) {
	a.t.Helper()

	var c struct{ Used, Reserved int64 }
	a.Call(http.MethodGet, "/user/capacity", nil, &c)
	return c.Used, c.Reserved
}

// Upload is an upload in progress.
type Upload struct {
	Session   string `json:"session_id"`
	URI       string
	Size      int64
	ChunkSize int64 `json:"chunk_size"`
	State     string
	Received  [][2]int64
}

// Has reports whether the bytes [from, to) are in.
func (u Upload) Has(from, to int64) bool {
	for _, r := range u.Received {
		if r[0] <= from && to <= r[1] {
			return true
		}
	}
	return from == to && u.State != "open"
}

// Unfinished lists the uploads in progress.
func (a *API) Unfinished() []Upload {
	a.t.Helper()

	var u struct{ Uploads []Upload }
	a.Call(http.MethodGet, "/file/upload", nil, &u)
	return u.Uploads
}

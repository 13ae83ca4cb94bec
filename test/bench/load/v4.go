//go:build linux

package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// v4 is the Cloudreve v4 API.
type v4 struct {
	addr      string
	anonymous bool
	auth      []string
}

// refusal is an answer other than success.
type refusal struct {
	what string
	code int
	text string
}

func (r *refusal) Error() string { return fmt.Sprintf("%s: code %d %s", r.what, r.code, r.text) }

func (t *v4) call(k *conn, method, path string, in, out any) error {
	q := request{method: method, path: path, header: t.auth}
	if in != nil {
		var err error
		if q.text, err = json.Marshal(in); err != nil {
			return err
		}
		q.header = append([]string{"Content-Type: application/json"}, t.auth...)
	}
	r, err := k.do(q)
	return decode(r, err, method+" "+path, out)
}

func decode(r *reply, err error, what string, out any) error {
	if err := success(r, err, what); err != nil {
		return err
	}
	var c struct {
		Code       int
		Msg, Error string
		Data       json.RawMessage
	}
	if err := json.Unmarshal(r.body, &c); err != nil {
		return fmt.Errorf("%s: %w in %.120s", what, err, r.body)
	}
	if c.Code != 0 {
		return &refusal{what, c.Code, c.Msg + " " + c.Error}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(c.Data, out)
}

func uri(p string) string { return "cloudreve://my/" + p }

func (t *v4) setup(dir string) error {
	if t.anonymous {
		return nil
	}
	k, err := dial(t.addr)
	if err != nil {
		return err
	}
	defer k.close()
	if err := t.signIn(k); err != nil {
		return err
	}
	return t.call(k, http.MethodPost, "/api/v4/file/create", map[string]any{"uri": uri(dir), "type": "folder"}, nil)
}

func (t *v4) signIn(k *conn) error {
	if t.auth != nil {
		return nil
	}
	var in struct {
		Token struct {
			Access string `json:"access_token"`
		}
	}
	err := t.call(k, http.MethodPost, "/api/v4/session/token", map[string]string{"email": Email, "password": Password}, &in)
	if err == nil {
		t.auth = []string{"Authorization: Bearer " + in.Token.Access}
	}
	return err
}

type ticket struct {
	ID    string `json:"session_id"`
	Chunk int64  `json:"chunk_size"`
}

func (t *v4) session(k *conn, at place, size int64) (ticket, error) {
	var s ticket
	err := t.call(k, http.MethodPut, "/api/v4/file/upload", map[string]any{
		"uri": uri(at.String()), "size": size, "last_modified": time.Now().UnixMilli(),
	}, &s)
	return s, err
}

func (t *v4) body() []string {
	return append([]string{"Content-Type: application/octet-stream"}, t.auth...)
}

func (t *v4) upload(k *conn, at place, s source) error {
	ses, err := t.session(k, at, s.size)
	if err != nil {
		return err
	}
	chunk := ses.Chunk
	if chunk == 0 {
		chunk = s.size
	}
	header := t.body()
	for i, off := 0, int64(0); off < s.size; i, off = i+1, off+chunk {
		q := request{
			method: http.MethodPost, path: fmt.Sprintf("/api/v4/file/upload/%s/%d", ses.ID, i),
			header: header, src: &s, off: off, n: min(chunk, s.size-off),
		}
		r, err := k.do(q)
		if err := decode(r, err, q.path, nil); err != nil {
			return err
		}
	}
	return nil
}

func (t *v4) open(k *conn, at place, size int64) (request, error) {
	ses, err := t.session(k, at, size)
	return request{method: http.MethodPost, path: "/api/v4/file/upload/" + ses.ID + "/0", header: t.body()}, err
}

func (t *v4) locate(k *conn, at place) (request, error) {
	if t.anonymous {
		return request{method: http.MethodGet, path: "/dl/" + at.String()}, nil
	}
	var links struct{ URLs []struct{ URL string } }
	err := t.call(k, http.MethodPost, "/api/v4/file/url", map[string]any{"uris": []string{uri(at.String())}}, &links)
	if err != nil {
		return request{}, err
	}
	if len(links.URLs) != 1 {
		return request{}, errors.New("no link to the file")
	}
	u, err := url.Parse(links.URLs[0].URL)
	if err != nil {
		return request{}, err
	}
	return request{method: http.MethodGet, path: u.RequestURI()}, nil
}

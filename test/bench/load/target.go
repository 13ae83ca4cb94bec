//go:build linux

package load

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Proto names a way to upload.
type Proto string

// What a server may speak.
const (
	V4    Proto = "v4"    // PUT session, POST chunks, with an account
	Floor Proto = "floor" // the same without accounts
	Put   Proto = "put"   // plain PUT
	S3    Proto = "s3"    // PUT with signature version 4 and an unsigned payload
	Raw   Proto = "raw"   // eight bytes of length, data, one byte of answer
)

// The accounts of every server that is measured.
const (
	Email    = "a@b.co"
	Password = "secret12"
	S3Key    = "perfkey1"
	S3Secret = "perfsecret1"
	Bucket   = "perf"
)

// Target speaks one way to upload to one server.
type Target interface {
	// setup signs in and makes the folder.
	setup(dir string) error
	// upload stores one whole file.
	upload(k *conn, at place, s source) error
	// open prepares an upload; the caller streams the body of the request it returns.
	open(k *conn, at place, size int64) (request, error)
	// locate says how to get the file back.
	locate(k *conn, at place) (request, error)
}

type place struct{ dir, name string }

func (p place) String() string { return p.dir + "/" + p.name }

// New returns what speaks proto to addr.
func New(proto Proto, addr string) (Target, error) {
	if err := requireLoopback(addr); err != nil {
		return nil, err
	}
	switch proto {
	case V4:
		return &v4{addr: addr}, nil
	case Floor:
		return &v4{addr: addr, anonymous: true}, nil
	case Put:
		return put{}, nil
	case S3:
		return s3{addr}, nil
	case Raw:
		return raw{}, nil
	}
	return nil, fmt.Errorf("there is no protocol %q", proto)
}

// put is a plain PUT.
type put struct{}

func (put) setup(string) error { return nil }

func (put) upload(k *conn, at place, s source) error {
	r, err := k.do(request{method: http.MethodPut, path: "/" + at.String(), src: &s, n: s.size})
	return success(r, err, "put")
}

func (put) open(_ *conn, at place, _ int64) (request, error) {
	return request{method: http.MethodPut, path: "/" + at.String()}, nil
}

func (put) locate(_ *conn, at place) (request, error) {
	return request{method: http.MethodGet, path: "/" + at.String()}, nil
}

// s3 is a PUT as S3 wants it.
type s3 struct{ addr string }

func (t s3) signed(method, path string) request {
	const unsigned = "UNSIGNED-PAYLOAD"
	now := time.Now().UTC()
	stamp, day := now.Format("20060102T150405Z"), now.Format("20060102")
	canonical := strings.Join([]string{
		method, path, "", "host:" + t.addr, "x-amz-content-sha256:" + unsigned, "x-amz-date:" + stamp, "",
		"host;x-amz-content-sha256;x-amz-date", unsigned,
	}, "\n")
	sum := sha256.Sum256([]byte(canonical))
	scope := day + "/us-east-1/s3/aws4_request"
	key := []byte("AWS4" + S3Secret)
	for _, part := range []string{day, "us-east-1", "s3", "aws4_request", "AWS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + hex.EncodeToString(sum[:])} {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(part))
		key = m.Sum(nil)
	}
	return request{method: method, path: path, header: []string{
		"x-amz-content-sha256: " + unsigned, "x-amz-date: " + stamp,
		"Authorization: AWS4-HMAC-SHA256 Credential=" + S3Key + "/" + scope +
			", SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=" + hex.EncodeToString(key),
	}}
}

func (t s3) setup(string) error {
	k, err := dial(t.addr)
	if err != nil {
		return err
	}
	defer k.close()
	r, err := k.do(t.signed(http.MethodPut, "/"+Bucket))
	if err == nil && r.status == http.StatusConflict {
		return nil
	}
	return success(r, err, "create bucket")
}

func (t s3) upload(k *conn, at place, s source) error {
	q := t.signed(http.MethodPut, "/"+Bucket+"/"+at.String())
	q.src, q.n = &s, s.size
	r, err := k.do(q)
	return success(r, err, "s3 put")
}

func (t s3) open(_ *conn, at place, _ int64) (request, error) {
	return t.signed(http.MethodPut, "/"+Bucket+"/"+at.String()), nil
}

func (t s3) locate(_ *conn, at place) (request, error) {
	return t.signed(http.MethodGet, "/"+Bucket+"/"+at.String()), nil
}

// raw is a bare connection: the physical limit.
type raw struct{}

func (raw) setup(string) error { return nil }

func (raw) upload(k *conn, _ place, s source) error {
	if err := k.c.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return err
	}
	if _, err := k.c.Write(binary.BigEndian.AppendUint64(nil, uint64(s.size))); err != nil {
		return err
	}
	if err := s.writeTo(k.c, 0, s.size); err != nil {
		return err
	}
	_, err := io.ReadFull(k.br, make([]byte, 1))
	return err
}

func (raw) open(*conn, place, int64) (request, error) {
	return request{}, errors.New("a bare connection holds no uploads")
}

func (raw) locate(*conn, place) (request, error) {
	return request{}, errors.New("a bare connection gives nothing back")
}

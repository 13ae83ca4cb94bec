//go:build linux

package load

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	answerWithin = 120 * time.Second
	oneWrite     = 64 << 10 // up to here head and body go in the same write
)

// Secure before an address says that TLS is spoken there.
const Secure = "tls:"

// conn is a minimal HTTP/1.1 client over one kept-alive connection.
type conn struct {
	addr string
	c    net.Conn
	tls  bool
	br   *bufio.Reader
	buf  []byte
}

func requireLoopback(addr string) error {
	host, _, err := net.SplitHostPort(strings.TrimPrefix(addr, Secure))
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("refusing %q: load is for loopback addresses only", addr)
	}
	return nil
}

func dial(addr string) (*conn, error) {
	if err := requireLoopback(addr); err != nil {
		return nil, err
	}
	k := &conn{}
	k.addr, k.tls = strings.CutPrefix(addr, Secure)
	return k, k.redial()
}

// dialAll opens n connections, or none.
func dialAll(addr string, n int) ([]*conn, error) {
	ks := make([]*conn, 0, n)
	for range n {
		k, err := dial(addr)
		if err != nil {
			closeAll(ks)
			return nil, err
		}
		ks = append(ks, k)
	}
	return ks, nil
}

func closeAll(ks []*conn) {
	for _, k := range ks {
		k.close()
	}
}

func (k *conn) redial() error {
	k.close()
	c, err := net.DialTimeout("tcp", k.addr, 5*time.Second)
	if err != nil {
		return err
	}
	if k.tls {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true}) // over loopback, with a certificate of its own
	}
	k.c, k.br = c, bufio.NewReaderSize(c, 16<<10)
	return nil
}

func (k *conn) close() {
	if k.c != nil {
		_ = k.c.Close()
	}
}

// request is one request; its body is n bytes of src from off on, or text.
type request struct {
	method, path string
	header       []string
	text         []byte
	src          *source
	off, n       int64
	sink         io.Writer // where the answer's body goes; nil: into the reply
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

func head(q request, host string, length int64) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", q.method, q.path, host)
	if length >= 0 {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", length)
	}
	for _, h := range q.header {
		b.WriteString(h)
		b.WriteString("\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

func (k *conn) do(q request) (*reply, error) {
	if err := k.c.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return nil, err
	}
	length := q.n
	switch {
	case q.text != nil:
		length = int64(len(q.text))
	case q.src == nil && q.method == http.MethodGet:
		length = -1
	}
	out := append(head(q, k.addr, length), q.text...)
	if q.src != nil && q.n <= oneWrite {
		first := q.src.slice(q.off, q.n)
		out = append(out, first...)
		if rest := q.n - int64(len(first)); rest > 0 {
			out = append(out, q.src.slice(q.off+q.n-rest, rest)...)
		}
		q.src = nil
	}
	if _, err := k.c.Write(out); err != nil {
		return nil, err
	}
	if q.src != nil {
		if err := q.src.writeTo(k.c, q.off, q.n); err != nil {
			return nil, fmt.Errorf("body: %w", err)
		}
	}
	return k.read(q.method, q.sink)
}

func (k *conn) read(method string, sink io.Writer) (*reply, error) {
	resp, err := http.ReadResponse(k.br, &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	r := &reply{status: resp.StatusCode, header: resp.Header}
	if sink == nil {
		r.body, err = io.ReadAll(resp.Body)
	} else {
		if k.buf == nil {
			k.buf = make([]byte, 256<<10)
		}
		// Only Read and Write are shown to the copy, so that it uses the large buffer.
		_, err = io.CopyBuffer(struct{ io.Writer }{sink}, struct{ io.Reader }{resp.Body}, k.buf)
	}
	if resp.Close || strings.EqualFold(resp.Header.Get("Connection"), "close") {
		err = errors.Join(err, k.redial())
	}
	return r, err
}

func success(r *reply, err error, what string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if r.status/100 != 2 {
		return fmt.Errorf("%s: status %d %.200s", what, r.status, r.body)
	}
	return nil
}

type count struct{ n int64 }

func (c *count) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }

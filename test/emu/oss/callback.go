package oss

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // the vendor signs MD5
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/counter"
	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

// KeyHost is where the public key of callbacks lies, at KeyPath.
const (
	KeyHost = "gosspublic.alicdn.com"
	KeyPath = "/callback_pub_key_v1.pem"
)

// Calls is what goes wrong with callbacks, and what was sent.
type Calls struct {
	mu     sync.Mutex
	repeat int
	drop   bool
	hold   <-chan struct{}
	sent   []*http.Request
}

// Repeat makes each callback n times.
func (c *Calls) Repeat(n int) { c.mu.Lock(); c.repeat = n; c.mu.Unlock() }

// Drop makes no callbacks, and says that they failed.
func (c *Calls) Drop(yes bool) { c.mu.Lock(); c.drop = yes; c.mu.Unlock() }

// Hold delays callbacks until the channel is closed.
func (c *Calls) Hold(until <-chan struct{}) { c.mu.Lock(); c.hold = until; c.mu.Unlock() }

// Sent returns the callbacks so far, without their bodies.
func (c *Calls) Sent() []*http.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*http.Request(nil), c.sent...)
}

// wish is what the parameter callback asks for:
// https://www.alibabacloud.com/help/en/oss/developer-reference/callback
type wish struct {
	URL  string `json:"callbackUrl"`
	Host string `json:"callbackHost"`
	Body string `json:"callbackBody"`
	Type string `json:"callbackBodyType"`
}

// readWish returns what a request asks for, nil if nothing.
func readWish(q counter.Request) (*wish, *counter.Refusal) {
	inQuery, inHeader := q.Query["callback"], q.Header.Get("X-Oss-Callback")
	text := inQuery + inHeader
	switch {
	case text == "":
		return nil, nil //nolint:nilnil // no wish, and nothing wrong with that
	case inQuery != "" && inHeader != "":
		return nil, invalid("The callback is in the header and in the address.")
	case len(text) > 5<<10:
		return nil, invalid("The callback is too long.")
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, invalid("The callback configuration is not base64 encoded.")
	}
	w := wish{Type: "application/x-www-form-urlencoded"}
	if err := json.Unmarshal(raw, &w); err != nil || w.URL == "" || w.Body == "" {
		return nil, invalid("The callback configuration is not json format.")
	}
	for to := range strings.SplitSeq(w.URL, ";") {
		u, err := url.Parse(to)
		if err != nil || u.Host == "" {
			return nil, invalid("The callback URL cannot be read.")
		}
		if ip, err := netip.ParseAddr(u.Hostname()); u.Hostname() == "localhost" || err == nil && (ip.IsLoopback() || ip.IsPrivate()) {
			return nil, invalid("Private address is forbidden to callback.")
		}
	}
	return &w, nil
}

var variable = regexp.MustCompile(`\$\{[A-Za-z0-9:._]+\}`)

// fill puts in the values of variables, and nothing for those it does not know. In
// JSON, text that does not stand between quotes gets them.
func (w wish) fill(bucket string, o shelf.Object) string {
	values := map[string]string{
		"${object}": o.Key, "${etag}": strings.ToUpper(o.ETag), "${bucket}": bucket, "${mimeType}": o.Type,
		"${crc64}": strconv.FormatUint(o.CRC, 10), "${size}": strconv.Itoa(len(o.Data)),
	}
	var b strings.Builder
	rest, quoted := w.Body, false
	for rest != "" {
		at := variable.FindStringIndex(rest)
		if at == nil {
			at = []int{len(rest), len(rest)}
		}
		plain, name := rest[:at[0]], rest[at[0]:at[1]]
		b.WriteString(plain)
		quoted = quoted != (strings.Count(strings.ReplaceAll(plain, `\"`, ""), `"`)%2 == 1)
		value := values[name]
		switch {
		case name == "":
		case w.Type != "application/json":
			value = url.QueryEscape(value)
		case !quoted && name != "${size}" && name != "${crc64}":
			text, _ := json.Marshal(value) //nolint:errchkjson // a string
			value = string(text)
		}
		b.WriteString(value)
		rest = rest[at[1]:]
	}
	return b.String()
}

// call makes the callback, as often as the test wants it, and returns the last
// answer's body.
func (e *Emulator) call(ctx context.Context, w wish, o shelf.Object) (answer []byte, err error) {
	e.Calls.mu.Lock()
	times, drop, hold := max(1, e.Calls.repeat), e.Calls.drop, e.Calls.hold
	e.Calls.mu.Unlock()
	if drop || e.o.Calls == nil {
		return nil, fmt.Errorf("error status -1: the callback could not be sent")
	}
	if hold != nil {
		<-hold
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for range times {
		to, _, _ := strings.Cut(w.URL, ";")
		req, err := e.Callback(ctx, to, w.Type, []byte(w.fill(e.o.Bucket, o)))
		if err != nil {
			return nil, err
		}
		if w.Host != "" {
			req.Host = w.Host
		}
		e.Calls.mu.Lock()
		e.Calls.sent = append(e.Calls.sent, req)
		e.Calls.mu.Unlock()
		if answer, err = e.hear(req); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// hear sends a callback. Whoever is called must answer with JSON of a known length.
func (e *Emulator) hear(req *http.Request) ([]byte, error) {
	resp, err := e.o.Calls.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("error status %d", resp.StatusCode)
	case resp.ContentLength < 0 || !json.Valid(answer):
		return nil, fmt.Errorf("response body is not valid json format")
	}
	return answer, nil
}

// Callback returns a callback as the service signs it.
func (e *Emulator) Callback(ctx context.Context, to, kind string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = e.Sign(to, body)
	req.Header.Set("Content-Type", kind)
	return req, nil
}

// Sign returns what the service puts before a callback with this body.
func (e *Emulator) Sign(to string, body []byte) http.Header {
	u, err := url.Parse(to)
	if err != nil {
		panic(err)
	}
	text := u.Path
	if u.RawQuery != "" {
		text += "?" + u.RawQuery
	}
	sum := md5.Sum(body) //nolint:gosec // the vendor signs MD5
	h := http.Header{}
	h.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
	h.Set("X-Oss-Bucket", e.o.Bucket)
	h.Set("X-Oss-Request-Id", counter.RequestID)
	h.Set("X-Oss-Pub-Key-Url", base64.StdEncoding.EncodeToString([]byte("http://"+KeyHost+KeyPath)))
	h.Set("Authorization", base64.StdEncoding.EncodeToString(e.key.sign(text+"\n"+string(body))))
	return h
}

func (e *Emulator) serveKey(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != KeyPath {
		http.NotFound(w, r)
		return
	}
	_ = pem.Encode(w, &pem.Block{Type: "PUBLIC KEY", Bytes: e.key.public})
}

// key is one of 512 bits, as the vendor's is; crypto/rsa makes and takes none so
// short.
type key struct {
	n, d   *big.Int
	public []byte
}

func newKey() key {
	one := big.NewInt(1)
	for {
		p, err := rand.Prime(rand.Reader, 256)
		if err != nil {
			panic(err)
		}
		q, err := rand.Prime(rand.Reader, 256)
		if err != nil {
			panic(err)
		}
		n := new(big.Int).Mul(p, q)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(big.NewInt(65537), phi)
		if d == nil || n.BitLen() != 512 {
			continue
		}
		public, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n, E: 65537})
		if err != nil {
			panic(err)
		}
		return key{n: n, d: d, public: public}
	}
}

// sign is PKCS #1 version 1.5 with MD5.
func (k key) sign(text string) []byte {
	const info = "3020300c06082a864886f70d020505000410"
	sum := md5.Sum([]byte(text)) //nolint:gosec // the vendor signs MD5
	tail := info + hex.EncodeToString(sum[:])
	padded := "0001" + strings.Repeat("ff", 64-3-len(tail)/2) + "00" + tail
	m, _ := new(big.Int).SetString(padded, 16)
	return m.Exp(m, k.d, k.n).FillBytes(make([]byte, 64))
}

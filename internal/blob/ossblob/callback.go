package ossblob

import (
	"context"
	"crypto/md5" //nolint:gosec // the vendor signs MD5
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/xmlstore"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// errForged is a callback that the store did not make.
var errForged = errors.New("oss: the callback is not signed by the store")

const (
	keyHost     = "gosspublic.alicdn.com" // of the keys, and of no others
	keyHeader   = "X-Oss-Pub-Key-Url"
	keyPatience = 4 * time.Second // the store waits 5 for our answer
	keyAge      = 24 * time.Hour
	keyCount    = 8
	maxKey      = 8 << 10
)

// ReadCallback implements blob.Caller. The vendor signs with a key of 512 bits,
// which can be factored: what it says is a filter before the secret in the address
// and the word of the store, and proves nothing by itself.
func (d *driver) ReadCallback(ctx context.Context, c blob.Callback) error {
	sig, err := base64.StdEncoding.DecodeString(c.Header.Get("Authorization"))
	if err != nil || len(sig) == 0 {
		return fmt.Errorf("%w: Authorization is not base64", errForged)
	}
	where, err := base64.StdEncoding.DecodeString(c.Header.Get(keyHeader))
	if err != nil {
		return fmt.Errorf("%w: %s is not base64", errForged, keyHeader)
	}
	path, query, asked := strings.Cut(c.Target, "?")
	text, err := url.PathUnescape(path)
	if err != nil {
		return fmt.Errorf("%w: its path cannot be read", errForged)
	}
	if asked {
		text += "?" + query
	}
	key, err := d.callers.key(ctx, string(where))
	if err != nil {
		return err
	}
	sum := md5.Sum(append([]byte(text+"\n"), c.Body...)) //nolint:gosec // as above
	if !verify(key, sum[:], sig) {
		return fmt.Errorf("%w: the signature does not hold", errForged)
	}
	return nil
}

// Classify implements blob.Driver.
func (d *driver) Classify(err error) errs.Kind {
	if errors.Is(err, errForged) {
		return errs.Forbidden
	}
	return d.Store.Classify(err)
}

// verify is RSASSA-PKCS1-v1_5 with MD5 (RFC 8017, section 8.2.2). crypto/rsa takes
// no key as short as the vendor's.
func verify(key *rsa.PublicKey, sum, sig []byte) bool {
	// The DigestInfo of MD5 as section 9.2, note 1, has it.
	prefix := []byte{0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00, 0x04, 0x10}
	size := (key.N.BitLen() + 7) / 8
	pad := size - 3 - len(prefix) - len(sum)
	s := new(big.Int).SetBytes(sig)
	if len(sig) != size || pad < 8 || s.Cmp(key.N) >= 0 {
		return false
	}
	want := append([]byte{0, 1}, strings.Repeat("\xff", pad)...)
	want = append(append(append(want, 0), prefix...), sum...)
	got := s.Exp(s, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, size))
	return subtle.ConstantTimeCompare(got, want) == 1
}

// callers fetches the vendor's keys and keeps them for a while.
type callers struct {
	way  xmlstore.Way
	mu   sync.Mutex
	kept map[string]kept
}

type kept struct {
	key *rsa.PublicKey
	at  time.Time
}

// key returns the one that lies at an address of the vendor's.
func (c *callers) key(ctx context.Context, where string) (*rsa.PublicKey, error) {
	u, err := url.Parse(where)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host != keyHost || u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("%w: its key is not at %s", errForged, keyHost)
	}
	u.Scheme = "https"
	now := c.way.Clock()
	c.mu.Lock()
	k, ok := c.kept[u.Path]
	c.mu.Unlock()
	if ok && now.Sub(k.at) < keyAge {
		return k.key, nil
	}
	if k.key, err = c.fetch(ctx, u); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) >= keyCount {
		c.kept = map[string]kept{}
	}
	c.kept[u.Path] = kept{k.key, now}
	return k.key, nil
}

// fetch follows no redirect. An answer that is no key is the way's fault, not the
// caller's: another try may succeed.
func (c *callers) fetch(ctx context.Context, u *url.URL) (*rsa.PublicKey, error) {
	ctx, cancel := context.WithTimeout(ctx, keyPatience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := c.way.Transport.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("oss: the key of callbacks: %w: %w", xmlstore.ErrAnswer, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxKey))
	if err == nil && resp.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("%w: there is no key at %s", errForged, u)
	}
	if err != nil {
		return nil, fmt.Errorf("oss: the key of callbacks: %w: %w", xmlstore.ErrAnswer, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("oss: the key of callbacks: %w: HTTP %d", xmlstore.ErrAnswer, resp.StatusCode)
	}
	return parse(text)
}

func parse(text []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("oss: the key of callbacks: %w: not PEM", xmlstore.ErrAnswer)
	}
	found, err := x509.ParsePKIXPublicKey(block.Bytes)
	key, ok := found.(*rsa.PublicKey)
	if err != nil || !ok || key.N.BitLen() < 512 || key.N.BitLen() > 8192 {
		return nil, fmt.Errorf("oss: the key of callbacks: %w: not an RSA key of 512 to 8192 bits", xmlstore.ErrAnswer)
	}
	return key, nil
}

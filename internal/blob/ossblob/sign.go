package ossblob

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob/xmlstore"
)

// https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
// (in a header) and add-signatures-to-urls (in an address).
const (
	algorithm = "OSS4-HMAC-SHA256"
	unsigned  = "UNSIGNED-PAYLOAD"
	stamp     = "20060102T150405Z"
)

type pair = xmlstore.Pair

// keys is who signs, and what is signed for.
type keys struct {
	id             string
	secret         []byte
	bucket, region string
}

// seal signs many requests of one moment. It is not for use by several goroutines.
type seal struct {
	date  string // with the time
	scope string
	mac   hash.Hash
	buf   []byte
}

func (k keys) seal(now time.Time) *seal {
	date := now.UTC().Format(stamp)
	s := &seal{date: date, scope: date[:8] + "/" + k.region + "/oss/aliyun_v4_request"}
	key := append([]byte("aliyun_v4"), k.secret...)
	for _, word := range []string{date[:8], k.region, "oss", "aliyun_v4_request"} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(word))
		key = h.Sum(nil)
	}
	s.mac = hmac.New(sha256.New, key)
	return s
}

// request is what is signed, in the vendor's canonical form.
type request struct {
	method  string
	path    string // with the bucket, encoded
	query   string
	headers string // a line each
	also    string // names of headers that need not be signed and are
}

// signature signs q. The payload is never signed: its checksum is compared
// instead.
func (s *seal) signature(q request) [2 * sha256.Size]byte {
	b := s.buf[:0]
	for _, line := range [...]string{q.method, q.path, q.query, q.headers, q.also} {
		b = append(append(b, line...), '\n')
	}
	b = append(b, unsigned...)
	sum := sha256.Sum256(b)
	b = b[:0]
	for _, line := range [...]string{algorithm, s.date, s.scope} {
		b = append(append(b, line...), '\n')
	}
	b = hex.AppendEncode(b, sum[:])
	s.buf = b
	s.mac.Reset()
	s.mac.Write(b)
	var out [2 * sha256.Size]byte
	hex.Encode(out[:], s.mac.Sum(sum[:0]))
	return out
}

// path is the object as it is signed. The bucket belongs to it, wherever it stands
// in the address.
func (k keys) path(key string) string { return "/" + k.bucket + "/" + xmlstore.EncodeKey(key) }

// canonQuery returns the parameters in the order of their encoded names.
func canonQuery(pairs []pair) string {
	lines := slices.Clone(pairs)
	slices.SortStableFunc(lines, func(a, b pair) int {
		return strings.Compare(xmlstore.Encode(a.Name), xmlstore.Encode(b.Name))
	})
	return xmlstore.Query(lines)
}

// canonHeaders returns those that are always signed when they are there, and those
// that also names.
func canonHeaders(pairs []pair, also ...string) string {
	var b strings.Builder
	for _, h := range xmlstore.Sorted(pairs) {
		if h.Name == "content-type" || h.Name == "content-md5" || strings.HasPrefix(h.Name, "x-oss-") || slices.Contains(also, h.Name) {
			b.WriteString(h.Name + ":" + strings.TrimSpace(h.Value) + "\n")
		}
	}
	return b.String()
}

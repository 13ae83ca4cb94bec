package s3blob

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Signature Version 4 in the query:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html

// signer makes addresses.
type signer struct {
	site
	id, secret, region string
}

// seal is what all addresses of one moment share. One goroutine has it.
type seal struct {
	site
	mac          hash.Hash
	credential   string // encoded
	stamp, scope string
	expires      string

	canonical, text []byte // kept from one address to the next
}

func (s signer) seal(now, until time.Time) (*seal, error) {
	now = now.UTC()
	life := min(until.Sub(now), maxLife) / time.Second
	if life < 1 {
		return nil, errLife
	}
	day := now.Format("20060102")
	scope := day + "/" + s.region + "/s3/aws4_request"
	key := []byte("AWS4" + s.secret)
	for _, part := range []string{day, s.region, "s3", "aws4_request"} {
		m := hmac.New(sha256.New, key)
		_, _ = m.Write([]byte(part))
		key = m.Sum(nil)
	}
	return &seal{
		site: s.site, mac: hmac.New(sha256.New, key), credential: encode(s.id + "/" + scope),
		stamp: now.Format("20060102T150405Z"), scope: scope, expires: strconv.Itoa(int(life)),
	}, nil
}

// query returns the parameters that every address has, encoded and in order.
// They sort before all others, which begin with small letters.
func (s *seal) query(signed string) string {
	return "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + s.credential + "&X-Amz-Date=" + s.stamp +
		"&X-Amz-Expires=" + s.expires + "&X-Amz-SignedHeaders=" + encode(signed)
}

// signature signs a canonical request.
func (s *seal) signature(canonical []byte) []byte {
	sum := sha256.Sum256(canonical)
	s.text = append(s.text[:0], "AWS4-HMAC-SHA256\n"+s.stamp+"\n"+s.scope+"\n"...)
	s.text = hex.AppendEncode(s.text, sum[:])
	s.mac.Reset()
	_, _ = s.mac.Write(s.text)
	s.text = s.mac.Sum(s.text[:0])
	return s.text
}

// path returns the path of key as it is sent and signed.
func (s site) path(key string) string { return s.prefix + "/" + encodePath(key) }

// pair is a parameter of a query.
type pair struct{ name, value string }

// address returns a signed address of key, of which the host is signed and,
// unless length is negative, how many bytes are sent to it.
func (s *seal) address(method, key string, query []pair, length int64) string {
	slices.SortFunc(query, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	signed, path := "host", s.path(key)
	if length >= 0 {
		signed = "content-length;host"
	}
	c := append(append(append(append(s.canonical[:0], method...), '\n'), path...), '\n')
	from := len(c)
	c = append(c, s.query(signed)...)
	for _, p := range query {
		c = append(append(append(append(c, '&'), encode(p.name)...), '='), encode(p.value)...)
	}
	to := len(c)
	c = append(c, '\n')
	if length >= 0 {
		c = append(strconv.AppendInt(append(c, "content-length:"...), length, 10), '\n')
	}
	c = append(append(append(append(c, "host:"...), s.host...), '\n', '\n'), signed...)
	c = append(c, "\nUNSIGNED-PAYLOAD"...)
	s.canonical = c

	var out strings.Builder
	out.Grow(len(s.scheme) + len(s.host) + len(path) + to - from + 100)
	for _, piece := range []string{s.scheme, "://", s.host, path, "?"} {
		out.WriteString(piece)
	}
	out.Write(c[from:to])
	out.WriteString("&X-Amz-Signature=")
	var sig [2 * sha256.Size]byte
	hex.Encode(sig[:], s.signature(c))
	out.Write(sig[:])
	return out.String()
}

const upperHex = "0123456789ABCDEF"

// encode is percent-encoding of all but the unreserved characters of RFC 3986.
func encode(s string) string { return escape(s, false) }

func encodePath(s string) string { return escape(s, true) }

func escape(s string, slash bool) string {
	plain := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			c == '-' || c == '.' || c == '_' || c == '~' || (slash && c == '/')
	}
	odd := 0
	for i := range len(s) {
		if !plain(s[i]) {
			odd++
		}
	}
	if odd == 0 {
		return s
	}
	out := make([]byte, 0, len(s)+2*odd)
	for i := range len(s) {
		if c := s[i]; plain(c) {
			out = append(out, c)
		} else {
			out = append(out, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return string(out)
}

package obsblob

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the vendor's signature is made of it
	"encoding/base64"
	"hash"
	"slices"
	"strings"
)

// https://support.huaweicloud.com/api-obs/obs_04_0010.html (in a header) and
// obs_04_0011.html (in an address).

// keys is who signs, and what is signed for.
type keys struct {
	id     string
	secret []byte
	bucket string // or the domain of its own that the bucket is bound to
}

// pair is a header or a query parameter.
type pair struct{ name, value string }

// subResources are the parameters we send that belong to the signature; those
// that begin with x-obs- do so as well.
var subResources = []string{
	"delete", "partNumber", "response-content-disposition", "response-content-type", "uploadId", "uploads",
}

// seal signs many requests. It is not for use by several goroutines.
type seal struct {
	mac hash.Hash
	buf []byte
}

func (k keys) seal() *seal { return &seal{mac: hmac.New(sha1.New, k.secret)} }

// signature signs the text that join makes of its arguments. date is that of
// the header, or the end of an address in seconds.
func (s *seal) signature(method, md5, mimeType, date, rest string) string {
	b := s.buf[:0]
	for _, line := range [...]string{method, md5, mimeType, date} {
		b = append(append(b, line...), '\n')
	}
	b = append(b, rest...)
	s.buf = b
	s.mac.Reset()
	s.mac.Write(s.buf)
	var sum [sha1.Size]byte
	return base64.StdEncoding.EncodeToString(s.mac.Sum(sum[:0]))
}

// rest is the end of the text that is signed: the vendor's headers, and what the
// request is for. Values of parameters are signed as they read, the key as it is
// sent.
func (k keys) rest(key string, query, header []pair) string {
	var b strings.Builder
	for _, h := range sorted(header) {
		if strings.HasPrefix(h.name, "x-obs-") {
			b.WriteString(h.name + ":" + h.value + "\n")
		}
	}
	b.WriteString("/" + k.bucket + "/" + encodePath(key))
	mark := byte('?')
	for _, p := range sorted(query) {
		if !strings.HasPrefix(p.name, "x-obs-") && !slices.Contains(subResources, p.name) {
			continue
		}
		b.WriteByte(mark)
		b.WriteString(p.name)
		if p.value != "" {
			b.WriteString("=" + p.value)
		}
		mark = '&'
	}
	return b.String()
}

func sorted(pairs []pair) []pair {
	out := slices.Clone(pairs)
	slices.SortFunc(out, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	return out
}

// value returns what the header says of that name.
func value(header []pair, name string) string {
	for _, h := range header {
		if h.name == name {
			return h.value
		}
	}
	return ""
}

// encode leaves what RFC 3986 calls unreserved.
func encode(s string) string { return escape(s, "-_.~") }

// encodePath is encode for a key in an address.
func encodePath(key string) string {
	p := escape(key, "-_.~/")
	if strings.HasPrefix(p, "/") {
		p = "%2F" + p[1:]
	}
	return p
}

func escape(s, keep string) string {
	const digits = "0123456789ABCDEF"
	plain := func(c byte) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(keep, c) >= 0
	}
	n := 0
	for i := range len(s) {
		if !plain(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	out := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if c := s[i]; plain(c) {
			out = append(out, c)
		} else {
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(out)
}

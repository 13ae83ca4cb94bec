package obsblob

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the vendor's signature is made of it
	"encoding/base64"
	"hash"
	"slices"
	"strings"

	"github.com/wharfinger/wharfinger/internal/blob/xmlstore"
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
type pair = xmlstore.Pair

// subResources are the parameters we send that belong to the signature; those
// that begin with x-obs- do so as well.
var subResources = []string{
	"cors", "delete", "partNumber", "response-content-disposition", "response-content-type", "uploadId", "uploads",
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
	for _, h := range xmlstore.Sorted(header) {
		if strings.HasPrefix(h.Name, "x-obs-") {
			b.WriteString(h.Name + ":" + h.Value + "\n")
		}
	}
	b.WriteString("/" + k.bucket + "/" + xmlstore.EncodePath(key))
	mark := byte('?')
	for _, p := range xmlstore.Sorted(query) {
		if !strings.HasPrefix(p.Name, "x-obs-") && !slices.Contains(subResources, p.Name) {
			continue
		}
		b.WriteByte(mark)
		b.WriteString(p.Name)
		if p.Value != "" {
			b.WriteString("=" + p.Value)
		}
		mark = '&'
	}
	return b.String()
}

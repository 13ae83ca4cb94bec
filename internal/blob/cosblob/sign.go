package cosblob

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the vendor's signature is made of it
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"
)

// https://cloud.tencent.com/document/product/436/7778

// skew is how far back a signature begins to hold, for clocks that are behind.
const skew = time.Minute

// keys is who signs.
type keys struct {
	id     string
	secret []byte
}

// pair is a header or a query parameter that is signed.
type pair struct{ name, value string }

// seal signs many requests of one window of time. It is not for use by several
// goroutines.
type seal struct {
	id     string
	window string // start;end
	mac    hash.Hash
	buf    []byte
	sum    [sha1.Size]byte
}

func (k keys) seal(from, until time.Time) *seal {
	window := strconv.FormatInt(from.Unix(), 10) + ";" + strconv.FormatInt(until.Unix(), 10)
	first := hmac.New(sha1.New, k.secret)
	first.Write([]byte(window))
	// The key of the second round is text, not bytes.
	key := hex.AppendEncode(nil, first.Sum(nil))
	return &seal{id: k.id, window: window, mac: hmac.New(sha1.New, key)}
}

// canon returns the list of names and the text that is signed.
func canon(pairs []pair) (list, text string) {
	lines := make([]pair, len(pairs))
	for i, p := range pairs {
		lines[i] = pair{strings.ToLower(encode(p.name)), encode(p.value)}
	}
	slices.SortFunc(lines, func(a, b pair) int {
		return 2*strings.Compare(a.name, b.name) + strings.Compare(a.value, b.value)
	})
	var names, values strings.Builder
	for i, l := range lines {
		if i > 0 {
			names.WriteByte(';')
			values.WriteByte('&')
		}
		names.WriteString(l.name)
		values.WriteString(l.name + "=" + l.value)
	}
	return names.String(), values.String()
}

// signature signs a request whose lists are in canonical form. path is as the
// key reads, not as it is sent.
func (s *seal) signature(method, path, params, headers string) [2 * sha1.Size]byte {
	b := s.buf[:0]
	b = append(b, method...)
	for _, line := range [...]string{path, params, headers} {
		b = append(append(b, '\n'), line...)
	}
	b = append(b, '\n')
	sum := sha1.Sum(b) //nolint:gosec // the vendor's signature is made of it
	b = append(b[:0], "sha1\n"...)
	b = append(append(b, s.window...), '\n')
	b = hex.AppendEncode(b, sum[:])
	b = append(b, '\n')
	s.buf = b
	s.mac.Reset()
	s.mac.Write(b)
	var out [2 * sha1.Size]byte
	hex.Encode(out[:], s.mac.Sum(s.sum[:0]))
	return out
}

// text returns the authorization of a request. semicolon is how a semicolon is
// written where the text will stand.
func (s *seal) text(semicolon, headerList, paramList string, signature [2 * sha1.Size]byte) string {
	window := strings.ReplaceAll(s.window, ";", semicolon)
	return "q-sign-algorithm=sha1&q-ak=" + encode(s.id) + "&q-sign-time=" + window + "&q-key-time=" + window +
		"&q-header-list=" + strings.ReplaceAll(headerList, ";", semicolon) +
		"&q-url-param-list=" + strings.ReplaceAll(paramList, ";", semicolon) +
		"&q-signature=" + string(signature[:])
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

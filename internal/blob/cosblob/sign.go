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

	"github.com/wharfinger/wharfinger/internal/blob/xmlstore"
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
type pair = xmlstore.Pair

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
		lines[i] = pair{Name: strings.ToLower(xmlstore.Encode(p.Name)), Value: xmlstore.Encode(p.Value)}
	}
	slices.SortFunc(lines, func(a, b pair) int {
		return 2*strings.Compare(a.Name, b.Name) + strings.Compare(a.Value, b.Value)
	})
	var names, values strings.Builder
	for i, l := range lines {
		if i > 0 {
			names.WriteByte(';')
			values.WriteByte('&')
		}
		names.WriteString(l.Name)
		values.WriteString(l.Name + "=" + l.Value)
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
	return "q-sign-algorithm=sha1&q-ak=" + xmlstore.Encode(s.id) + "&q-sign-time=" + window + "&q-key-time=" + window +
		"&q-header-list=" + strings.ReplaceAll(headerList, ";", semicolon) +
		"&q-url-param-list=" + strings.ReplaceAll(paramList, ";", semicolon) +
		"&q-signature=" + string(signature[:])
}

package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// Message is what the signature of an address covers: all that decides what the
// address gives. Two different messages never sign the same bytes.
type Message struct {
	Method string
	Path   string
}

func (m Message) bytes(until int64) []byte {
	const head = "wharfinger/v1/address"
	b := make([]byte, 0, len(head)+len(m.Method)+len(m.Path)+3*8)
	b = append(b, head...)
	b = binary.BigEndian.AppendUint64(b, uint64(until))
	for _, field := range []string{m.Method, m.Path} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(field)))
		b = append(b, field...)
	}
	return b
}

// Signer signs addresses that carry their own permission, such as those of
// downloads.
type Signer struct{ key Key }

// NewSigner returns the signer of the site whose keys they are.
func NewSigner(k Keys) *Signer { return &Signer{key: k.URL} }

// Format hides the key from every verb of fmt.
func (*Signer) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// maxSignature is longer than any signature: 43 characters of HMAC, a colon, and
// the decimal digits of an int64.
const maxSignature = 43 + 1 + 19

// Sign returns base64url(HMAC-SHA256) ":" unix-seconds. A time before 1970 gives
// a signature that never holds.
func (s *Signer) Sign(m Message, until time.Time) string {
	at := max(until.Unix(), 0)
	return base64.RawURLEncoding.EncodeToString(s.mac(m, at)) + ":" + strconv.FormatInt(at, 10)
}

// Check is nil if sig was made by Sign for m and its time has not come:
// Forbidden/sign_bad otherwise, Forbidden/sign_expired for a true signature
// that is too old.
func (s *Signer) Check(m Message, sig string, now time.Time) error {
	const op = "auth.Signer.Check"
	mac, until, ok := parseSignature(sig)
	if !ok || !hmac.Equal(mac, s.mac(m, until)) {
		return errs.New(errs.Forbidden, errs.SignBad).At(op)
	}
	if now.Unix() >= until {
		return errs.New(errs.Forbidden, errs.SignExpired).At(op)
	}
	return nil
}

func (s *Signer) mac(m Message, until int64) []byte {
	h := hmac.New(sha256.New, s.key[:])
	h.Write(m.bytes(until))
	return h.Sum(nil)
}

// parseSignature takes exactly what Sign writes: one signature, one spelling.
func parseSignature(sig string) (mac []byte, until int64, ok bool) {
	if len(sig) > maxSignature {
		return nil, 0, false
	}
	text, at, found := strings.Cut(sig, ":")
	if !found {
		return nil, 0, false
	}
	mac, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(mac) != sha256.Size || len(text) != 43 {
		return nil, 0, false
	}
	until, err = strconv.ParseInt(at, 10, 64)
	if err != nil || until <= 0 || strconv.FormatInt(until, 10) != at {
		return nil, 0, false
	}
	return mac, until, true
}

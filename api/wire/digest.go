package wire

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// The digest algorithms that are understood, as RFC 9530 fields name them.
const (
	SHA256 = "sha-256"
	SHA512 = "sha-512"
	// CRC64NVME is our own entry: the CRC-64/NVME of the bytes, 8 bytes
	// big-endian. It finds accidents, not forgeries.
	CRC64NVME = "crc64nvme"
)

// ErrDigest is what every error of ParseDigests is.
var ErrDigest = errors.New("not a digest field")

// Digest is one member of a Content-Digest or Repr-Digest field.
type Digest struct {
	Algorithm string
	Sum       []byte
}

// sumLength tells how long a sum is, 0 for an algorithm that is not understood.
func sumLength(algorithm string) int {
	switch algorithm {
	case SHA256:
		return 32
	case SHA512:
		return 64
	case CRC64NVME:
		return 8
	}
	return 0
}

// FormatDigests prints a Content-Digest or Repr-Digest field.
func FormatDigests(ds ...Digest) string {
	members := make([]string, len(ds))
	for i, d := range ds {
		members[i] = d.Algorithm + "=:" + base64.StdEncoding.EncodeToString(d.Sum) + ":"
	}
	return strings.Join(members, ", ")
}

// ParseDigests reads a Content-Digest or Repr-Digest field (RFC 9530, a
// dictionary of RFC 8941 byte sequences). Members of algorithms that are not
// understood are passed over, as the RFC asks; so none may remain. Of two
// members of one algorithm the last one counts. A sum of the wrong length is an
// error, for it can match nothing. Every error is an ErrDigest.
func ParseDigests(field string) ([]Digest, error) {
	var ds []Digest
	p := parser{strings.Trim(field, " ")}
	for p.rest != "" {
		name, err := p.key()
		if err != nil {
			return nil, err
		}
		sum, isBytes, err := p.member()
		if err != nil {
			return nil, err
		}
		if err := p.comma(); err != nil {
			return nil, err
		}
		want := sumLength(name)
		if want == 0 {
			continue
		}
		if !isBytes || len(sum) != want {
			return nil, fmt.Errorf("%w: %s is not %d bytes in base64 between colons", ErrDigest, name, want)
		}
		ds = put(ds, Digest{name, sum})
	}
	return ds, nil
}

func put(ds []Digest, d Digest) []Digest {
	for i := range ds {
		if ds[i].Algorithm == d.Algorithm {
			ds[i] = d
			return ds
		}
	}
	return append(ds, d)
}

// parser reads as much of RFC 8941 as it takes to step over members that are
// not understood.
type parser struct{ rest string }

func (p *parser) fail(what string) error {
	return fmt.Errorf("%w: expected %s at %.20q", ErrDigest, what, p.rest)
}

func (p *parser) eat(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// span takes bytes while ok holds for them.
func (p *parser) span(ok func(byte) bool) string {
	n := 0
	for n < len(p.rest) && ok(p.rest[n]) {
		n++
	}
	s := p.rest[:n]
	p.rest = p.rest[n:]
	return s
}

func (p *parser) key() (string, error) {
	lower := func(c byte) bool { return 'a' <= c && c <= 'z' || c == '*' }
	if p.rest == "" || !lower(p.rest[0]) {
		return "", p.fail("a lower-case key")
	}
	return p.span(func(c byte) bool {
		return lower(c) || '0' <= c && c <= '9' || strings.IndexByte("_-.", c) >= 0
	}), nil
}

// member reads "=value" and its parameters, or parameters alone.
func (p *parser) member() (sum []byte, isBytes bool, err error) {
	if p.eat('=') {
		if sum, isBytes, err = p.value(); err != nil {
			return nil, false, err
		}
	}
	for p.eat(';') {
		p.span(isSpace)
		if _, err := p.key(); err != nil {
			return nil, false, err
		}
		if p.eat('=') {
			if _, _, err := p.value(); err != nil {
				return nil, false, err
			}
		}
	}
	return sum, isBytes, nil
}

func (p *parser) value() (sum []byte, isBytes bool, err error) {
	switch {
	case p.eat(':'):
		text, after, ok := strings.Cut(p.rest, ":")
		if !ok {
			return nil, false, p.fail("a closing colon")
		}
		sum, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, false, p.fail("base64")
		}
		p.rest = after
		return sum, true, nil
	case p.eat('"'):
		return nil, false, p.quoted()
	case p.eat('('):
		return nil, false, p.list()
	}
	if p.span(isToken) == "" {
		return nil, false, p.fail("a value")
	}
	return nil, false, nil
}

func (p *parser) quoted() error {
	for p.rest != "" {
		c := p.rest[0]
		p.rest = p.rest[1:]
		switch {
		case c == '"':
			return nil
		case c == '\\' && p.rest != "":
			p.rest = p.rest[1:]
		}
	}
	return p.fail("a closing quote")
}

// list steps over an inner list, which cannot hold another.
func (p *parser) list() error {
	for p.rest != "" {
		p.span(isSpace)
		if p.eat(')') {
			return nil
		}
		if strings.HasPrefix(p.rest, "(") {
			return p.fail("an item")
		}
		if _, _, err := p.value(); err != nil {
			return err
		}
		for p.eat(';') {
			p.span(func(c byte) bool { return isToken(c) || c == ' ' || c == '=' })
		}
	}
	return p.fail("a closing parenthesis")
}

// comma reads what stands between two members, and refuses one at the end.
func (p *parser) comma() error {
	p.span(isSpace)
	if p.rest == "" {
		return nil
	}
	if !p.eat(',') {
		return p.fail("a comma")
	}
	p.span(isSpace)
	if p.rest == "" {
		return p.fail("a member")
	}
	return nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

func isToken(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~:/?", c) >= 0
}

// CRCDigest is a CRC-64/NVME as a digest.
func CRCDigest(sum uint64) Digest {
	return Digest{Algorithm: CRC64NVME, Sum: binary.BigEndian.AppendUint64(nil, sum)}
}

// DigestOf finds one algorithm's sum in a Repr-Digest.
func DigestOf(field, algorithm string) ([]byte, bool) {
	ds, err := ParseDigests(field)
	if err != nil {
		return nil, false
	}
	for _, d := range ds {
		if d.Algorithm == algorithm {
			return d.Sum, true
		}
	}
	return nil, false
}

// CRCOf finds the CRC-64/NVME in a Repr-Digest.
func CRCOf(field string) (uint64, bool) {
	sum, ok := DigestOf(field, CRC64NVME)
	if !ok {
		return 0, false
	}
	return binary.BigEndian.Uint64(sum), true
}

package core

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// Clock tells the time. Rooms hold one and never ask the machine, so that tests
// can move it.
type Clock func() time.Time

// Micros returns t as the database keeps it: microseconds UTC since 1970.
func Micros(t time.Time) int64 { return t.UnixMicro() }

// FromMicros is the inverse of Micros; 0 is the zero time.
func FromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// Secret is text that must not be printed: logs, dumps and errors show dots.
type Secret string

const dots = "•••"

// String hides the text.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return dots
}

// GoString hides the text from %#v.
func (s Secret) GoString() string { return dots }

// MarshalText hides the text from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal returns the text itself. Call it where it is used and nowhere else.
func (s Secret) Reveal() string { return string(s) }

// Via says through which kind of credential an actor came.
type Via uint8

// The ways in.
const (
	ViaNone  Via = iota // anonymous
	ViaToken            // access token
	ViaLocal            // command line on the data directory, or the server itself
)

// Actor is who asks. It is a parameter wherever it matters and never in a
// context. The zero Actor is anonymous and may do nothing.
type Actor struct {
	User  UserID
	Group GroupID
	Admin bool
	Via   Via
	// Device is the signed-in device whose token it is; "" for other ways in.
	Device string
}

// Known reports whether somebody signed in.
func (a Actor) Known() bool { return a.User != 0 }

// NewUUID returns a random UUIDv4 as text (RFC 9562).
func NewUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24: it ends the program instead
	return uuid(b, 4)
}

// NewTimedUUID returns a UUIDv7 as text (RFC 9562 §5.7): the milliseconds of t,
// then 74 random bits. Rows with such keys lie in the order of their making.
func NewTimedUUID(t time.Time) string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	ms := uint64(t.UnixMilli())
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	return uuid(b, 7)
}

func uuid(b [16]byte, version byte) string {
	b[6], b[8] = b[6]&0x0f|version<<4, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

package wire

import (
	"encoding/base64"
	"fmt"
	"math/bits"
)

// Bits is a bit set as the wire carries it: base64 of bytes of which bit i is
// bit i%8 of byte i/8. Trailing zero bytes are left out.
type Bits uint64

// Bits of a file's or listing's capability.
const (
	MayCreate     = 0
	MayRename     = 1
	MayUpload     = 6
	MayDownload   = 7
	MaySetMeta    = 8
	MayList       = 9
	MayThumb      = 10
	MayDelete     = 14
	MayLock       = 15
	MaySoftDelete = 16
	MayRestore    = 17
	MayShare      = 18
	MaySeeInfo    = 19
	MaySeePast    = 20
	MayEnter      = 23
)

// Bits of a group's permission.
const (
	GroupAdmin           = 0
	GroupAnonymous       = 1
	GroupShare           = 2
	GroupWebDAV          = 3
	GroupArchiveDownload = 4
	GroupArchiveTask     = 5
	GroupShareDownload   = 7
	GroupRemoteDownload  = 9
	GroupAdvancedDelete  = 12
)

// The capabilities that clients know by heart; they carry bits that have no
// name above.
const (
	OwnDrive     Bits = 0x019dc7c3 // w8edAQ==
	TrashDrive   Bits = 0x0ac200   // AMIK
	ShareDrive   Bits = 0x01988680 // gIaYAQ==
	SharedWithMe Bits = 0x800280   // gAKA
)

// BitsOf is the set of those bits.
func BitsOf(set ...int) Bits {
	var b Bits
	for _, i := range set {
		b |= 1 << i
	}
	return b
}

// ParseBits reads what String prints, and sets with zero bytes at their end.
func ParseBits(s string) (Bits, error) {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return 0, fmt.Errorf("bit set: %w", err)
	}
	var b Bits
	for i, c := range raw {
		if i >= 8 && c != 0 {
			return 0, fmt.Errorf("bit set: bit %d is out of range", 8*i)
		}
		if i < 8 {
			b |= Bits(c) << (8 * i)
		}
	}
	return b, nil
}

// Has reports whether bit i is set.
func (b Bits) Has(i int) bool { return b>>i&1 == 1 }

// String is the form of the wire.
func (b Bits) String() string {
	raw := make([]byte, (bits.Len64(uint64(b))+7)/8)
	for i := range raw {
		raw[i] = byte(b >> (8 * i))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

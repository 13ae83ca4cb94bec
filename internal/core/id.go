package core

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"math/big"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// Numeric ids are minted in Go from blocks reserved in the database; they are
// positive and stay below 2^53, so that JSON numbers hold them exactly.
type (
	UserID    int64
	GroupID   int64
	NodeID    int64
	VersionID int64
	PolicyID  int64
	ShareID   int64
	JobID     int64
	Rev       int64  // revision of a row, for compare-and-set
	SessionID string // UUIDv4 text
)

// Tag is the type of thing that a public id names. The numbers are those of the
// contract (envelope.md 1.3), so that a dump of either system reads the same.
type Tag byte

// The tags in use. Files and folders are both TagFile.
const (
	TagShare   Tag = 0
	TagUser    Tag = 1
	TagFile    Tag = 2
	TagPolicy  Tag = 5
	TagAddress Tag = 6
	TagGroup   Tag = 7
	TagVersion Tag = 8
	TagTask    Tag = 11
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// publicLen is the length of a public id: 128 bits in base 62.
const publicLen = 22

// IDs turns numeric ids into public ones and back. A public id is one AES block
// over (id, tag, zeros) in base 62: opaque, unguessable, of one length, and the
// 55 zero bits refuse what this site did not mint.
type IDs struct{ block cipher.Block }

// NewIDs returns the codec of the site whose 32 byte key it is.
func NewIDs(key [32]byte) *IDs {
	b, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // only for a wrong key length, which the type rules out
	}
	return &IDs{block: b}
}

// Encode returns the public id of (id, tag): 22 characters of [0-9A-Za-z].
func (c *IDs) Encode(tag Tag, id int64) string {
	var b [aes.BlockSize]byte
	binary.BigEndian.PutUint64(b[:8], uint64(id))
	b[8] = byte(tag)
	c.block.Encrypt(b[:], b[:])
	n, m, r := new(big.Int).SetBytes(b[:]), big.NewInt(62), new(big.Int)
	var out [publicLen]byte
	for i := publicLen - 1; i >= 0; i-- {
		n.DivMod(n, m, r)
		out[i] = base62[r.Int64()]
	}
	return string(out[:])
}

// Decode returns the numeric id that s names; Invalid/bad_id if s was not
// minted here or names another type of thing.
func (c *IDs) Decode(tag Tag, s string) (int64, error) {
	const op = "core.IDs.Decode"
	bad := errs.New(errs.Invalid, errs.BadID).At(op)
	if len(s) != publicLen {
		return 0, bad
	}
	n, m := new(big.Int), big.NewInt(62)
	for i := range publicLen {
		d := digit62(s[i])
		if d < 0 {
			return 0, bad
		}
		n.Mul(n, m).Add(n, big.NewInt(d))
	}
	if n.BitLen() > aes.BlockSize*8 {
		return 0, bad
	}
	var b [aes.BlockSize]byte
	n.FillBytes(b[:])
	c.block.Decrypt(b[:], b[:])
	if b[8] != byte(tag) {
		return 0, bad
	}
	for _, z := range b[9:] {
		if z != 0 {
			return 0, bad
		}
	}
	id := int64(binary.BigEndian.Uint64(b[:8]))
	if id < 0 {
		return 0, bad
	}
	return id, nil
}

func digit62(c byte) int64 {
	switch {
	case c >= '0' && c <= '9':
		return int64(c - '0')
	case c >= 'A' && c <= 'Z':
		return int64(c-'A') + 10
	case c >= 'a' && c <= 'z':
		return int64(c-'a') + 36
	}
	return -1
}

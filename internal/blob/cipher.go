package blob

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// CipherName is the algorithm of [Cipher] as clients spell it.
const CipherName = "aes-256-ctr"

// Cipher enciphers one file with AES-256 in counter mode. The length does not
// change and any byte can be deciphered alone. It hides the content; it does
// not prove it: that is what digests are for.
//
// A Cipher never prints its key. A key and IV must never serve two files.
type Cipher struct {
	Key [32]byte
	IV  [16]byte
}

// NewCipher returns a cipher with a fresh random key and IV.
func NewCipher() *Cipher {
	c := new(Cipher)
	_, _ = rand.Read(c.Key[:]) // never fails: crypto/rand ends the process instead
	_, _ = rand.Read(c.IV[:])
	return c
}

// Format prints dots for any verb, so that no log ever holds a key.
func (c Cipher) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "•••") }

// MarshalText gives dots: the door spells a key out where it means to.
func (c Cipher) MarshalText() ([]byte, error) { return []byte("•••"), nil }

// Stream returns the key stream from that byte of the file on. XORing twice
// gives the bytes back. offset must not be negative.
func (c *Cipher) Stream(offset int64) cipher.Stream {
	block, err := aes.NewCipher(c.Key[:])
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	// The counter is the IV plus the number of the block, as a 128-bit
	// big-endian integer that wraps.
	var iv [aes.BlockSize]byte
	lo, carry := bits.Add64(binary.BigEndian.Uint64(c.IV[8:]), uint64(offset)/aes.BlockSize, 0)
	hi, _ := bits.Add64(binary.BigEndian.Uint64(c.IV[:8]), 0, carry)
	binary.BigEndian.PutUint64(iv[:8], hi)
	binary.BigEndian.PutUint64(iv[8:], lo)
	s := cipher.NewCTR(block, iv[:])
	if skip := offset % aes.BlockSize; skip > 0 {
		var waste [aes.BlockSize]byte
		s.XORKeyStream(waste[:skip], waste[:skip])
	}
	return s
}

// A sealed key is one version byte, a random nonce and the AES-256-GCM
// ciphertext with its tag.
const (
	sealVersion = 1
	sealLen     = 1 + 12 + 32 + 16
)

var sealLabel = []byte("wharfinger file key")

// SealKey enciphers a file key under the master key, for the file's row.
func SealKey(master, key [32]byte) []byte {
	out := make([]byte, 13, sealLen)
	out[0] = sealVersion
	_, _ = rand.Read(out[1:13])
	return sealer(master).Seal(out, out[1:13], key[:], sealLabel)
}

// OpenKey undoes [SealKey]. Another master key, or a changed byte, is an error
// of reason CipherFailed.
func OpenKey(master [32]byte, sealed []byte) (key [32]byte, err error) {
	const op = "blob.OpenKey"
	if len(sealed) != sealLen || sealed[0] != sealVersion {
		return key, errs.Newf(errs.Internal, errs.CipherFailed, "not a sealed key: %d bytes", len(sealed)).At(op)
	}
	if _, err := sealer(master).Open(key[:0], sealed[1:13], sealed[13:], sealLabel); err != nil {
		return [32]byte{}, errs.Newf(errs.Internal, errs.CipherFailed, "key was sealed under another master key, or changed").At(op).Because(err)
	}
	return key, nil
}

func sealer(master [32]byte) cipher.AEAD {
	block, err := aes.NewCipher(master[:])
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	g, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has 16-byte blocks
	}
	return g
}

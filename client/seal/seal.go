package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/wharfinger/wharfinger/api/wire"
)

// Cipher is the one cipher that clients are asked to apply.
const Cipher = "aes-256-ctr"

// Seal encrypts what is sent, where the server asks for that. Length and
// offsets stay what they are.
type Seal struct {
	block cipher.Block
	iv    [aes.BlockSize]byte
}

// New makes the seal that the server asks for; nil where it asks for none.
func New(m *wire.EncryptMetadata) (*Seal, error) {
	if m == nil {
		return nil, nil //nolint:nilnil // in clear
	}
	if m.Algorithm != Cipher {
		return nil, fmt.Errorf("the server asks for the cipher %q, which is not known here", m.Algorithm)
	}
	key, err := base64.StdEncoding.DecodeString(m.KeyPlainText)
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("the server sent an encryption key of the wrong form")
	}
	iv, err := base64.StdEncoding.DecodeString(m.Iv)
	if err != nil || len(iv) != aes.BlockSize {
		return nil, fmt.Errorf("the server sent an initial counter of the wrong form")
	}
	s := new(Seal)
	copy(s.iv[:], iv)
	s.block, err = aes.NewCipher(key)
	return s, err
}

// At is the key stream from that byte of the file on: the counter is the IV
// plus the number of the block, as one 128-bit big-endian number.
func (s *Seal) At(offset int64) cipher.Stream {
	hi, lo := binary.BigEndian.Uint64(s.iv[:8]), binary.BigEndian.Uint64(s.iv[8:])
	blocks := uint64(offset) / aes.BlockSize
	if lo+blocks < lo {
		hi++
	}
	var counter [aes.BlockSize]byte
	binary.BigEndian.PutUint64(counter[:8], hi)
	binary.BigEndian.PutUint64(counter[8:], lo+blocks)
	stream := cipher.NewCTR(s.block, counter[:])
	var skip [aes.BlockSize]byte
	n := offset % aes.BlockSize
	stream.XORKeyStream(skip[:n], skip[:n])
	return stream
}

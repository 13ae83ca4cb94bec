package client

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/wharfinger/wharfinger/api/wire"
)

func crcDigest(sum uint64) wire.Digest {
	return wire.Digest{Algorithm: wire.CRC64NVME, Sum: binary.BigEndian.AppendUint64(nil, sum)}
}

// digestOf finds one algorithm's sum in a Repr-Digest.
func digestOf(field, algorithm string) ([]byte, bool) {
	ds, err := wire.ParseDigests(field)
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

func crcOf(field string) (uint64, bool) {
	sum, ok := digestOf(field, wire.CRC64NVME)
	if !ok {
		return 0, false
	}
	return binary.BigEndian.Uint64(sum), true
}

// cipherName is the one cipher that clients are asked to apply.
const cipherName = "aes-256-ctr"

// seal encrypts what is sent, where the server asks for that. Length and
// offsets stay what they are.
type seal struct {
	block cipher.Block
	iv    [aes.BlockSize]byte
}

func newSeal(m *wire.EncryptMetadata) (*seal, error) {
	if m == nil {
		return nil, nil //nolint:nilnil // in clear
	}
	if m.Algorithm != cipherName {
		return nil, fmt.Errorf("client: the server asks for the cipher %q, which is not known here", m.Algorithm)
	}
	key, err := base64.StdEncoding.DecodeString(m.KeyPlainText)
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("client: the server sent an encryption key of the wrong form")
	}
	iv, err := base64.StdEncoding.DecodeString(m.Iv)
	if err != nil || len(iv) != aes.BlockSize {
		return nil, fmt.Errorf("client: the server sent an initial counter of the wrong form")
	}
	s := new(seal)
	copy(s.iv[:], iv)
	s.block, err = aes.NewCipher(key)
	return s, err
}

// at is the key stream from that byte of the file on: the counter is the IV
// plus the number of the block, as one 128-bit big-endian number.
func (s *seal) at(offset int64) cipher.Stream {
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

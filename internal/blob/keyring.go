package blob

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// Keyring holds the master key under which file keys are sealed. It never
// prints.
type Keyring struct{ master [32]byte }

// OpenKeyring reads the master key from the file name in dir, and makes one if
// there is no such file. The file is 32 random bytes as base64 text. One that
// others may read, or that is anything else, is refused: a wrong key would make
// every ciphered file unreadable, so nothing is guessed or repaired.
func OpenKeyring(dir *os.Root, name string) (*Keyring, error) {
	const op = "blob.OpenKeyring"
	k, err := readKeyring(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeKeyring(dir, name); err == nil || errors.Is(err, fs.ErrExist) {
			k, err = readKeyring(dir, name)
		}
	}
	if err != nil {
		return nil, errs.As(op, errs.Internal, errs.CipherFailed, err)
	}
	return k, nil
}

func readKeyring(dir *os.Root, name string) (*Keyring, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Mode().Perm()&0o077 != 0 {
		return nil, errs.Newf(errs.Internal, errs.CipherFailed, "key file %s has mode %v: only its owner may read it (chmod 600)", name, st.Mode())
	}
	const most = 64 // a key and its line end, and some space
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(raw) != 32 || len(text) > most {
		return nil, errs.Newf(errs.Internal, errs.CipherFailed, "key file %s is not 32 bytes as base64", name)
	}
	return &Keyring{master: [32]byte(raw)}, nil
}

// makeKeyring writes a fresh key aside and links it to its name: the name never
// holds half a key, and of two processes one wins.
func makeKeyring(dir *os.Root, name string) (err error) {
	var key [32]byte
	var tag [8]byte
	_, _ = rand.Read(key[:])
	_, _ = rand.Read(tag[:])
	aside := name + "." + hex.EncodeToString(tag[:])
	f, err := dir.OpenFile(aside, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Remove(aside)) }()
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key[:]) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := dir.Link(aside, name); err != nil {
		return err
	}
	d, err := dir.Open(path.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Seal enciphers the key of a file for its row.
func (k *Keyring) Seal(key [32]byte) []byte { return SealKey(k.master, key) }

// Open undoes [Keyring.Seal].
func (k *Keyring) Open(sealed []byte) ([32]byte, error) { return OpenKey(k.master, sealed) }

// Derive returns a key for another use, by HKDF-SHA-256 (RFC 5869): nothing can
// be learned of the master key or of other uses from it.
func (k *Keyring) Derive(use string) [32]byte {
	b, err := hkdf.Key(sha256.New, k.master[:], nil, "wharfinger "+use, 32)
	if err != nil {
		panic(err) // only for a length that SHA-256 cannot give
	}
	return [32]byte(b)
}

// String gives dots.
func (k *Keyring) String() string { return "•••" }

// GoString gives dots.
func (k *Keyring) GoString() string { return "•••" }

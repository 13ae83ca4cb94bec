package auth

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"
)

// Key is 32 secret bytes. No verb, encoder or log prints them.
type Key [32]byte

// Format hides the bytes from every verb of fmt.
func (Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// MarshalText hides the bytes from encoders.
func (Key) MarshalText() ([]byte, error) { return []byte(hidden), nil }

const hidden = "•••"

// Keys are the keys of a site, one for each use, all from the master key. Who
// learns one of them learns nothing of the others.
type Keys struct {
	Token Key // signs access and refresh tokens
	State Key // binds a refresh token to the state of its account
	URL   Key // signs addresses
	IDs   Key // for core.NewIDs
	Link  Key // callbacks and links that storage vendors send back
	Vault Key // seals the secrets of accounts, see NewVault
}

// DeriveKeys returns the keys of the site whose master key it is (HKDF-SHA256,
// RFC 5869). The names below are part of the data: a changed name is a new key,
// and all tokens, addresses and public ids made before are dead.
func DeriveKeys(master [32]byte) Keys {
	return Keys{
		Token: derive(master, "wharfinger/v1/token"),
		State: derive(master, "wharfinger/v1/token-state"),
		URL:   derive(master, "wharfinger/v1/url"),
		IDs:   derive(master, "wharfinger/v1/public-id"),
		Link:  derive(master, "wharfinger/v1/link"),
		Vault: derive(master, "wharfinger/v1/vault"),
	}
}

func derive(master [32]byte, use string) (k Key) {
	b, err := hkdf.Key(sha256.New, master[:], nil, use, len(k))
	if err != nil {
		panic(err) // only for a length beyond 255 hashes, which the type rules out
	}
	copy(k[:], b)
	return k
}

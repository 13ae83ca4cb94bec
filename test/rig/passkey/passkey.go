// Package passkey is an authenticator and its browser in memory, for tests: it
// makes passkeys and answers with them as WebAuthn says, by nothing but the
// standard library. What it does wrong on purpose is in its fields.
//
//	a := passkey.New("https://files.example.test")
//	response := a.Create(options) // of PUT /user/authn
//	response = a.Get(options)     // of PUT /session/authn
package passkey

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/url"
)

// The flags of authenticator data (WebAuthn §6.1).
const (
	present  = 0x01
	verified = 0x04
	attested = 0x40
)

// Authenticator holds one passkey at most.
type Authenticator struct {
	Origin     string // where its browser thinks it is
	RPID       string // whom it signs for; the host of Origin unless changed
	Counter    uint32 // of its signatures
	Unverified bool   // it does not ask who holds it
	Handle     []byte // of the user, as it was told

	id  []byte
	key *ecdsa.PrivateKey
}

// New returns an authenticator whose browser is at origin.
func New(origin string) *Authenticator {
	u, err := url.Parse(origin)
	if err != nil {
		panic(err)
	}
	return &Authenticator{Origin: origin, RPID: u.Hostname()}
}

var b64 = base64.RawURLEncoding

// options are those of both ceremonies, as far as it needs them.
type options struct {
	PublicKey struct {
		Challenge string
		User      struct{ ID string }
	}
}

func read(text []byte) options {
	var o options
	if err := json.Unmarshal(text, &o); err != nil {
		panic(fmt.Sprintf("%v: %s", err, text))
	}
	return o
}

func (a *Authenticator) client(kind, challenge string) []byte {
	text, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.Origin, "crossOrigin": false})
	if err != nil {
		panic(err)
	}
	return text
}

func (a *Authenticator) data(flags byte) []byte {
	if !a.Unverified {
		flags |= verified
	}
	party := sha256.Sum256([]byte(a.RPID))
	a.Counter++
	return binary.BigEndian.AppendUint32(append(party[:], flags|present), a.Counter)
}

// Create makes the passkey that the options ask for.
func (a *Authenticator) Create(text []byte) []byte {
	o := read(text)
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		panic(err)
	}
	a.id = make([]byte, 32)
	_, _ = rand.Read(a.id)
	if a.Handle, err = b64.DecodeString(o.PublicKey.User.ID); err != nil {
		panic(err)
	}
	point, err := a.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		panic(err)
	}
	// COSE_Key {1: 2, 3: -7, -1: 1, -2: x, -3: y} (RFC 9053 §2.1, §7.1.1)
	cose := append([]byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32}, point[1:33]...)
	cose = append(append(cose, 0x22, 0x58, 32), point[33:]...)
	auth := append(a.data(attested), make([]byte, 16)...) // an AAGUID of zeros
	auth = append(append(binary.BigEndian.AppendUint16(auth, uint16(len(a.id))), a.id...), cose...)
	// {"fmt": "none", "attStmt": {}, "authData": …}
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59"), byte(len(auth)>>8), byte(len(auth)))
	return a.credential(map[string]any{
		"clientDataJSON":    b64.EncodeToString(a.client("webauthn.create", o.PublicKey.Challenge)),
		"attestationObject": b64.EncodeToString(append(object, auth...)),
	})
}

// Get answers with the passkey.
func (a *Authenticator) Get(text []byte) []byte {
	client := a.client("webauthn.get", read(text).PublicKey.Challenge)
	auth := a.data(0)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(auth[:len(auth):len(auth)], hash[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, a.key, sum[:])
	if err != nil {
		panic(err)
	}
	return a.credential(map[string]any{
		"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(auth),
		"signature": b64.EncodeToString(sig), "userHandle": b64.EncodeToString(a.Handle),
	})
}

func (a *Authenticator) credential(response map[string]any) []byte {
	text, err := json.Marshal(map[string]any{
		"id": b64.EncodeToString(a.id), "rawId": b64.EncodeToString(a.id), "type": "public-key",
		"clientExtensionResults": map[string]any{}, "response": response,
	})
	if err != nil {
		panic(err)
	}
	return text
}

package auth

import (
	"crypto/sha256"
	"sync"
)

// known remembers the claims of tokens whose signature was right. What a token
// says never changes, and neither does our key: only whether it still counts
// does, and that is asked each time. A token is kept as its hash.
//
// Like fresh it keeps two generations of half its bound, so that a flood of
// tokens pushes out the rest and costs no more.
type known struct {
	bound int

	mu         sync.Mutex
	young, old map[[sha256.Size]byte]claims
}

// knownTokens are about 300 bytes each.
const knownTokens = 1024

func newKnown() *known { return &known{bound: knownTokens / 2, young: map[[sha256.Size]byte]claims{}} }

// claimsOf is parse, remembered.
func (k *known) claimsOf(token string, parse func(string) (claims, error)) (claims, error) {
	if len(token) > maxToken {
		return parse(token) // which refuses it
	}
	key := sha256.Sum256([]byte(token))
	k.mu.Lock()
	c, ok := k.young[key]
	if !ok {
		if c, ok = k.old[key]; ok {
			k.keep(key, c)
		}
	}
	k.mu.Unlock()
	if ok {
		return c, nil
	}
	c, err := parse(token)
	if err != nil {
		return claims{}, err // what is no token of ours takes no room
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keep(key, c)
	return c, nil
}

func (k *known) keep(key [sha256.Size]byte, c claims) {
	if len(k.young) >= k.bound {
		k.young, k.old = make(map[[sha256.Size]byte]claims, k.bound), k.young
	}
	k.young[key] = c
}

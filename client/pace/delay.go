package pace

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

const (
	firstWait = time.Second
	longest   = 30 * time.Second
)

// Delay is how long to wait before try n+1. It doubles from a second to half a
// minute; half of it is chance, so that many clients do not come back to a
// restarted server at the same moment.
func Delay(n int) time.Duration {
	d := longest
	if n < 6 {
		d = min(longest, firstWait<<(max(n, 1)-1))
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return d/2 + time.Duration(binary.BigEndian.Uint64(b[:])%uint64(d/2))
}

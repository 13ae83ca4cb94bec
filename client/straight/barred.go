package straight

import (
	"net/url"
	"sync"
	"time"
)

// BarredFor is how long a store that could not be reached is not tried again.
const BarredFor = 10 * time.Minute

// Barred are stores that could not be reached from here, by their origins: what bars the
// way to one says nothing of another. Its zero value is none. Many goroutines may use it.
type Barred struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// Add notes that the store of that address could not be reached.
func (b *Barred) Add(address string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until == nil {
		b.until = map[string]time.Time{}
	}
	b.until[origin(address)] = now.Add(BarredFor)
}

// Has reports that the store of that address is not to be tried now.
func (b *Barred) Has(address string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := origin(address)
	until, ok := b.until[at]
	if ok && !now.Before(until) {
		delete(b.until, at)
		ok = false
	}
	return ok
}

// origin is the scheme, host and port of an address.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Scheme + "://" + u.Host
}

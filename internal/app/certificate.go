package app

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// certificate is the pair of PEM files that prove who we are. Whoever renews them
// only has to replace the files: each handshake looks whether they are others.
type certificate struct {
	chain, key string // file names
	log        *slog.Logger

	mu   sync.Mutex
	seen [2]stamp // of the files that were last tried
	pair *tls.Certificate
}

// stamp tells one state of a file from another.
type stamp struct {
	at   time.Time
	size int64
}

// newCertificate returns the pair, or why there is none.
func newCertificate(chain, key string, log *slog.Logger) (*certificate, error) {
	const op = "app.newCertificate"
	if chain == "" || key == "" {
		return nil, errs.Newf(errs.Invalid, errs.BadParam,
			"A certificate and its key go together. Give --tls-cert and --tls-key, or neither.").At(op)
	}
	c := &certificate{chain: chain, key: key, log: log}
	if err := c.renew(); err != nil {
		return nil, errs.Newf(errs.Invalid, errs.BadParam,
			"The certificate %s and its key %s cannot be used: %v. Both are PEM files; the chain goes from the site's certificate to its issuers.", chain, key, err).
			At(op).Because(err)
	}
	return c, nil
}

// stamps looks at both files.
func (c *certificate) stamps() (s [2]stamp, err error) {
	for i, name := range []string{c.chain, c.key} {
		f, err := os.Stat(name)
		if err != nil {
			return s, err
		}
		s[i] = stamp{f.ModTime(), f.Size()}
	}
	return s, nil
}

// renew reads the files if they are others than those that were last tried.
func (c *certificate) renew() error {
	now, err := c.stamps()
	if err != nil || now == c.seen {
		return err
	}
	c.seen = now
	pair, err := tls.LoadX509KeyPair(c.chain, c.key)
	if err != nil {
		return err
	}
	c.pair = &pair
	return nil
}

// current is for tls.Config.GetCertificate. A pair that cannot be used, such as one
// that is being replaced, leaves the one before in its place.
func (c *certificate) current(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.renew(); err != nil {
		c.log.Warn("the certificate is as before: the new one cannot be used", "cert", c.chain, "key", c.key, "err", err.Error())
	}
	return c.pair, nil
}

// config is what the server does handshakes by.
func (c *certificate) config() *tls.Config {
	return &tls.Config{GetCertificate: c.current, MinVersion: tls.VersionTLS12}
}

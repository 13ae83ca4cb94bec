package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/oss"
)

// identity makes the certificate of the host that has the keys of OSS's callbacks,
// which are asked for by HTTPS alone, and a file that says to trust it.
func identity() (cert tls.Certificate, file string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return cert, "", err
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: oss.KeyHost}, DNSNames: []string{oss.KeyHost},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		return cert, "", err
	}
	f, err := os.CreateTemp("", "wharf-stand-*.pem")
	if err != nil {
		return cert, "", err
	}
	if err = pem.Encode(f, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err == nil {
		err = f.Close()
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, f.Name(), err
}

// tunnel answers CONNECT to the host of the keys: it is next with that certificate.
func tunnel(cert tls.Certificate, next http.Handler) http.Handler {
	inside := &http.Server{Handler: next, ReadHeaderTimeout: time.Minute}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			next.ServeHTTP(w, r)
			return
		}
		if r.URL.Hostname() != oss.KeyHost {
			http.Error(w, "no way to "+r.Host, http.StatusForbidden)
			return
		}
		conn, rest, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		if _, err := conn.Write([]byte("HTTP/1.1 200 OK\r\n\r\n")); err != nil {
			return
		}
		secure := tls.Server(buffered{conn, rest.Reader}, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
		_ = inside.Serve(&once{secure})
	})
}

// buffered has what was read before the line was taken over.
type buffered struct {
	net.Conn
	r *bufio.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.r.Read(p) }

// once is a listener that has one connection to give.
type once struct{ conn net.Conn }

func (o *once) Accept() (net.Conn, error) {
	if c := o.conn; c != nil {
		o.conn = nil
		return c, nil
	}
	return nil, net.ErrClosed
}

func (o *once) Close() error   { return nil }
func (o *once) Addr() net.Addr { return &net.TCPAddr{} }

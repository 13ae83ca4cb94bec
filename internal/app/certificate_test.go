package app

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certify writes a certificate for 127.0.0.1 with the serial number and its key, and
// returns its pool and the names of the files.
func certify(t *testing.T, dir string, serial int64) (pool *x509.CertPool, chain, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "wharf"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	chain, key = filepath.Join(dir, "chain.pem"), filepath.Join(dir, "key.pem")
	for name, b := range map[string]*pem.Block{chain: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		// In place of the file before at once, as who renews certificates does it.
		if err := os.WriteFile(name+".new", pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(name+".new", name); err != nil {
			t.Fatal(err)
		}
	}
	own, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(own)
	return pool, chain, key
}

// serial returns the serial number of the certificate that is served.
func serial(t *testing.T, a *App) int64 {
	t.Helper()
	c, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", a.ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestChunksOverHTTPSAreKeptByEitherVersionOfHTTP(t *testing.T) {
	t.Parallel()
	pool, chain, key := certify(t, t.TempDir(), 1)
	a, _ := serve(t, Config{Data: t.TempDir(), AdminEmail: testEmail, AdminPassword: testPassword, TLSCert: chain, TLSKey: key})
	if !strings.HasPrefix(a.URL(), "https://127.0.0.1:") {
		t.Errorf("the address is %s", a.URL())
	}
	for version := 1; version <= 2; version++ {
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: version == 2}}
		t.Cleanup(c.CloseIdleConnections)
		do := func(method, path, token string, body []byte) (data json.RawMessage) {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), method, a.URL()+"/api/v4"+path, bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+token)
			resp, err := c.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var out struct {
				Code int
				Msg  string
				Data json.RawMessage
			}
			if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || out.Code != 0 || resp.ProtoMajor != version {
				t.Fatalf("%s %s by %s: %d %s %v", method, path, resp.Proto, out.Code, out.Msg, err)
			}
			return out.Data
		}
		read := func(data json.RawMessage, into any) {
			t.Helper()
			if err := json.Unmarshal(data, into); err != nil {
				t.Fatal(err)
			}
		}
		var in struct {
			Token struct {
				AccessToken string `json:"access_token"`
			}
		}
		read(do("POST", "/session/token", "", fmt.Appendf(nil, `{"email":%q,"password":%q}`, testEmail, testPassword)), &in)
		content := make([]byte, 30<<20)
		_, _ = rand.Read(content)
		uri := fmt.Sprintf("cloudreve://my/%d.bin", version)
		var s struct {
			SessionID string `json:"session_id"`
			ChunkSize int    `json:"chunk_size"`
		}
		read(do("PUT", "/file/upload", in.Token.AccessToken, fmt.Appendf(nil, `{"uri":%q,"size":%d}`, uri, len(content))), &s)
		for i := 0; i*s.ChunkSize < len(content); i++ {
			chunk := content[i*s.ChunkSize : min(len(content), (i+1)*s.ChunkSize)]
			do("POST", fmt.Sprintf("/file/upload/%s/%d", s.SessionID, i), in.Token.AccessToken, chunk)
		}
		var out struct {
			URLs []struct{ URL string }
		}
		read(do("POST", "/file/url", in.Token.AccessToken, fmt.Appendf(nil, `{"uris":[%q]}`, uri)), &out)
		if !strings.HasPrefix(out.URLs[0].URL, "https://") {
			t.Errorf("the address of the file is %s", out.URLs[0].URL)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, out.URLs[0].URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes came back over HTTP/%d, %v; want the %d that were sent", len(got), version, err, len(content))
		}
	}
}

func TestARenewedCertificateIsServedWithoutARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, chain, key := certify(t, dir, 1)
	a, _ := serve(t, Config{Data: t.TempDir(), AdminEmail: testEmail, AdminPassword: testPassword, TLSCert: chain, TLSKey: key})
	if n := serial(t, a); n != 1 {
		t.Errorf("certificate %d is served, want 1", n)
	}
	certify(t, dir, 2)
	if n := serial(t, a); n != 2 {
		t.Errorf("certificate %d is served after it was renewed, want 2", n)
	}
	if err := os.WriteFile(chain, []byte("half of a cert"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := serial(t, a); n != 2 {
		t.Errorf("certificate %d is served while its file is damaged, want 2", n)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if n := serial(t, a); n != 2 {
		t.Errorf("certificate %d is served while its key is gone, want 2", n)
	}
}

func TestACertificateThatCannotBeUsedIsSaidAtTheStart(t *testing.T) {
	t.Parallel()
	_, chain, key := certify(t, t.TempDir(), 1)
	_, _, other := certify(t, t.TempDir(), 2)
	for name, c := range map[string]Config{
		"without its key": {TLSCert: chain},
		"with another's":  {TLSCert: chain, TLSKey: other},
		"missing":         {TLSCert: chain + "x", TLSKey: key},
		"no certificate":  {TLSCert: key, TLSKey: key},
	} {
		c.Data, c.Listen = t.TempDir(), "127.0.0.1:0"
		a, err := Open(t.Context(), c)
		if err == nil {
			_ = a.Close()
			t.Errorf("%s: it starts", name)
		} else if text := err.Error(); !strings.Contains(text, "key") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

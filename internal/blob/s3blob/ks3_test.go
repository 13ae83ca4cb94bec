package s3blob_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/s3blob"
	"github.com/wharfinger/wharfinger/test/emu/ks3"
)

// openKS3 is the driver of a bucket at an emulator of KS3.
func openKS3(t *testing.T) (blob.Driver, *ks3.Emulator) {
	t.Helper()
	e := ks3.New(ks3.Options{Bucket: "files", Region: "BEIJING", AccessKey: "id", SecretKey: "key", Clock: time.Now})
	s := httptest.NewServer(e)
	t.Cleanup(s.Close)
	way := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
	}}
	t.Cleanup(way.CloseIdleConnections)
	d, err := s3blob.Open(t.Context(), s3blob.Config{
		Flavour: "ks3", Endpoint: "http://ks3-cn-beijing.ksyuncs.com", Region: "BEIJING", Bucket: "files", AccessKey: "id", SecretKey: "key",
	}, way, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return d, e
}

func TestKS3KeepsTheContract(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) blobtest.Subject {
		d, _ := openKS3(t)
		return blobtest.Subject{Driver: struct{ blob.Driver }{d}}
	})
}

func TestKS3LetsInTheSitesThatItIsTold(t *testing.T) {
	t.Parallel()
	d, e := openKS3(t)
	if err := d.(blob.Origins).AllowOrigins(t.Context(), []string{"https://files.example.com"}); err != nil {
		t.Fatal(err)
	}
	if rules := e.Front.CORS(); !bytes.Contains(rules, []byte("https://files.example.com")) || !bytes.Contains(rules, []byte("ETag")) {
		t.Errorf("the rules are %s", rules)
	}
}

func TestKS3CopiesInside(t *testing.T) {
	t.Parallel()
	d, e := openKS3(t)
	if _, err := d.Put(t.Context(), "a/b c", blobtest.Bytes([]byte("x")), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.(blob.Copier).Copy(t.Context(), "a/b c", "d"); err != nil {
		t.Fatal(err)
	}
	if o, err := e.Shelf.Get("d"); err != nil || string(o.Data) != "x" {
		t.Errorf("%q, %v", o.Data, err)
	}
}

package trial_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/cosblob"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
	"github.com/wharfinger/wharfinger/internal/blob/obsblob"
	"github.com/wharfinger/wharfinger/internal/blob/ossblob"
	"github.com/wharfinger/wharfinger/internal/blob/relayblob"
	"github.com/wharfinger/wharfinger/internal/trial"
	"github.com/wharfinger/wharfinger/test/emu/cos"
	"github.com/wharfinger/wharfinger/test/emu/obs"
	"github.com/wharfinger/wharfinger/test/emu/oss"
)

// led returns a way on which every name leads to h.
func led(t *testing.T, h http.Handler) http.RoundTripper {
	t.Helper()
	server := httptest.NewServer(h)
	rt := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}}
	t.Cleanup(func() { rt.CloseIdleConnections(); server.Close() })
	return rt
}

func TestBucketsOfEachVendorPassAfterTheirCORSRuleIsSet(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*testing.T) (blob.Driver, http.RoundTripper, error){
		"cos": func(t *testing.T) (blob.Driver, http.RoundTripper, error) {
			e := cos.New(cos.Options{Bucket: "files-1250000000", Region: "ap-guangzhou", AccessKey: "id", SecretKey: "key", Clock: time.Now})
			rt := led(t, e)
			d, err := cosblob.Open(t.Context(), cosblob.Config{
				Bucket: "files-1250000000", Region: "ap-guangzhou", Endpoint: "http://" + e.Host(), AccessKey: "id", SecretKey: "key",
			}, rt, time.Now)
			return d, rt, err
		},
		"obs": func(t *testing.T) (blob.Driver, http.RoundTripper, error) {
			e := obs.New(obs.Options{Bucket: "files", Region: "cn-north-4", AccessKey: "id", SecretKey: "key", Clock: time.Now})
			rt := led(t, e)
			d, err := obsblob.Open(t.Context(), obsblob.Config{
				Bucket: "files", Region: "cn-north-4", Endpoint: "http://" + e.Host(), AccessKey: "id", SecretKey: "key",
			}, rt, time.Now)
			return d, rt, err
		},
		"oss": func(t *testing.T) (blob.Driver, http.RoundTripper, error) {
			e := oss.New(oss.Options{Bucket: "files", Region: "cn-hangzhou", AccessKey: "id", SecretKey: "key", Clock: time.Now})
			rt := led(t, e)
			d, err := ossblob.Open(t.Context(), ossblob.Config{
				Bucket: "files", Region: "cn-hangzhou", Endpoint: "http://" + e.Host(), AccessKey: "id", SecretKey: "key",
			}, rt, time.Now)
			return d, rt, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			far, rt, err := start(t)
			if err != nil {
				t.Fatal(err)
			}
			near, err := localblob.Open(t.Context(), localblob.Config{Root: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			d, err := relayblob.New(relayblob.Config{Near: near, Far: far, Part: 5 << 20, Prefix: "wharf"})
			if err != nil {
				t.Fatal(err)
			}
			h := &home{o: trial.Options{
				Bucket: blob.New(d, blob.Options{}), Client: rt, Clock: time.Now, Site: &url.URL{Scheme: "https", Host: "192.0.2.7"},
			}}
			want(t, h.failures(t), map[string]string{"CORS": "", "ETag": ""})
			if err := h.o.Bucket.AllowOrigins(t.Context(), []string{"https://192.0.2.7"}); err != nil {
				t.Fatal(err)
			}
			want(t, h.failures(t), nil)
			if err := h.o.Bucket.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

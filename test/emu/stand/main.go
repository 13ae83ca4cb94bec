package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/cos"
	"github.com/wharfinger/wharfinger/test/emu/ks3"
	"github.com/wharfinger/wharfinger/test/emu/obs"
	"github.com/wharfinger/wharfinger/test/emu/oss"
)

var (
	kind = flag.String("kind", "oss", "cos, ks3, obs or oss")
	site = flag.String("site", "", "host:port that callbacks go to, whatever they name; they are lost without it")
)

const (
	access = "AKIDexample"
	secret = "not a secret"
)

// place is what a policy needs to find the bucket.
type place struct {
	Proxy     string `json:"proxy"`
	Trust     string `json:"trust"` // file with the certificate behind CONNECT
	Type      string `json:"type"`
	Server    string `json:"server"`
	Origin    string `json:"origin"` // where the parts go
	Bucket    string `json:"bucket_name"`
	Region    string `json:"region"`
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

// store is an emulator.
type store interface {
	http.Handler
	Host() string
}

func main() {
	flag.Parse()
	p := place{Type: *kind, Bucket: "files", AccessKey: access, SecretKey: secret}
	var s store
	switch *kind {
	case "cos":
		p.Bucket, p.Region = "files-1250000000", "ap-guangzhou"
		s = cos.New(cos.Options{Bucket: p.Bucket, Region: p.Region, AccessKey: access, SecretKey: secret, Clock: time.Now})
	case "ks3":
		p.Region = "BEIJING"
		s = ks3.New(ks3.Options{Bucket: p.Bucket, Region: p.Region, AccessKey: access, SecretKey: secret, Clock: time.Now})
	case "obs":
		p.Region = "cn-north-4"
		s = obs.New(obs.Options{Bucket: p.Bucket, Region: p.Region, AccessKey: access, SecretKey: secret, Clock: time.Now, Calls: calls()})
	case "oss":
		p.Region = "cn-hangzhou"
		s = oss.New(oss.Options{Bucket: p.Bucket, Region: p.Region, AccessKey: access, SecretKey: secret, Clock: time.Now, Calls: calls()})
	default:
		log.Fatalf("no such store: %q", *kind)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	cert, trust, err := identity()
	if err != nil {
		log.Fatal(err)
	}
	p.Trust, p.Proxy, p.Origin = trust, "http://"+l.Addr().String(), "http://"+s.Host()
	p.Server = p.Origin
	if *kind == "ks3" { // its endpoint is that of all buckets
		p.Server = "http://" + strings.TrimPrefix(s.Host(), p.Bucket+".")
	}
	if err = json.NewEncoder(os.Stdout).Encode(p); err != nil { //nolint:gosec // the key of an emulator
		log.Fatal(err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = os.Remove(trust)
		os.Exit(0)
	}()
	server := &http.Server{Handler: tunnel(cert, direct(s)), ReadHeaderTimeout: time.Minute}
	log.Fatal(server.Serve(l))
}

// direct makes a request to a proxy one to the host that it names.
func direct(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RequestURI = strings.TrimPrefix(r.RequestURI, "http://"+r.Host)
		next.ServeHTTP(w, r)
	})
}

// calls is the way of callbacks, nil if they are to be lost.
func calls() http.RoundTripper {
	if *site == "" {
		return lost{}
	}
	return &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, *site)
	}}
}

// lost is the way to a site that the vendor cannot reach.
type lost struct{}

func (lost) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("no way to %s", r.URL.Host)
}

package main

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/vendors"
)

var (
	kind = flag.String("kind", "oss", "cos, ks3, obs or oss")
	site = flag.String("site", "", "host:port that callbacks go to, whatever they name; they are lost without it")
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

func main() {
	flag.Parse()
	s, err := vendors.Open(*kind, vendors.Options{Clock: time.Now, Calls: calls()})
	if err != nil {
		log.Fatal(err)
	}
	p := place{
		Type: *kind, Bucket: s.Bucket, Region: s.Region, AccessKey: vendors.Access, SecretKey: vendors.Secret,
		Origin: "http://" + s.Host(), Server: s.Endpoint,
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	cert, trust, err := identity()
	if err != nil {
		log.Fatal(err)
	}
	p.Trust, p.Proxy = trust, "http://"+l.Addr().String()
	if err = json.NewEncoder(os.Stdout).Encode(p); err != nil { //nolint:gosec // the key of an emulator
		log.Fatal(err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = os.Remove(trust)
		os.Exit(0)
	}()
	server := &http.Server{Handler: tunnel(cert, s), ReadHeaderTimeout: time.Minute}
	log.Fatal(server.Serve(l))
}

// calls is the way of callbacks, nil if they are to be lost.
func calls() http.RoundTripper {
	if *site == "" {
		return nil
	}
	return &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, *site)
	}}
}

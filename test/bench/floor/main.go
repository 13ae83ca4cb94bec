//go:build linux

package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

const chunkSize = 25 << 20

var (
	kind   = flag.String("kind", "http-copy", "see the package comment")
	listen = flag.String("listen", "127.0.0.1:24300", "loopback address")
	dir    = flag.String("dir", "", "data folder")
	batch  = flag.Int("batch", 256, "most waiters in one group commit")
)

func main() {
	flag.Parse()
	if err := os.MkdirAll(filepath.Join(*dir, "blobs"), 0o755); err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	switch {
	case strings.HasPrefix(*kind, "raw-"):
		serveRaw(ln)
	case strings.HasPrefix(*kind, "http-"):
		log.Fatal(http.Serve(ln, http.HandlerFunc(netHTTP)))
	default:
		if *kind == "group" || *kind == "seg" {
			g, err := openGroup()
			if err != nil {
				log.Fatal(err)
			}
			go g.run()
		}
		serveLoop(ln)
	}
}

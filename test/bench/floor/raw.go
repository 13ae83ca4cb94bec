//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

var rawFiles atomic.Int64

func serveRaw(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = c.Close() }()
			buf := make([]byte, 256<<10)
			for {
				var h [8]byte
				if _, err := io.ReadFull(c, h[:]); err != nil {
					return
				}
				if err := rawFile(c, int64(binary.BigEndian.Uint64(h[:])), buf); err != nil {
					log.Print(err)
					return
				}
				if _, err := c.Write([]byte{1}); err != nil {
					return
				}
			}
		}()
	}
}

func rawFile(c net.Conn, size int64, buf []byte) error {
	in := struct{ io.Reader }{io.LimitReader(c, size)}
	if *kind == "raw-discard" {
		_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, in, buf)
		return err
	}
	f, err := os.Create(filepath.Join(*dir, "blobs", fmt.Sprintf("r%d", rawFiles.Add(1)%64)))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if *kind == "raw-write" {
		_, err = io.CopyBuffer(struct{ io.Writer }{f}, in, buf)
	} else {
		_, err = f.ReadFrom(io.LimitReader(c, size)) // splice(2)
	}
	if err == nil && strings.HasSuffix(*kind, "fsync") {
		err = f.Sync()
	}
	return err
}

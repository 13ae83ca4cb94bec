//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
)

const smallest = 64 << 10 // up to here a body goes into the segment

func serveLoop(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			go loop(tcp)
		}
	}
}

func answer(c net.Conn, status string, b []byte) error {
	_, err := c.Write(append(fmt.Appendf(nil, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", status, len(b)), b...))
	return err
}

// loop serves one connection until something goes wrong, which ends it.
func loop(c *net.TCPConn) {
	defer func() { _ = c.Close() }()
	br := bufio.NewReaderSize(c, 8<<10)
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		switch r.Method {
		case http.MethodPut:
			err = loopCreate(c, r)
		case http.MethodPost:
			err = loopChunk(c, br, r)
		case http.MethodGet:
			err = loopGet(c, r)
		}
		if err != nil {
			log.Print(err)
			return
		}
	}
}

func loopCreate(c net.Conn, r *http.Request) error {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	id, err := create(b)
	if err != nil {
		return err
	}
	return answer(c, "200 OK", sessionJSON(id))
}

func loopChunk(c *net.TCPConn, br *bufio.Reader, r *http.Request) error {
	id := path.Base(path.Dir(r.URL.Path))
	i, err := strconv.ParseInt(path.Base(r.URL.Path), 10, 64)
	if err != nil {
		return err
	}
	s, err := find(id)
	if err != nil {
		return err
	}
	if *kind == "seg" && s.size <= smallest {
		b := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, b); err != nil {
			return err
		}
		w := &waiter{name: s.name, size: s.size, data: b}
		if err := commit(w); err != nil {
			return err
		}
		names.Store(s.name, loc{segPath(), w.off, s.size})
		sessions.Delete(id)
		return answer(c, "200 OK", okJSON)
	}
	if err := s.receive(c, br, id, i*chunkSize, r.ContentLength); err != nil {
		return err
	}
	return answer(c, "200 OK", okJSON)
}

func (s *session) receive(c *net.TCPConn, br *bufio.Reader, id string, at, n int64) error {
	if err := s.open(id); err != nil {
		return err
	}
	if _, err := s.f.Seek(at, io.SeekStart); err != nil {
		return err
	}
	came := min(int64(br.Buffered()), n) // with the head
	if came > 0 {
		if _, err := io.CopyN(s.f, br, came); err != nil {
			return err
		}
	}
	if left := n - came; left > 0 {
		if m, err := s.f.ReadFrom(io.LimitReader(c, left)); err != nil || m != left { // splice(2)
			return fmt.Errorf("%d of %d bytes: %w", m, left, err)
		}
	}
	if s.left.Add(-n) == 0 {
		return s.complete(id)
	}
	return nil
}

func loopGet(c *net.TCPConn, r *http.Request) error {
	l, ok := known(strings.TrimPrefix(r.URL.Path, "/dl/"))
	if !ok {
		return answer(c, "404 Not Found", nil)
	}
	f, err := os.Open(l.file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	first, last, status := int64(0), l.size-1, "200 OK"
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last); err == nil {
		status = "206 Partial Content"
	}
	fmt.Fprintf(c, "HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n", status, last-first+1)
	if _, err := f.Seek(l.off+first, io.SeekStart); err != nil {
		return err
	}
	_, err = c.ReadFrom(io.LimitReader(f, last-first+1)) // sendfile(2)
	return err
}

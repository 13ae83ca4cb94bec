//go:build linux

package main

import (
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
)

func netHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		if l, ok := known(strings.TrimPrefix(r.URL.Path, "/dl/")); ok {
			http.ServeFile(w, r, l.file)
		} else {
			http.NotFound(w, r)
		}
		return
	}
	out := okJSON
	var err error
	if r.Method == http.MethodPut {
		out, err = netCreate(r)
	} else {
		err = netChunk(r)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(out) // the client is gone, or has it
}

func netCreate(r *http.Request) ([]byte, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	id, err := create(b)
	return sessionJSON(id), err
}

func netChunk(r *http.Request) error {
	id := path.Base(path.Dir(r.URL.Path))
	i, err := strconv.ParseInt(path.Base(r.URL.Path), 10, 64)
	if err != nil {
		return err
	}
	s, err := find(id)
	if err != nil {
		return err
	}
	if err := s.open(id); err != nil {
		return err
	}
	n, err := io.Copy(io.NewOffsetWriter(s.f, i*chunkSize), r.Body)
	if err == nil && s.left.Add(-n) == 0 {
		err = s.complete(id)
	}
	return err
}

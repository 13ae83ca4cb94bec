//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// session is an upload in progress. Its chunks come one after the other.
type session struct {
	name string
	size int64
	left atomic.Int64
	f    *os.File
}

// loc is where a stored file lies.
type loc struct {
	file      string
	off, size int64
}

var (
	sessions sync.Map // id to *session
	names    sync.Map // name to loc
	lastID   atomic.Int64
	folder   = sync.OnceValues(func() (*os.File, error) { return os.Open(filepath.Join(*dir, "blobs")) })
)

var okJSON = []byte(`{"code":0,"msg":""}`)

func sessionJSON(id string) []byte {
	return fmt.Appendf(nil, `{"code":0,"data":{"session_id":"%s","chunk_size":%d},"msg":""}`, id, chunkSize)
}

func create(body []byte) (id string, err error) {
	var q struct {
		URI  string
		Size int64
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return "", err
	}
	id = strconv.FormatInt(lastID.Add(1), 10)
	s := &session{name: strings.TrimPrefix(q.URI, "cloudreve://my/"), size: q.Size}
	s.left.Store(q.Size)
	sessions.Store(id, s)
	return id, nil
}

func find(id string) (*session, error) {
	v, _ := sessions.Load(id)
	if s, ok := v.(*session); ok {
		return s, nil
	}
	return nil, fmt.Errorf("no session %q", id)
}

func known(name string) (loc, bool) {
	v, _ := names.Load(name)
	l, ok := v.(loc)
	return l, ok
}

func blob(id string) string { return filepath.Join(*dir, "blobs", id) }

func (s *session) open(id string) (err error) {
	if s.f == nil {
		s.f, err = os.OpenFile(blob(id), os.O_CREATE|os.O_RDWR, 0o644)
	}
	return err
}

func (s *session) complete(id string) error {
	defer func() { _ = s.f.Close() }()
	switch {
	case strings.HasSuffix(*kind, "-fsync"):
		if err := s.f.Sync(); err != nil {
			return err
		}
		d, err := folder()
		if err != nil {
			return err
		}
		if err := d.Sync(); err != nil {
			return err
		}
	case *kind == "group":
		if err := commit(&waiter{name: s.name, file: blob(id), size: s.size}); err != nil {
			return err
		}
	}
	names.Store(s.name, loc{blob(id), 0, s.size})
	sessions.Delete(id)
	return nil
}

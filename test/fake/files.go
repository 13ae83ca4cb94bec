package fake

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/minio/crc64nvme"

	"github.com/wharfinger/wharfinger/api/wire"
)

// Put makes a file, and the folders it lies in.
func (s *Server) Put(name string, data []byte, modified time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(strings.Trim(name, "/"), &file{data: data, modified: modified, entity: "e" + rand.Text()})
}

// Folder makes a folder.
func (s *Server) Folder(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(strings.Trim(name, "/"), &file{folder: true, modified: s.Now()})
}

// Data is a file's content; ok is false if there is no finished file.
func (s *Server) Data(name string) (data []byte, modified time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[strings.Trim(name, "/")]
	if f == nil || f.folder || f.entity == "" {
		return nil, time.Time{}, false
	}
	return f.data, f.modified, true
}

// IsFolder reports whether there is a folder of that name.
func (s *Server) IsFolder(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[strings.Trim(name, "/")]
	return f != nil && f.folder
}

// Names are the paths of all files and folders, in order.
func (s *Server) Names() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (s *Server) put(name string, f *file) {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if s.files[dir] == nil {
			s.files[dir] = &file{folder: true, name: path.Base(dir), modified: s.Now()}
		}
	}
	f.name = path.Base(name)
	s.files[name] = f
}

// where reads a URI; ok is false after a refusal was sent.
func where(w http.ResponseWriter, text string) (name string, uri wire.URI, ok bool) {
	uri, err := wire.ParseURI(text)
	if err != nil {
		refuse(w, wire.CodeBadParameter, "unknown uri")
		return "", uri, false
	}
	return strings.Join(uri.Path, "/"), uri, true
}

func reprDigest(data []byte) string {
	sum := binary.BigEndian.AppendUint64(nil, crc64nvme.Checksum(data))
	return wire.FormatDigests(wire.Digest{Algorithm: wire.CRC64NVME, Sum: sum})
}

func (s *Server) show(name string, f *file, extended bool) wire.File {
	uri := wire.MyURI()
	if name != "" {
		uri = wire.MyURI(strings.Split(name, "/")...)
	}
	out := wire.File{
		ID: "f" + name, Name: f.name, Path: uri.String(), Size: int64(len(f.data)), CreatedAt: f.modified, UpdatedAt: f.modified,
		Metadata: map[string]string{}, PrimaryEntity: "none", Owned: true,
	}
	if f.folder {
		out.Type = wire.IsFolder
		return out
	}
	if f.session != "" {
		out.Metadata["sys:upload_session_id"] = f.session
	}
	var entities []wire.Entity
	if f.entity != "" {
		out.PrimaryEntity = f.entity
		e := wire.Entity{ID: f.entity, Size: out.Size, CreatedAt: f.modified}
		if !s.NoDigests {
			e.ReprDigest = reprDigest(f.data)
		}
		entities = append(entities, e)
	}
	if extended {
		out.ExtendedInfo = &wire.ExtendedInfo{Entities: entities}
	}
	return out
}

func (s *Server) info(w http.ResponseWriter, r *http.Request) {
	name, _, ok := where(w, r.URL.Query().Get("uri"))
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[name]
	if f == nil {
		refuse(w, wire.CodePathNotFound, "Path not exist")
		return
	}
	answer(w, wire.OK(s.show(name, f, r.URL.Query().Get("extended") == "true")))
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	name, _, ok := where(w, r.URL.Query().Get("uri"))
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	dir := s.files[name]
	if dir == nil || !dir.folder {
		refuse(w, wire.CodePathNotFound, "Path not exist")
		return
	}
	var names []string
	for n := range s.files {
		if d := path.Dir(n); n != "" && (d == name || d == "." && name == "") {
			names = append(names, n)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if s.files[a].folder != s.files[b].folder {
			if s.files[a].folder {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	from, _ := strconv.Atoi(r.URL.Query().Get("next_page_token"))
	size, _ := strconv.Atoi(r.URL.Query().Get("page_size"))
	size = min(max(size, 1), 2000)
	out := wire.FileList{Files: []wire.File{}, Parent: s.show(name, dir, false)}
	out.Pagination = wire.Pagination{IsCursor: true, PageSize: size}
	for _, n := range names[min(from, len(names)):min(from+size, len(names))] {
		out.Files = append(out.Files, s.show(n, s.files[n], false))
	}
	if from+size < len(names) {
		out.Pagination.NextToken = strconv.Itoa(from + size)
	}
	answer(w, wire.OK(out))
}

func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	var q wire.CreateFileRequest
	if !read(w, r, &q) {
		return
	}
	name, _, ok := where(w, q.URI)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	folder := q.Type == "folder"
	f := s.files[name]
	switch {
	case f == nil:
		f = &file{folder: folder, modified: s.Now()}
		s.put(name, f)
	case f.folder != folder || q.ErrOnConflict:
		refuse(w, wire.CodeObjectExists, "Object existed")
		return
	}
	answer(w, wire.OK(s.show(name, f, false)))
}

func (s *Server) rename(w http.ResponseWriter, r *http.Request) {
	var q wire.RenameRequest
	if !read(w, r, &q) {
		return
	}
	name, _, ok := where(w, q.URI)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, to := s.files[name], path.Join(path.Dir(name), q.NewName)
	switch {
	case f == nil:
		refuse(w, wire.CodePathNotFound, "Path not exist")
		return
	case s.files[to] != nil:
		refuse(w, wire.CodeObjectExists, "Object existed")
		return
	}
	delete(s.files, name)
	s.put(to, f)
	answer(w, wire.OK(s.show(to, f, false)))
}

func (s *Server) remove(w http.ResponseWriter, r *http.Request) {
	var q wire.DeleteFilesRequest
	if !read(w, r, &q) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	failed := map[string]wire.Failure{}
	for _, text := range q.URIs {
		uri, err := wire.ParseURI(text)
		name := strings.Join(uri.Path, "/")
		if err != nil || s.files[name] == nil {
			failed[text] = wire.Refuse(wire.CodePathNotFound, "Path not exist", nil)
			continue
		}
		for n := range s.files {
			if n == name || strings.HasPrefix(n, name+"/") {
				delete(s.files, n)
			}
		}
	}
	if len(failed) > 0 {
		f := wire.Refuse(wire.CodeBatchPartlyFailed, "Path not exist", nil)
		f.AggregatedError = failed
		answer(w, f)
		return
	}
	answer(w, wire.Done())
}

func (s *Server) capacity(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer(w, wire.OK(wire.Capacity{Total: s.Quota, Used: s.used()}))
}

func (s *Server) used() (n int64) {
	for _, f := range s.files {
		n += int64(len(f.data))
	}
	for _, u := range s.sessions {
		if u.state == wire.StateOpen {
			n += u.size
		}
	}
	return n
}

func (s *Server) url(w http.ResponseWriter, r *http.Request) {
	var q wire.CreateURLRequest
	if !read(w, r, &q) {
		return
	}
	out := wire.FileURLs{Expires: s.Now().Add(time.Hour)}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range q.URIs {
		name, _, ok := where(w, text)
		if !ok {
			return
		}
		f := s.files[name]
		if f == nil || f.entity == "" || q.Entity != "" && q.Entity != f.entity {
			refuse(w, wire.CodeEntityNotFound, "Entity not exist")
			return
		}
		out.URLs = append(out.URLs, wire.FileURL{URL: s.URL + "/api/v4/file/content/" + url.PathEscape(f.entity) + "/x?sign=s"})
	}
	answer(w, wire.OK(out))
}

func (s *Server) content(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("sign") == "" || r.Header.Get("Authorization") != "" {
		refuse(w, wire.CodeSignatureInvalid, "invalid signature")
		return
	}
	s.mu.Lock()
	var found *file
	for _, f := range s.files {
		if f.entity == r.PathValue("entity") {
			found = f
		}
	}
	var data []byte
	var modified time.Time
	if found != nil {
		data, modified = bytes.Clone(found.data), found.modified
	}
	s.mu.Unlock()
	if found == nil {
		http.Error(w, "Entity data does not exist.", http.StatusNotFound)
		return
	}
	if !s.NoDigests {
		w.Header().Set("Repr-Digest", reprDigest(data))
	}
	if p, ok := w.(*spoiled); ok && p.fault.Flip && len(data) > 0 {
		data[len(data)-1] ^= 1
	}
	w.Header().Set("ETag", `"`+r.PathValue("entity")+`"`)
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", modified, bytes.NewReader(data))
}

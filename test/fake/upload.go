package fake

import (
	"bytes"
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/minio/crc64nvme"

	"github.com/wharfinger/wharfinger/api/wire"
)

type session struct {
	id       string
	uri      string
	name     string
	size     int64
	each     int64
	modified int64
	state    wire.UploadState
	data     []byte
	have     []part // in order, apart or touching
	align    int64
	touched  time.Time
	entity   string
	key, iv  []byte
}

// part is bytes that came in together.
type part struct{ from, to int64 }

// Forget makes all unfinished sessions unknown, as if they had expired.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.sessions {
		if u.state == wire.StateOpen {
			s.end(u, wire.StateExpired)
		}
		delete(s.sessions, u.id)
	}
}

// end drops a session and its placeholder.
func (s *Server) end(u *session, state wire.UploadState) {
	u.state = state
	if f := s.files[u.name]; f != nil && f.session == u.id {
		if f.session = ""; f.entity == "" {
			delete(s.files, u.name)
		}
	}
}

func (s *Server) begin(w http.ResponseWriter, r *http.Request) {
	var q wire.CreateUploadRequest
	if !read(w, r, &q) {
		return
	}
	name, uri, ok := where(w, q.URI)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[name]
	if f != nil && f.session != "" {
		if old := s.sessions[f.session]; old != nil && s.Now().Sub(old.touched) >= time.Minute {
			s.end(old, wire.StateAborted)
			f = s.files[name]
		}
	}
	switch {
	case f != nil && (f.folder || q.EntityType == wire.EntityNew):
		refuse(w, wire.CodeObjectExists, "Object existed")
		return
	case f != nil && f.session != "":
		refuseWith(w, wire.CodeLockConflict, "Lock conflict", []wire.LockInfo{{Path: q.URI, Token: "t"}})
		return
	case s.used()+q.Size > s.Quota:
		refuse(w, wire.CodeNoCapacity, "Insufficient capacity")
		return
	}
	if f == nil {
		f = &file{modified: s.Now()}
		s.put(name, f)
	}
	u := &session{
		id: rand.Text(), uri: uri.Raw(), name: name, size: q.Size, each: s.ChunkSize, modified: q.LastModified,
		state: wire.StateOpen, data: make([]byte, q.Size), touched: s.Now(), align: s.PieceAlign,
	}
	if s.Encrypt && slices.Contains(q.EncryptionSupported, "aes-256-ctr") {
		u.key, u.iv = make([]byte, 32), make([]byte, 16)
		_, _ = rand.Read(u.key)
		_, _ = rand.Read(u.iv)
		u.iv[15], u.iv[14], u.iv[13] = 0xff, 0xff, 0xff // carries are near
	}
	f.session = u.id
	s.sessions[u.id] = u
	answer(w, wire.OK(wire.UploadTicket{
		SessionID: u.id, ChunkSize: u.each, PieceAlign: u.align, Expires: s.Now().Add(24 * time.Hour).Unix(), URI: u.uri,
		EncryptMetadata: u.encryption(), StoragePolicy: wire.StoragePolicy{ID: "p", Type: "local"},
	}))
}

func (u *session) encryption() *wire.EncryptMetadata {
	if u.key == nil {
		return nil
	}
	return &wire.EncryptMetadata{
		Algorithm: "aes-256-ctr", KeyPlainText: base64.StdEncoding.EncodeToString(u.key), Iv: base64.StdEncoding.EncodeToString(u.iv),
	}
}

func (u *session) bounds(i int) (from, to int64) {
	if u.each == 0 {
		return 0, u.size
	}
	return int64(i) * u.each, min(u.size, int64(i+1)*u.each)
}

func (s *Server) progress(u *session) wire.UploadProgress {
	p := wire.UploadProgress{
		SessionID: u.id, URI: u.uri, Size: u.size, ChunkSize: u.each, PieceAlign: u.align, State: u.state, LastModified: u.modified,
		Expires: s.Now().Add(24 * time.Hour).Unix(), UpdatedAt: u.touched, CreatedAt: u.touched, Received: [][2]int64{},
		EncryptMetadata: u.encryption(), PrimaryEntity: u.entity,
	}
	for _, h := range u.have {
		if h.from == h.to {
			continue
		}
		p.ReceivedBytes += h.to - h.from
		if n := len(p.Received); n > 0 && p.Received[n-1][1] == h.from {
			p.Received[n-1][1] = h.to
		} else {
			p.Received = append(p.Received, [2]int64{h.from, h.to})
		}
	}
	for _, i := range []int{0, len(u.have) / 2, len(u.have) - 1} {
		if len(u.have) > 0 && u.state == wire.StateOpen && !s.NoDigests {
			h := u.have[i]
			p.Samples = append(p.Samples, wire.UploadSample{Bytes: [2]int64{h.from, h.to}, Digest: reprDigest(u.data[h.from:h.to])})
		}
	}
	if u.state == wire.StateDone && !s.NoDigests {
		p.ReprDigest = reprDigest(u.data)
	}
	return p
}

func (s *Server) uploads(w http.ResponseWriter, _ *http.Request) {
	if s.NoStatus {
		http.NotFound(w, nil)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := wire.UploadList{Uploads: []wire.UploadProgress{}}
	for _, u := range s.sessions {
		if u.state == wire.StateOpen || u.state == wire.StateSealing {
			out.Uploads = append(out.Uploads, s.progress(u))
		}
	}
	answer(w, wire.OK(out))
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	if s.NoStatus {
		http.NotFound(w, nil)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.sessions[r.PathValue("id")]
	if u == nil {
		refuse(w, wire.CodeUploadSessionGone, "")
		return
	}
	answer(w, wire.OK(s.progress(u)))
}

func (s *Server) cancel(w http.ResponseWriter, r *http.Request) {
	var q wire.DeleteUploadRequest
	if !read(w, r, &q) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.sessions[q.ID]
	if u == nil {
		refuse(w, wire.CodePathNotFound, "Path not exist")
		return
	}
	if u.state == wire.StateOpen {
		s.end(u, wire.StateAborted)
	}
	answer(w, wire.Done())
}

func (s *Server) chunk(w http.ResponseWriter, r *http.Request) {
	i, err := strconv.Atoi(r.PathValue("index"))
	s.mu.Lock()
	u := s.sessions[r.PathValue("id")]
	gone := u == nil || u.state == wire.StateAborted || u.state == wire.StateExpired
	s.mu.Unlock()
	body, rerr := io.ReadAll(r.Body)
	switch {
	case err != nil || i < 0:
		refuse(w, wire.CodeBadParameter, "Parameter error")
		return
	case gone:
		refuse(w, wire.CodeUploadSessionGone, "")
		return
	case i > 0 && (u.each == 0 || int64(i)*u.each >= u.size):
		refuse(w, wire.CodeChunkIndexInvalid, "Chunk offset cannot be greater than file size")
		return
	}
	from, to := u.bounds(i)
	if field := r.Header.Get("Content-Range"); field != "" && u.align > 0 {
		var first, last, size int64
		_, err := fmt.Sscanf(field, "bytes %d-%d/%d", &first, &last, &size)
		if err != nil || size != u.size || first < from || last >= to ||
			(first-from)%u.align != 0 || (last+1-from)%u.align != 0 && last+1 != to {
			refuse(w, wire.CodeChunkIndexInvalid, "Content-Range must name bytes of this chunk")
			return
		}
		from, to = first, last+1
	}
	switch {
	case r.ContentLength != to-from:
		refuse(w, wire.CodeContentLengthWrong, fmt.Sprintf("Invalid Content-Length (expected: %d)", to-from))
		return
	case rerr != nil || int64(len(body)) != to-from || !digestHolds(r.Header.Get("Content-Digest"), body):
		refuse(w, wire.CodeIOFailed, "Failed to upload file")
		return
	}
	u.decrypt(body, from)
	s.mu.Lock()
	defer s.mu.Unlock()
	in, mixed := u.has(from, to)
	switch {
	case mixed:
		refuse(w, wire.CodeContentLengthWrong, "Some of these bytes are in already")
		return
	case in && !bytes.Equal(u.data[from:to], body):
		refuse(w, wire.CodeObjectChanged, "Other bytes were received for this chunk before")
		return
	}
	_, unseen := w.(*lost)
	s.chunks = append(s.chunks, Chunk{Session: u.id, Index: i, From: from, Bytes: to - from, Acked: !unseen})
	if !in {
		copy(u.data[from:to], body)
		if p, ok := w.(*spoiled); ok && p.fault.Flip && len(body) > 0 {
			u.data[from] ^= 1
		}
		u.have, u.touched = append(u.have, part{from, to}), s.Now()
		slices.SortFunc(u.have, func(a, b part) int { return cmp.Compare(a.from, b.from) })
	}
	if u.complete() && u.state == wire.StateOpen {
		u.state, u.entity = wire.StateDone, "e"+rand.Text()
		f := s.files[u.name]
		f.data, f.entity, f.session, f.modified = u.data, u.entity, "", s.Now()
		if u.modified > 0 {
			f.modified = time.UnixMilli(u.modified)
		}
	}
	answer(w, wire.Done())
}

// has reports that these bytes are in, cut in this way or finer; mixed: that some
// of them are, cut in another.
func (u *session) has(from, to int64) (in, mixed bool) {
	at := from
	for _, h := range u.have {
		switch {
		case h.to <= from && h.from != from || h.from >= to && h.from != from:
			continue
		case h.from != at || h.to > to:
			return false, true
		}
		in, at = true, h.to
	}
	return in && at == to, in && at != to
}

func (u *session) complete() bool {
	var n int64
	for _, h := range u.have {
		n += h.to - h.from
	}
	return n == u.size && len(u.have) > 0
}

// Corrupt flips a bit of what an unfinished upload has received.
func (s *Server) Corrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.sessions {
		if len(u.have) > 0 && u.have[0].from < u.have[0].to && u.state == wire.StateOpen {
			u.data[u.have[0].from] ^= 1
			return
		}
	}
}

func (u *session) decrypt(b []byte, from int64) {
	if u.key == nil {
		return
	}
	// From the beginning of the file, so that it is another computation than
	// the client's.
	block, err := aes.NewCipher(u.key)
	if err != nil {
		panic(err)
	}
	stream := cipher.NewCTR(block, u.iv)
	skip := make([]byte, from)
	stream.XORKeyStream(skip, skip)
	stream.XORKeyStream(b, b)
}

func digestHolds(field string, body []byte) bool {
	ds, err := wire.ParseDigests(field)
	if err != nil {
		return false
	}
	for _, d := range ds {
		if d.Algorithm == wire.CRC64NVME && binary.BigEndian.Uint64(d.Sum) != crc64nvme.Checksum(body) {
			return false
		}
	}
	return true
}

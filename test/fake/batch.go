package fake

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
)

// batch stores many small files. A frame that is not whole ends it without a word.
func (s *Server) batch(w http.ResponseWriter, r *http.Request) {
	in := bufio.NewReader(r.Body)
	text, err := in.ReadBytes('\n')
	var m wire.BatchManifest
	if err != nil || json.Unmarshal(text, &m) != nil {
		refuse(w, wire.CodeBadParameter, "Parameter error")
		return
	}
	var out bytes.Buffer // some clients read nothing before all is sent
	answers := json.NewEncoder(&out)
	for done := range m.Files {
		var i int
		var size int64
		line, err := in.ReadString('\n')
		if err == nil {
			_, err = fmt.Sscanf(line, "%d %d\n", &i, &size)
		}
		if err != nil || i != done || size != m.Files[i].Size {
			panic(http.ErrAbortHandler)
		}
		data := make([]byte, size)
		if _, err := io.ReadFull(in, data); err != nil {
			panic(http.ErrAbortHandler)
		}
		_ = answers.Encode(s.batched(i, m.Files[i], data))
	}
	_ = answers.Encode(wire.BatchEnd{Done: len(m.Files)})
	w.Header().Set("Content-Type", "application/x-ndjson")
	_, _ = w.Write(out.Bytes())
}

// batched is the answer for one file.
func (s *Server) batched(index int, q wire.BatchFile, data []byte) wire.BatchAnswer {
	no := func(code wire.Code, msg string) wire.BatchAnswer {
		return wire.BatchAnswer{Index: index, Code: code, Msg: msg, CorrelationID: correlationID}
	}
	uri, err := wire.ParseURI(q.URI)
	if err != nil {
		return no(wire.CodeBadParameter, "unknown uri")
	}
	name := strings.Join(uri.Path, "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[name]
	same := f != nil && !f.folder && f.entity != "" && reprDigest(f.data) == q.ReprDigest
	switch {
	case f != nil && f.session != "":
		return no(wire.CodeLockConflict, "Lock conflict")
	case same:
	case f != nil && (f.folder || q.EntityType != string(wire.EntityVersion)):
		return no(wire.CodeObjectExists, "Object existed")
	case s.used()+q.Size > s.Quota:
		return no(wire.CodeNoCapacity, "Insufficient capacity")
	default:
		f = &file{data: data, entity: "e" + rand.Text(), modified: time.UnixMilli(q.LastModified)}
		s.put(name, f)
	}
	text, _ := json.Marshal(wire.BatchedFile{ID: "f" + name, PrimaryEntity: f.entity, Size: q.Size, UpdatedAt: f.modified})
	return wire.BatchAnswer{Index: index, Same: same, Data: text}
}

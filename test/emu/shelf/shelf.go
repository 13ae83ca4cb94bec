package shelf

import (
	"bytes"
	"crypto/md5" //nolint:gosec // what ETags are made of
	"errors"
	"fmt"
	"hash/crc64"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What a store refuses, whatever it calls that.
var (
	ErrNoObject = errors.New("no such object")
	ErrNoUpload = errors.New("no such upload")
	ErrExists   = errors.New("the object exists")
	ErrPart     = errors.New("a part is missing, or another than named")
	ErrOrder    = errors.New("parts are not in order")
	ErrSmall    = errors.New("a part other than the last is too small")
	ErrNumber   = errors.New("part number out of 1 to 10000")
)

// Options are the laws of a store.
type Options struct {
	Clock   func() time.Time
	MinPart int64 // of every part but the last
	Gapless bool  // part numbers must be 1, 2, 3…
}

// Object is a finished object.
type Object struct {
	Key, Type, ETag string
	Data            []byte
	CRC             uint64 // CRC-64/XZ
	Modified        time.Time
	Upload          string // that it was; "" for a single request
}

// Part is a part of an unfinished upload.
type Part struct {
	Number   int
	ETag     string
	Data     []byte
	CRC      uint64
	Modified time.Time
}

// Upload is an unfinished upload.
type Upload struct {
	Key, ID, Type string
	Began         time.Time
	parts         map[int]Part
}

// Shelf holds objects and uploads in memory. It may be used from many
// goroutines.
type Shelf struct {
	o       Options
	mu      sync.Mutex
	objects map[string]Object
	uploads map[string]*Upload // by id
	serial  int
}

// New returns an empty shelf.
func New(o Options) *Shelf {
	return &Shelf{o: o, objects: map[string]Object{}, uploads: map[string]*Upload{}}
}

var table = crc64.MakeTable(crc64.ECMA)

func etag(data []byte) string {
	return fmt.Sprintf("%x", md5.Sum(data)) //nolint:gosec // what ETags are made of
}

// now has whole seconds, as the headers of HTTP have.
func (s *Shelf) now() time.Time { return s.o.Clock().UTC().Truncate(time.Second) }

// Put stores an object. forbid refuses a key that exists.
func (s *Shelf) Put(key, kind string, data []byte, forbid bool) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(Object{Key: key, Type: kind, ETag: etag(data), Data: data}, forbid)
}

func (s *Shelf) put(o Object, forbid bool) (Object, error) {
	if _, there := s.objects[o.Key]; there && forbid {
		return Object{}, ErrExists
	}
	o.CRC, o.Modified = crc64.Checksum(o.Data, table), s.now()
	s.objects[o.Key] = o
	return o, nil
}

// Copy stores what is under from under to as well. forbid refuses a key that exists.
func (s *Shelf) Copy(from, to string, forbid bool) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[from]
	if !ok {
		return Object{}, ErrNoObject
	}
	o.Key, o.Upload, o.ETag = to, "", etag(o.Data)
	return s.put(o, forbid)
}

// Get returns an object.
func (s *Shelf) Get(key string) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[key]
	if !ok {
		return Object{}, ErrNoObject
	}
	return o, nil
}

// Delete removes an object if it is there.
func (s *Shelf) Delete(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, key)
}

// List returns up to limit objects in key order, and whether there are more.
func (s *Shelf) List(prefix, after string, limit int) (out []Object, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		if key <= after || !strings.HasPrefix(key, prefix) {
			continue
		}
		if len(out) == limit {
			return out, true
		}
		out = append(out, s.objects[key])
	}
	return out, false
}

// Begin opens an upload and returns its id.
func (s *Shelf) Begin(key, kind string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	id := fmt.Sprintf("%032x", s.serial)
	s.uploads[id] = &Upload{Key: key, ID: id, Type: kind, Began: s.now(), parts: map[int]Part{}}
	return id
}

func (s *Shelf) find(key, id string) (*Upload, error) {
	u := s.uploads[id]
	if u == nil || u.Key != key {
		return nil, ErrNoUpload
	}
	return u, nil
}

// Open reports whether an upload is open.
func (s *Shelf) Open(key, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.find(key, id)
	return err == nil
}

// PutPart stores a part; the last of a number stays.
func (s *Shelf) PutPart(key, id string, number int, data []byte) (Part, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.find(key, id)
	if err != nil {
		return Part{}, err
	}
	if number < 1 || number > 10_000 {
		return Part{}, ErrNumber
	}
	p := Part{Number: number, ETag: etag(data), Data: data, CRC: crc64.Checksum(data, table), Modified: s.now()}
	u.parts[number] = p
	return p, nil
}

// Parts returns up to limit parts with a number over after, and whether there
// are more.
func (s *Shelf) Parts(key, id string, after, limit int) (out []Part, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.find(key, id)
	if err != nil {
		return nil, false, err
	}
	for _, n := range slices.Sorted(maps.Keys(u.parts)) {
		if n <= after {
			continue
		}
		if len(out) == limit {
			return out, true, nil
		}
		out = append(out, u.parts[n])
	}
	return out, false, nil
}

// Named is a part as a completion names it.
type Named struct {
	Number int    `xml:"PartNumber"`
	ETag   string `xml:"ETag"`
}

// Complete makes the object of the named parts. The others are dropped.
func (s *Shelf) Complete(key, id string, named []Named, forbid bool) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.find(key, id)
	if err != nil {
		return Object{}, err
	}
	if _, there := s.objects[key]; there && forbid {
		return Object{}, ErrExists
	}
	if len(named) == 0 {
		return Object{}, ErrPart
	}
	var data, sums bytes.Buffer
	for i, n := range named {
		p, ok := u.parts[n.Number]
		switch {
		case i > 0 && named[i-1].Number >= n.Number:
			return Object{}, ErrOrder
		case !ok, !strings.EqualFold(strings.Trim(n.ETag, `"`), p.ETag), s.o.Gapless && n.Number != i+1:
			return Object{}, ErrPart
		case i < len(named)-1 && int64(len(p.Data)) < s.o.MinPart:
			return Object{}, ErrSmall
		}
		sum := md5.Sum(p.Data) //nolint:gosec // what ETags are made of
		sums.Write(sum[:])
		data.Write(p.Data)
	}
	o, err := s.put(Object{
		Key: key, Type: u.Type, Data: data.Bytes(), Upload: id,
		ETag: fmt.Sprintf("%s-%d", etag(sums.Bytes()), len(named)),
	}, forbid)
	if err == nil {
		delete(s.uploads, id)
	}
	return o, err
}

// Abort forgets an upload.
func (s *Shelf) Abort(key, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.find(key, id); err != nil {
		return err
	}
	delete(s.uploads, id)
	return nil
}

// Uploads returns up to limit unfinished uploads in the order of keys and ids,
// after that key, or after that id of it, and whether there are more.
func (s *Shelf) Uploads(prefix, key, id string, limit int) (out []Upload, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.SortedFunc(maps.Values(s.uploads), func(a, b *Upload) int {
		return 2*strings.Compare(a.Key, b.Key) + strings.Compare(a.ID, b.ID)
	})
	for _, u := range all {
		if !strings.HasPrefix(u.Key, prefix) || u.Key < key || (key != "" && u.Key == key && (id == "" || u.ID <= id)) {
			continue
		}
		if len(out) == limit {
			return out, true
		}
		out = append(out, *u)
	}
	return out, false
}

// Span reads a Range header of the form first-last or first- for an object of that
// size: the first byte, and the one behind the last. The vendors' documents speak of
// no other form.
func Span(asked string, size int) (from, end int, ok bool) {
	first, last, ok := strings.Cut(strings.TrimPrefix(asked, "bytes="), "-")
	from, err := strconv.Atoi(first)
	if !ok || err != nil || from < 0 || from >= size {
		return 0, 0, false
	}
	if last == "" {
		return from, size, true
	}
	end, err = strconv.Atoi(last)
	return from, min(end+1, size), err == nil && end >= from
}

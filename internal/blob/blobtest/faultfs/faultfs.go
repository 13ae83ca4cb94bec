package faultfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob/localblob"
)

// Page is how much the medium takes or loses at once. It is small, so that
// small tests have many.
const Page = 64

// Op names a call.
type Op string

// The calls.
const (
	OpOpen        Op = "open"
	OpRename      Op = "rename"
	OpRemove      Op = "remove"
	OpMkdir       Op = "mkdir"
	OpStat        Op = "stat"
	OpReadDir     Op = "readdir"
	OpSyncDir     Op = "syncdir"
	OpRead        Op = "read"
	OpWrite       Op = "write"
	OpFstat       Op = "fstat"
	OpSync        Op = "sync"
	OpSyncData    Op = "syncdata"
	OpPreallocate Op = "preallocate"
	OpLock        Op = "lock"
	OpPunch       Op = "punch"
	OpClose       Op = "close"
)

// Call is one call, before it does anything. N counts from 1.
type Call struct {
	N    int
	Op   Op
	Name string
}

var (
	// ErrDead is what every call returns once the machine is off.
	ErrDead = errors.New("faultfs: the machine is off")

	// ErrShort makes a write store half its bytes and say so without an error.
	ErrShort = errors.New("faultfs: short write")

	// ErrLie makes a write store half its bytes and say that it stored all.
	ErrLie = errors.New("faultfs: lying write")
)

// FS is one machine's file system from one boot to the end of its power.
type FS struct {
	mu     sync.Mutex
	root   *node
	calls  int
	ticks  int64
	inject func(Call) error
	room   int64 // bytes that may be used; < 0: any number
	dead   bool
	open   int
}

// node is a file or directory, as it is and as the medium has it.
type node struct {
	dir     bool
	mod     time.Time
	entries map[string]*node // live
	safe    map[string]*node // on the medium
	log     []*change        // what SyncDir would make safe, in order

	data     []byte // live
	safeData []byte // on the medium
	dirty    map[int]bool
	reserved int64
	holder   *file
}

// change of a directory entry: to is nil for a removal. The removal of a rename
// can only be safe when the new name, first, is.
type change struct {
	in    *node
	name  string
	to    *node
	first *change
	done  bool
}

func newDir() *node { return &node{dir: true, entries: map[string]*node{}, safe: map[string]*node{}} }

// New returns an empty file system with room for anything.
func New() *FS { return &FS{root: newDir(), room: -1} }

// Inject asks f before every call; an error of f is the call's. nil injects
// nothing.
func (s *FS) Inject(f func(Call) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inject = f
}

// Limit leaves room for so many bytes of files in all.
func (s *FS) Limit(bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room = bytes
}

// Calls returns how many calls there were.
func (s *FS) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// Handles returns how many files are open.
func (s *FS) Handles() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// call counts one call and returns the fault it meets. s.mu is held.
func (s *FS) call(op Op, name string) error {
	s.calls++
	if s.dead {
		return ErrDead
	}
	if s.inject == nil {
		return nil
	}
	err := s.inject(Call{N: s.calls, Op: op, Name: name})
	if err == nil || errors.Is(err, ErrShort) || errors.Is(err, ErrLie) {
		return err
	}
	if errors.Is(err, ErrDead) {
		s.dead = true
	}
	return &fs.PathError{Op: string(op), Path: name, Err: err}
}

func (s *FS) tick() time.Time {
	s.ticks++
	return time.UnixMicro(s.ticks)
}

// find returns the directory and entry of name.
func (s *FS) find(op Op, name string) (dir, n *node, err error) {
	if !fs.ValidPath(name) {
		return nil, nil, &fs.PathError{Op: string(op), Path: name, Err: fs.ErrInvalid}
	}
	n = s.root
	if name == "." {
		return nil, n, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if n == nil || !n.dir {
			return nil, nil, &fs.PathError{Op: string(op), Path: name, Err: syscall.ENOENT}
		}
		dir, n = n, n.entries[part]
	}
	return dir, n, nil
}

// have is find for an entry that must be there.
func (s *FS) have(op Op, name string) (dir, n *node, err error) {
	if dir, n, err = s.find(op, name); err == nil && n == nil {
		err = &fs.PathError{Op: string(op), Path: name, Err: syscall.ENOENT}
	}
	return dir, n, err
}

func (s *FS) change(dir *node, name string, to *node, first *change) *change {
	if to == nil {
		delete(dir.entries, name)
	} else {
		dir.entries[name] = to
	}
	c := &change{in: dir, name: name, to: to, first: first}
	dir.log = append(dir.log, c)
	return c
}

// settle makes c and all before it in its directory safe. The second half of a
// rename waits for the first: a file is never under no name. It waits no longer
// where its name was taken again.
func (c *change) settle() {
	if c.done {
		return
	}
	var waiting []*change
	n := slices.Index(c.in.log, c) + 1
	for i, x := range c.in.log[:n] {
		if x.first != nil && !x.first.done {
			again := slices.ContainsFunc(c.in.log[i+1:n], func(y *change) bool { return y.name == x.name })
			if !again {
				waiting = append(waiting, x)
				continue
			}
			x.first.settle()
		}
		if x.to == nil {
			delete(c.in.safe, x.name)
		} else {
			c.in.safe[x.name] = x.to
		}
		x.done = true
	}
	c.in.log = append(waiting, c.in.log[n:]...)
}

// OpenFile implements localblob.FS.
func (s *FS) OpenFile(name string, flag int, _ fs.FileMode) (localblob.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(OpOpen, name); err != nil {
		return nil, err
	}
	dir, n, err := s.find(OpOpen, name)
	switch {
	case err != nil:
		return nil, err
	case n == nil && flag&os.O_CREATE == 0:
		err = syscall.ENOENT
	case n != nil && flag&os.O_EXCL != 0:
		err = syscall.EEXIST
	case n == nil:
		n = &node{dirty: map[int]bool{}, mod: s.tick()}
		s.change(dir, path.Base(name), n, nil)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	s.open++
	return &file{s: s, n: n, name: name, writable: flag&(os.O_WRONLY|os.O_RDWR) != 0}, nil
}

// Rename implements localblob.FS.
func (s *FS) Rename(from, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(OpRename, from); err != nil {
		return err
	}
	fromDir, n, err := s.have(OpRename, from)
	if err != nil {
		return err
	}
	toDir, there, err := s.find(OpRename, to)
	switch {
	case err != nil:
		return err
	case there == n:
		s.change(fromDir, path.Base(from), nil, nil)
		return nil
	case there != nil:
		return &fs.PathError{Op: "rename", Path: to, Err: syscall.EEXIST}
	}
	added := s.change(toDir, path.Base(to), n, nil)
	s.change(fromDir, path.Base(from), nil, added)
	return nil
}

// Remove implements localblob.FS.
func (s *FS) Remove(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(OpRemove, name); err != nil {
		return err
	}
	dir, _, err := s.have(OpRemove, name)
	if err != nil {
		return err
	}
	s.change(dir, path.Base(name), nil, nil)
	return nil
}

// Mkdir implements localblob.FS.
func (s *FS) Mkdir(name string, _ fs.FileMode) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(OpMkdir, name); err != nil {
		return err
	}
	dir, n, err := s.find(OpMkdir, name)
	if err != nil {
		return err
	}
	if n != nil {
		return &fs.PathError{Op: "mkdir", Path: name, Err: syscall.EEXIST}
	}
	s.change(dir, path.Base(name), newDir(), nil)
	return nil
}

// Stat implements localblob.FS.
func (s *FS) Stat(name string) (fs.FileInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(OpStat, name); err != nil {
		return nil, err
	}
	_, n, err := s.have(OpStat, name)
	if err != nil {
		return nil, err
	}
	return n.info(name), nil
}

// ReadDir implements localblob.FS.
func (s *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(OpReadDir, name); err != nil {
		return nil, err
	}
	_, n, err := s.have(OpReadDir, name)
	if err != nil {
		return nil, err
	}
	var out []fs.DirEntry
	for name, e := range n.entries {
		out = append(out, fs.FileInfoToDirEntry(e.info(name)))
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

// SyncDir implements localblob.FS.
func (s *FS) SyncDir(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(OpSyncDir, name); err != nil {
		return err
	}
	_, n, err := s.have(OpSyncDir, name)
	if err != nil {
		return err
	}
	if len(n.log) > 0 {
		n.log[len(n.log)-1].settle()
	}
	return nil
}

// Free says how much room is left, as localblob.FS may.
func (s *FS) Free() (free, total int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.room < 0 {
		return 1 << 62, 1 << 62, nil
	}
	return s.room - s.root.used(), s.room, nil
}

func (n *node) used() (sum int64) {
	for _, e := range n.entries {
		sum += e.used()
	}
	return sum + max(n.reserved, int64(len(n.data)))
}

type info struct {
	name string
	size int64
	mode fs.FileMode
	mod  time.Time
}

func (n *node) info(name string) fs.FileInfo {
	i := info{name: path.Base(name), size: int64(len(n.data)), mode: 0o600, mod: n.mod}
	if n.dir {
		i.mode = fs.ModeDir | 0o700
	}
	return i
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return i.mod }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }

type file struct {
	s        *FS
	n        *node
	name     string
	writable bool
	closed   bool
}

func (f *file) call(op Op) error {
	if f.closed {
		return fs.ErrClosed
	}
	return f.s.call(op, f.name)
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if err := f.call(OpRead); err != nil {
		return 0, err
	}
	if off >= int64(len(f.n.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.n.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	err, said := f.call(OpWrite), len(p)
	switch {
	case errors.Is(err, ErrShort):
		p, said, err = p[:len(p)/2], len(p)/2, nil
	case errors.Is(err, ErrLie):
		p, err = p[:len(p)/2], nil
	}
	if err == nil && !f.writable {
		err = syscall.EBADF
	}
	if err != nil {
		return 0, err
	}
	end := off + int64(len(p))
	if grow := end - max(f.n.reserved, int64(len(f.n.data))); grow > 0 && f.s.room >= 0 && f.s.root.used()+grow > f.s.room {
		return 0, &fs.PathError{Op: "write", Path: f.name, Err: syscall.ENOSPC}
	}
	if end > int64(len(f.n.data)) {
		f.n.data = append(f.n.data, make([]byte, end-int64(len(f.n.data)))...)
	}
	copy(f.n.data[off:], p)
	for page := off / Page; page*Page < end; page++ {
		f.n.dirty[int(page)] = true
	}
	f.n.mod = f.s.tick()
	return said, nil
}

func (f *file) Stat() (fs.FileInfo, error) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if err := f.call(OpFstat); err != nil {
		return nil, err
	}
	return f.n.info(f.name), nil
}

func (f *file) Sync() error     { return f.sync(OpSync) }
func (f *file) SyncData() error { return f.sync(OpSyncData) }

func (f *file) sync(op Op) error {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if err := f.call(op); err != nil {
		if !f.s.dead {
			// The kernel counts the pages as clean now. They are not on the medium.
			clear(f.n.dirty)
		}
		return err
	}
	f.n.settlePages(func(int) int { return Page }, len(f.n.data))
	return nil
}

// settlePages makes the first keep(page) bytes of each dirty page safe, and
// the length of the file.
func (n *node) settlePages(keep func(page int) int, size int) {
	safe := make([]byte, size)
	copy(safe, n.safeData)
	for page := range n.dirty {
		from := page * Page
		to := min(from+keep(page), size)
		if from < to {
			copy(safe[from:to], n.data[from:to])
		}
	}
	n.safeData = safe
	clear(n.dirty)
}

func (f *file) Preallocate(size int64) error {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if err := f.call(OpPreallocate); err != nil {
		return err
	}
	if grow := size - max(f.n.reserved, int64(len(f.n.data))); grow > 0 && f.s.room >= 0 && f.s.root.used()+grow > f.s.room {
		return &fs.PathError{Op: "fallocate", Path: f.name, Err: syscall.ENOSPC}
	}
	f.n.reserved = max(f.n.reserved, size)
	return nil
}

// Lock holds the file against every other open one until it is closed; false
// when another holds it.
func (f *file) Lock() (bool, error) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if err := f.call(OpLock); err != nil {
		return false, err
	}
	if f.n.holder != nil && f.n.holder != f {
		return false, nil
	}
	f.n.holder = f
	return true, nil
}

// Punch makes a hole, which reads as zeros.
func (f *file) Punch(off, n int64) error {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if err := f.call(OpPunch); err != nil {
		return err
	}
	end := min(off+n, int64(len(f.n.data)))
	for page := off / Page; page*Page < end; page++ {
		f.n.dirty[int(page)] = true
	}
	if off < end {
		clear(f.n.data[off:end])
	}
	return nil
}

func (f *file) Close() error {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	err := f.s.call(OpClose, f.name)
	f.closed = true
	if f.n.holder == f {
		f.n.holder = nil
	}
	f.s.open--
	return err
}

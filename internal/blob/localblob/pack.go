package localblob

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"strings"
	"sync"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
)

// A pack is packs/<name>: records one behind the other, each at a multiple of
// recordAlign.
//
//	0   4  "WPK1"
//	4   4  length of the body, little endian as all numbers here
//	8   4  CRC-32C of the body as it is stored
//	12  3  the low bytes of the CRC-32C of bytes 0..11
//	15  1  0: stored; 1: deleted
//	16     the body
//
// A pack grows in the one process that made it, which holds a lock on it, and in
// no later one: what a crash leaves behind its end is never written over.
const (
	packs       = "packs"
	headerSize  = 16
	recordAlign = 16
	maxPack     = 64 << 20 // bytes, after which a new one is begun
	maxBatch    = 2 << 20  // bytes that share one flush
)

const (
	stored  = 0
	deleted = 1
)

var (
	packMagic  = [4]byte{'W', 'P', 'K', '1'}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)

	errGrowing = errors.New("localblob: the pack still grows, here or in another process")
	errInUse   = errors.New("localblob: the pack holds objects that were not deleted")
	errBroken  = errors.New("localblob: packing came to a sudden end")
	errGone    = fmt.Errorf("localblob: no such record in the pack: %w", fs.ErrNotExist)
)

// packer gathers those who store at a time. The first who comes leads: it writes
// and flushes for all who wait, then hands over to one of those who came
// meanwhile.
type packer struct {
	mu    sync.Mutex
	queue []*parcel
	led   bool

	// Only the leader.
	file  File
	name  string
	end   int64
	frame []byte
}

// parcel is one call of Pack.
type parcel struct {
	bodies [][]byte
	size   int64 // of the records
	sync   bool
	keys   []string
	err    error
	turn   chan bool // 1; true: lead, false: it is done
}

func (d *driver) Pack(ctx context.Context, bodies [][]byte, o blob.PutOptions) ([]string, error) {
	if err := d.ready(ctx); err != nil {
		return nil, err
	}
	p := &parcel{bodies: bodies, sync: o.Sync != blob.SyncNever, turn: make(chan bool, 1)}
	for _, b := range bodies {
		if len(b) == 0 || len(b) > blob.MaxPacked {
			return nil, errRange
		}
		p.size += recordSize(len(b))
	}
	k := &d.packer
	k.mu.Lock()
	k.queue = append(k.queue, p)
	wait := k.led
	k.led = true
	k.mu.Unlock()
	// A caller whose context ends now is waited for: its bytes may be on their way.
	if wait && !<-p.turn {
		return p.keys, p.err
	}
	d.lead(p)
	return p.keys, p.err
}

// lead stores for all who wait, mine among them, and hands over.
func (d *driver) lead(mine *parcel) {
	runtime.Gosched() // those who are ready to come, come: a flush costs more than a switch
	k := &d.packer
	k.mu.Lock()
	n, size := 0, int64(0)
	for n < len(k.queue) && (n == 0 || size+k.queue[n].size <= maxBatch) {
		size += k.queue[n].size
		n++
	}
	group := k.queue[:n:n]
	k.queue = append([]*parcel(nil), k.queue[n:]...)
	k.mu.Unlock()

	err := errBroken
	defer func() { d.handOver(mine, group, err) }()
	err = d.store(group, size)
}

// handOver tells the group, all but mine, and the next leader. It does so in a
// panic too: nobody waits for ever.
func (d *driver) handOver(mine *parcel, group []*parcel, err error) {
	k := &d.packer
	if err != nil {
		for _, p := range group {
			p.keys, p.err = nil, err
		}
	}
	k.mu.Lock()
	k.led = len(k.queue) > 0
	var next *parcel
	if k.led {
		next = k.queue[0]
	}
	k.mu.Unlock()
	if next != nil {
		next.turn <- true
	}
	for _, p := range group {
		if p != mine {
			p.turn <- false
		}
	}
}

// store appends the group to the pack and flushes it, if one of them asks for
// that. What failed in the middle stays behind the end of a pack that nobody
// writes to any more.
func (d *driver) store(group []*parcel, size int64) error {
	k := &d.packer
	if err := d.Check(); err != nil { // a sync may have failed while they waited
		d.endPack()
		return err
	}
	if k.file != nil && k.end+size > maxPack {
		d.endPack()
	}
	if k.file == nil {
		if err := d.newPack(); err != nil {
			return err
		}
	}
	k.frame = k.frame[:0]
	sync := false
	for _, p := range group {
		p.keys = make([]string, len(p.bodies))
		for i, body := range p.bodies {
			at := k.end + int64(len(k.frame))
			p.keys[i] = blob.Packed{Pack: blob.PackKey(k.name), At: at, Size: int64(len(body))}.Key()
			k.frame = appendRecord(k.frame, body)
		}
		sync = sync || p.sync
	}
	_, err := k.file.WriteAt(k.frame, k.end)
	if err == nil && sync {
		err = d.synced(k.file.SyncData())
	}
	if err == nil {
		err = reaches(k.file, k.end+int64(len(k.frame)))
	}
	if err != nil {
		d.endPack()
		return err
	}
	k.end += int64(len(k.frame))
	return nil
}

// newPack makes an empty pack with a durable name. Between its making and its
// lock another process may look at it, or drop it as an empty one: then another
// is made.
func (d *driver) newPack() error {
	if err := d.mkdir(packs, true); err != nil {
		return err
	}
	const tries = 8
	for try := 1; ; try++ {
		err := d.tryPack()
		taken := errors.Is(err, errGrowing) || errors.Is(err, fs.ErrNotExist)
		if !taken || try == tries {
			return err
		}
	}
}

func (d *driver) tryPack() error {
	k := &d.packer
	name := strings.ToLower(rand.Text())
	f, err := d.fs.OpenFile(path.Join(packs, name), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err = hold(f); err == nil {
		_, err = d.fs.Stat(path.Join(packs, name))
	}
	if err == nil {
		err = d.syncDir(packs)
	}
	if err != nil {
		return errors.Join(err, f.Close(), d.remove(path.Join(packs, name)))
	}
	k.mu.Lock()
	k.file, k.name, k.end = f, name, 0
	k.mu.Unlock()
	return nil
}

// endPack lets the pack grow no more. One without a record goes.
func (d *driver) endPack() {
	k := &d.packer
	if k.file == nil {
		return
	}
	if k.end == 0 {
		_ = d.remove(path.Join(packs, k.name)) // what stays is an empty file, which is dropped later
	}
	_ = k.file.Close() // what is to be kept was flushed
	k.mu.Lock()
	k.file, k.name, k.end = nil, "", 0
	k.mu.Unlock()
}

func recordSize(body int) int64 {
	return (headerSize + int64(body) + recordAlign - 1) / recordAlign * recordAlign
}

func appendRecord(to, body []byte) []byte {
	var h [headerSize]byte
	copy(h[:], packMagic[:])
	binary.LittleEndian.PutUint32(h[4:], uint32(len(body)))
	binary.LittleEndian.PutUint32(h[8:], crc32.Checksum(body, castagnoli))
	// The state is behind the three bytes, and written with them.
	binary.LittleEndian.PutUint32(h[12:], crc32.Checksum(h[:12], castagnoli)&0xffffff)
	to = append(append(to, h[:]...), body...)
	return append(to, make([]byte, recordSize(len(body))-headerSize-int64(len(body)))...)
}

// header is what stands before a body.
type header struct {
	size  int64
	state byte
}

// parseHeader reads a header; ok is false for what is none.
func parseHeader(h []byte) (header, bool) {
	if len(h) < headerSize || [4]byte(h[:4]) != packMagic ||
		binary.LittleEndian.Uint32(h[12:])&0xffffff != crc32.Checksum(h[:12], castagnoli)&0xffffff {
		return header{}, false
	}
	out := header{size: int64(binary.LittleEndian.Uint32(h[4:])), state: h[15]}
	return out, out.size >= 1 && out.size <= blob.MaxPacked
}

func readHeader(f io.ReaderAt, at int64) (header, error) {
	var h [headerSize]byte
	if n, err := f.ReadAt(h[:], at); n < headerSize {
		if err == io.EOF {
			err = errGone
		}
		return header{}, err
	}
	if out, ok := parseHeader(h[:]); ok {
		return out, nil
	}
	return header{}, errGone
}

func packPath(key string) string { return path.Join(packs, blob.PackName(key)) }

// openPacked opens the pack and finds the record of the object in it.
func (d *driver) openPacked(p blob.Packed, flag int) (File, error) {
	f, err := d.fs.OpenFile(packPath(p.Pack), flag, 0)
	if err != nil {
		return nil, err
	}
	h, err := readHeader(f, p.At)
	if err == nil && (h.size != p.Size || h.state != stored) {
		err = errGone
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// readPacked reads the bytes at once: a record that is deleted under a reader
// loses its blocks, which a file that is unlinked does not. That the mark is not
// there afterwards proves that they were.
func (d *driver) readPacked(p blob.Packed, r core.Range) (io.ReadCloser, error) {
	f, err := d.openPacked(p, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	if !r.Valid() || r.To > p.Size {
		return nil, errors.Join(errRange, f.Close())
	}
	body := make([]byte, r.Len())
	n, err := f.ReadAt(body, p.At+headerSize+r.From)
	switch {
	case n == len(body):
		var h header
		if h, err = readHeader(f, p.At); err == nil && h.state != stored {
			err = errGone
		}
	case errors.Is(err, io.EOF):
		err = errShort
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(body)), nil
}

// statPacked says how much of the object is there: a pack that was cut off has
// less.
func (d *driver) statPacked(key string, p blob.Packed) (blob.Info, error) {
	f, err := d.openPacked(p, os.O_RDONLY)
	if err != nil {
		return blob.Info{}, err
	}
	st, err := f.Stat()
	if err = errors.Join(err, f.Close()); err != nil {
		return blob.Info{}, err
	}
	return blob.Info{Key: key, Size: min(p.Size, st.Size()-p.At-headerSize), ModTime: st.ModTime()}, nil
}

// deletePacked marks the record and gives its blocks back. The mark is not
// flushed: an object that a crash brings back has no row, and is marked again
// with its doomed row, or found by the audit.
func (d *driver) deletePacked(p blob.Packed) error {
	f, err := d.openPacked(p, os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte{deleted}, p.At+headerSize-1)
	if h, able := f.(interface{ Punch(off, n int64) error }); able && err == nil {
		// Room that is not given back now is when the pack goes.
		_ = h.Punch(p.At+headerSize, p.Size)
	}
	return errors.Join(err, f.Close())
}

func (d *driver) Packs(ctx context.Context, after string, limit int) ([]blob.Info, error) {
	if err := ctx.Err(); err != nil || limit <= 0 {
		return nil, err
	}
	entries, err := d.fs.ReadDir(packs)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []blob.Info
	for _, e := range entries {
		key := blob.PackKey(e.Name())
		if key <= after || !e.Type().IsRegular() || blob.PackName(key) == "" {
			continue
		}
		if len(out) == limit {
			break
		}
		f, ferr := d.settled(key)
		if errors.Is(ferr, errGrowing) || errors.Is(ferr, fs.ErrNotExist) {
			continue
		}
		if ferr != nil {
			return nil, ferr
		}
		st, ferr := f.Stat()
		if ferr = errors.Join(ferr, f.Close()); ferr != nil {
			return nil, ferr
		}
		out = append(out, blob.Info{Key: key, Size: st.Size(), ModTime: st.ModTime()})
	}
	return out, err
}

// settled opens a pack that nobody appends to, and holds it, so that nobody can
// take it for growing either.
func (d *driver) settled(key string) (File, error) {
	d.packer.mu.Lock()
	grows := d.packer.name != "" && d.packer.name == blob.PackName(key)
	d.packer.mu.Unlock()
	if grows {
		return nil, errGrowing
	}
	f, err := d.fs.OpenFile(packPath(key), os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	if err := hold(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// hold locks a pack; errGrowing when another descriptor does, in this process or
// another. Where the file system has no locks, only this process is seen.
func hold(f File) error {
	l, able := f.(interface{ Lock() (bool, error) })
	if !able {
		return nil
	}
	got, err := l.Lock()
	if err == nil && !got {
		err = errGrowing
	}
	return err
}

func (d *driver) DropPack(ctx context.Context, key string) error {
	if err := d.ready(ctx); err != nil {
		return err
	}
	f, err := d.settled(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	n, err := undeleted(ctx, f)
	if err == nil && n > 0 {
		err = errInUse
	}
	if err == nil {
		err = d.remove(packPath(key))
	}
	return errors.Join(err, f.Close())
}

func (d *driver) Undeleted(ctx context.Context, key string) (int, error) {
	f, err := d.settled(key)
	if err != nil {
		return 0, err
	}
	n, err := undeleted(ctx, f)
	return n, errors.Join(err, f.Close())
}

// undeleted walks the records. What is none, a tail that a crash tore, holds
// nothing that was ever acknowledged.
func undeleted(ctx context.Context, f File) (n int, err error) {
	for at := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		h, err := readHeader(f, at)
		switch {
		case errors.Is(err, errGone):
			return n, nil
		case err != nil:
			return n, err
		case h.state != deleted:
			n++
		}
		at += recordSize(int(h.size))
	}
}

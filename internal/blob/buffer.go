package blob

import (
	"context"
	"io"
	"sync"
)

// The sizes of copy buffers. A copy starts with the smallest: a thousand
// uploads that stand still must not hold a thousand large buffers. It has the
// size of what net/http reads ahead, below which nothing is gained.
var tiers = [...]int{4 << 10, 16 << 10, 64 << 10, 256 << 10}

// scratchTier is for what is worked on and given back at once.
const scratchTier = 1

var pools [len(tiers)]sync.Pool

// moving are buffers for moved bytes, which hardly ever touch them.
var moving sync.Pool

func getBuffer(tier int) *[]byte {
	if b, ok := pools[tier].Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, tiers[tier])
	return &b
}

// CopyAt writes what src yields, until its end, to dst from off on, and
// returns how much that was. It is the copy loop of drivers: buffers are
// pooled and follow the sender's pace, and an ended ctx is seen between two of
// them. Errors of either side come back as they are.
func CopyAt(ctx context.Context, dst io.WriterAt, off int64, src io.Reader) (n int64, err error) {
	in, _ := src.(*intake)
	target, _ := dst.(Target)
	tier := 0
	buf := getBuffer(tier)
	defer func() { pools[tier].Put(buf) }()
	for empty := 0; ; {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		got, rerr := src.Read(*buf)
		if got > 0 {
			put, err := dst.WriteAt((*buf)[:got], off+n)
			if err == nil && put != got {
				err = io.ErrShortWrite
			}
			if err != nil {
				return n, err
			}
			n, empty = n+int64(got), 0
		}
		switch {
		case rerr == io.EOF:
			return n, nil
		case rerr != nil:
			return n, rerr
		case got == 0:
			if empty++; empty == maxEmptyReads {
				return n, io.ErrNoProgress
			}
		}
		next := nextTier(tier, got)
		if in.waited() {
			next = 0
		}
		if next != tier {
			pools[tier].Put(buf)
			tier, buf = next, getBuffer(next)
		}
		if tier == len(tiers)-1 && in != nil && target != nil {
			moved, ended, err := in.move(ctx, target, off+n)
			n += moved
			if ended || err != nil {
				return n, err
			}
			target = nil // or it would be tried for each buffer of a body that cannot
		}
	}
}

// Pacer is a body that knows how its sender keeps up.
type Pacer interface {
	// Waited reports whether the last read stood still for a while. A body that
	// did will do so again, and shall hold little then.
	Waited() bool
}

func (in *intake) waited() bool {
	if in == nil {
		return false
	}
	p, ok := in.body.(Pacer)
	return ok && p.Waited()
}

const maxEmptyReads = 100

// nextTier goes up when a read filled the buffer, down when it left most of it
// empty. The smallest but one is left as soon as a read does not fill it: that
// is a sender who paces what it sends, and waits for us to wait.
func nextTier(tier, got int) int {
	switch {
	case got == tiers[tier]:
		return min(tier+1, len(tiers)-1)
	case tier == 1, tier > 1 && got <= tiers[tier]/4:
		return tier - 1
	}
	return tier
}

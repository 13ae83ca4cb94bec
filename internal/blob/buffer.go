package blob

import (
	"context"
	"io"
	"sync"
)

// The sizes of copy buffers. A copy starts with the smallest: a thousand
// uploads that stand still must not hold a thousand large buffers.
var tiers = [...]int{16 << 10, 64 << 10, 256 << 10}

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
		if next := nextTier(tier, got); next != tier {
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

const maxEmptyReads = 100

// nextTier goes up when a read filled the buffer, down when it left most of it
// empty.
func nextTier(tier, got int) int {
	switch {
	case got == tiers[tier] && tier < len(tiers)-1:
		return tier + 1
	case got <= tiers[tier]/4 && tier > 0:
		return tier - 1
	}
	return tier
}

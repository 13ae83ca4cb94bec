package lane

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// pipeSize is what one step can move: the most that a user without privileges
// may ask for (pipe(7), /proc/sys/fs/pipe-max-size).
const pipeSize = 1 << 20

// pipe is where bytes are on their way from a socket to a file.
type pipe struct{ r, w int }

// idle are empty pipes to be used again. More are closed.
var idle = make(chan pipe, 16)

func getPipe() (pipe, error) {
	select {
	case p := <-idle:
		return p, nil
	default:
	}
	var fd [2]int
	if err := unix.Pipe2(fd[:], unix.O_CLOEXEC); err != nil {
		return pipe{}, err
	}
	// With less it is slower, and right.
	_, _ = unix.FcntlInt(uintptr(fd[1]), unix.F_SETPIPE_SZ, pipeSize)
	return pipe{fd[0], fd[1]}, nil
}

// put takes back a pipe that is empty.
func (p pipe) put() {
	select {
	case idle <- p:
	default:
		p.close()
	}
}

func (p pipe) close() {
	_ = unix.Close(p.r)
	_ = unix.Close(p.w)
}

// move takes what the socket has, at most len(p) bytes, to the file. Where that
// cannot be done it reads into p.
func (c *Conn) move(o *order, p []byte) (int, error) {
	raw, err := c.tcp.SyscallConn()
	if err != nil {
		return 0, err
	}
	way, err := getPipe()
	if err != nil {
		return c.Conn.Read(p) // no descriptors left, perhaps: copying needs none
	}
	var n int64
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		n, failed = splice(int(fd), nil, way.w, nil, len(p))
		return !errors.Is(failed, unix.EAGAIN)
	})
	switch {
	case err != nil:
		way.put()
		return 0, err
	case errors.Is(failed, unix.EINVAL), errors.Is(failed, unix.ENOSYS):
		way.put()
		return c.Conn.Read(p)
	case failed != nil:
		way.put()
		return 0, os.NewSyscallError("splice", failed)
	case n == 0:
		way.put()
		return 0, io.EOF
	}
	return c.pour(o, way, p, int(n))
}

// pour empties the pipe of n bytes into the file.
func (c *Conn) pour(o *order, way pipe, p []byte, n int) (int, error) {
	raw, err := o.file.SyscallConn()
	left, off := n, o.off
	var failed error
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			for left > 0 && failed == nil {
				var m int64
				if m, failed = splice(way.r, nil, int(fd), &off, left); failed == nil && m == 0 {
					failed = io.ErrShortWrite
				}
				left -= int(max(m, 0))
			}
		})
	}
	if left == n && errors.Is(failed, unix.EINVAL) { // a file system that does not take it
		if err := way.read(p[:n]); err != nil {
			way.close()
			return 0, err
		}
		way.put()
		return n, nil
	}
	if err == nil && failed != nil {
		err = os.NewSyscallError("splice", failed)
	}
	if err != nil {
		// What is still in the pipe is lost from the connection.
		way.close()
		_ = c.Close()
		return 0, err
	}
	way.put()
	o.moved = n
	return n, nil
}

// read takes bytes that are in the pipe.
func (p pipe) read(to []byte) error {
	for len(to) > 0 {
		n, err := unix.Read(p.r, to)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err == nil && n == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return os.NewSyscallError("read", err)
		}
		to = to[n:]
	}
	return nil
}

func splice(from int, fromOff *int64, to int, toOff *int64, n int) (int64, error) {
	for {
		m, err := unix.Splice(from, fromOff, to, toOff, n, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		if !errors.Is(err, unix.EINTR) {
			return m, err
		}
	}
}

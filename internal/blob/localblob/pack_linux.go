package localblob

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Punch gives the blocks back that lie inside the range whole.
func (f diskFile) Punch(off, n int64) error {
	return f.control("fallocate", func(fd int) error {
		return unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, n)
	})
}

// Lock holds the file against every other descriptor, until it is closed or the
// process ends. It does not wait.
func (f diskFile) Lock() (bool, error) {
	err := f.control("flock", func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return false, nil
	case errors.Is(err, unix.ENOLCK), errors.Is(err, unix.ENOTSUP):
		return true, nil
	}
	return err == nil, err
}

//go:build unix

package flow

import (
	"os"
	"syscall"
)

// LockFile keeps other processes from writing to the same unfinished download.
// Closing the file gives it back.
func LockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

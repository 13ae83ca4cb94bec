//go:build unix

package client

import (
	"os"
	"syscall"
)

// lockFile keeps other processes from writing to the same unfinished download.
// Closing the file gives it back.
func lockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

//go:build unix

package keep

import (
	"os"
	"syscall"
)

// tryLock takes the lock on f, which closing f gives back.
func tryLock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

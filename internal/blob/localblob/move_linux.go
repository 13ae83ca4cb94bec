package localblob

import (
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// Raw implements blob.Target.
func (f diskFile) Raw() *os.File { return f.File }

// Moved implements blob.Target.
func (diskFile) Moved(int64, int) {}

// View implements blob.Target. The pages were written a moment ago and are
// mapped, not read: a copy would cost as much as the move has saved.
func (f diskFile) View(off int64, n int, show func([]byte)) (err error) {
	lead := off % int64(os.Getpagesize())
	var m []byte
	err = f.control("mmap", func(fd int) (err error) {
		m, err = unix.Mmap(fd, off-lead, n+int(lead), unix.PROT_READ, unix.MAP_SHARED|unix.MAP_POPULATE)
		return err
	})
	if err != nil {
		return err
	}
	// A page that cannot be read back is a fault of the memory to the process.
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if v := recover(); v != nil {
			err = &fs.PathError{Op: "read", Path: f.Name(), Err: fmt.Errorf("%v", v)}
		}
		if uerr := unix.Munmap(m); err == nil && uerr != nil {
			err = &fs.PathError{Op: "munmap", Path: f.Name(), Err: uerr}
		}
	}()
	show(m[lead:])
	return nil
}

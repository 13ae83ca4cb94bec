//go:build !linux

package localblob

import (
	"errors"
	"math"
	"os"
	"runtime"
)

// SyncData is Sync: no cheaper way is portable.
func (f diskFile) SyncData() error { return f.Sync() }

func (f diskFile) Preallocate(int64) error { return errors.ErrUnsupported }

func (d disk) renameNoReplace(string, string) error { return errors.ErrUnsupported }

// dirSyncUnknown: Windows opens directories but does not sync them.
func dirSyncUnknown(err error) bool { return err != nil && runtime.GOOS == "windows" }

// Free does not know, and refuses nothing.
func (d disk) Free() (free, total int64, err error) { return math.MaxInt64, math.MaxInt64, nil }

func device(os.FileInfo) any { return nil }

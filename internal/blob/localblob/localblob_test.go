package localblob_test

import (
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest/faultfs"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
)

// open opens a driver that is closed with the test.
func open(t testing.TB, c localblob.Config) blob.Driver {
	t.Helper()
	d, err := localblob.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func subject(t *testing.T, c localblob.Config) blobtest.Subject {
	return blobtest.Subject{Driver: open(t, c), Reopen: func() blob.Driver { return open(t, c) }}
}

func TestConformanceOnDisk(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blobtest.Subject {
		return subject(t, localblob.Config{Root: t.TempDir()})
	})
}

func TestConformanceInMemory(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blobtest.Subject {
		return subject(t, localblob.Config{FS: faultfs.New()})
	})
}

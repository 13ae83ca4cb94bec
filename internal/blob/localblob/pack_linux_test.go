package localblob_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
)

func TestADeletedObjectGivesItsBlocksBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := open(t, localblob.Config{Root: dir})
	keys, err := d.(blob.Packer).Pack(t.Context(), [][]byte{make([]byte, 100), append(make([]byte, blob.MaxPacked-1), 1), make([]byte, 100)}, blob.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	at, _ := blob.ParsePacked(keys[0])
	name := filepath.Join(dir, "packs", blob.PackName(at.Pack))
	blocks := func() int64 {
		var st unix.Stat_t
		if err := unix.Stat(name, &st); err != nil {
			t.Fatal(err)
		}
		return st.Blocks * 512
	}
	before := blocks()
	probe, err := os.Create(filepath.Join(dir, "probe"))
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	if err := unix.Fallocate(int(probe.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, 4096); err != nil {
		t.Skipf("this file system makes no holes: %v", err)
	}
	if failed, err := d.Delete(t.Context(), keys[1:2]); err != nil || len(failed) > 0 {
		t.Fatal(err, failed)
	}
	if got := before - blocks(); got < blob.MaxPacked-2*4096 {
		t.Errorf("%d bytes came back of %d", got, blob.MaxPacked)
	}
	for _, key := range []string{keys[0], keys[2]} {
		if _, err := d.Stat(t.Context(), key); err != nil {
			t.Errorf("a neighbour is gone: %v", err)
		}
	}
}

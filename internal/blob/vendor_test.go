package blob_test

import (
	"bytes"
	"crypto/md5"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/memblob"
	"github.com/wharfinger/wharfinger/internal/errs"
)

func TestBytesThatArePartsAsTheyCameAreTakenAndOthersAreNot(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(rt, "data")
		each := rapid.IntRange(1, 80).Draw(rt, "each")
		var sums []byte
		for part := range slices.Chunk(data, each) {
			sum := md5.Sum(part)
			sums = append(sums, sum[:]...)
		}
		if len(data) == 0 {
			sum := md5.Sum(nil)
			sums = sum[:]
		}
		whole := md5.Sum(sums)
		b := blob.New(memblob.Open(), blob.Options{})
		stored := slices.Clone(data)
		if broken := rapid.Bool().Draw(rt, "broken") && len(data) > 0; broken {
			stored[rapid.IntRange(0, len(data)-1).Draw(rt, "at")]++
		}
		if _, err := b.Put(t.Context(), "a", blobtest.Bytes(stored), nil); err != nil {
			rt.Fatal(err)
		}
		_, err := b.Digest(t.Context(), blob.Reading{Key: "a", Size: int64(len(data)), PartSize: int64(each), Parted: whole[:]})
		if same := bytes.Equal(data, stored); same != (err == nil) || !same && !errs.Has(err, errs.DigestMismatch) {
			rt.Errorf("the same bytes: %v; answered %v", same, err)
		}
	})
}

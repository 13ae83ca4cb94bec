package plan_test

import (
	"testing"

	"github.com/minio/crc64nvme"
	"pgregory.net/rapid"

	"github.com/wharfinger/wharfinger/client/plan"
)

func TestJoinedCRCIsThatOfTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		at := rapid.IntRange(0, len(b)).Draw(t, "at")
		got := plan.JoinCRC(crc64nvme.Checksum(b[:at]), crc64nvme.Checksum(b[at:]), int64(len(b)-at))
		if want := crc64nvme.Checksum(b); got != want {
			t.Fatalf("joined at %d of %d: %016x, want %016x", at, len(b), got, want)
		}
	})
}

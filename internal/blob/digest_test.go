package blob_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/minio/crc64nvme"
	"pgregory.net/rapid"

	"github.com/wharfinger/wharfinger/internal/blob"
)

func TestCRCHasTheCheckValueOfItsCatalogue(t *testing.T) {
	const check = 0xAE8B14860A799888
	if got := crc64nvme.Checksum([]byte("123456789")); got != check {
		t.Fatalf("%x", got)
	}
	a, b := crc64nvme.Checksum([]byte("1234")), crc64nvme.Checksum([]byte("56789"))
	if got := blob.CombineCRC(a, b, 5); got != check {
		t.Fatalf("combined: %x", got)
	}
}

func TestCombinedCRCIsThatOfTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var whole []byte
		var crc uint64
		for _, part := range rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 300), 0, 20).Draw(t, "parts") {
			whole = append(whole, part...)
			crc = blob.CombineCRC(crc, crc64nvme.Checksum(part), int64(len(part)))
		}
		if want := crc64nvme.Checksum(whole); crc != want {
			t.Fatalf("%x, want %x", crc, want)
		}
	})
}

func TestCombineCRCKnowsLongRunsOfZeros(t *testing.T) {
	a := crc64nvme.Checksum([]byte("head"))
	zeros := make([]byte, 1<<20)
	sum := crc64nvme.Checksum(zeros)
	want := a
	for range 64 {
		want = blob.CombineCRC(want, sum, 1<<20)
	}
	h := crc64nvme.New()
	_, _ = h.Write([]byte("head"))
	for range 64 {
		_, _ = h.Write(zeros)
	}
	if got := h.Sum64(); got != want {
		t.Fatalf("64 MiB of zeros: %x, want %x", want, got)
	}
}

// Adding B then C must be adding B‖C, whatever their lengths: no file of 2⁶²
// bytes can be read in a test, but its algebra can.
func TestCombineCRCIsAssociativeForAnyLength(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sum := rapid.Uint64()
		a, b, c := sum.Draw(t, "a"), sum.Draw(t, "b"), sum.Draw(t, "c")
		n := rapid.Int64Range(0, 1<<62).Draw(t, "lenB")
		m := rapid.Int64Range(0, 1<<62-1).Draw(t, "lenC")
		left := blob.CombineCRC(blob.CombineCRC(a, b, n), c, m)
		right := blob.CombineCRC(a, blob.CombineCRC(b, c, m), n+m)
		if left != right {
			t.Fatalf("(a‖b)‖c = %x, a‖(b‖c) = %x", left, right)
		}
	})
}

func TestTheRFCsOwnDigestHolds(t *testing.T) {
	// RFC 9530, appendix B.1.
	sum, err := base64.StdEncoding.DecodeString("RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=")
	if err != nil {
		t.Fatal(err)
	}
	want := []blob.Digest{{Algorithm: blob.SHA256, Value: sum}}
	if _, err := blob.Measure(blob.Write{Range: span(0, 19), Body: strings.NewReader("{\"hello\": \"world\"}\n"), Want: want}, false); err != nil {
		t.Error(err)
	}
}

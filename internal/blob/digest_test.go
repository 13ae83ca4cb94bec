package blob_test

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/crc64nvme"
	"pgregory.net/rapid"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/errs"
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

func TestDigestFieldsRoundTrip(t *testing.T) {
	sum := sha256.Sum256([]byte("x"))
	want := []blob.Digest{blob.CRC(7), {Algorithm: blob.SHA256, Value: sum[:]}, {Algorithm: blob.SHA512, Value: make([]byte, 64)}}
	got, err := blob.ParseDigests(blob.FormatDigests(want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDigestFieldsAsTheRFCWritesThem(t *testing.T) {
	// RFC 9530, appendix B.1 and section 2.
	const field = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:;p=1 , unixsum=:GQU=:"
	got, err := blob.ParseDigests(field)
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	if _, err := blob.Measure(blob.Write{Range: span(0, 19), Body: strings.NewReader("{\"hello\": \"world\"}\n"), Want: got}, false); err != nil {
		t.Errorf("the RFC's own example: %v", err)
	}
	for _, field := range []string{"", "  "} {
		if got, err := blob.ParseDigests(field); len(got) != 0 || err != nil {
			t.Errorf("%q: %v, %v", field, got, err)
		}
	}
	for _, field := range []string{
		"sha-256", "sha-256=", "sha-256=:", "sha-256=::", "=:AA==:", "sha-256=:AA==:", "sha-256=AA==", ",",
		"sha-256=:*:", "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg:", "sha-512=:GQU=:", "x=:GQU=:,",
	} {
		if got, err := blob.ParseDigests(field); !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: %v, %v", field, got, err)
		}
	}
}

func FuzzParseDigests(f *testing.F) {
	f.Add("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:, crc64nvme=:AAAAAAAAAAc=:")
	f.Add("sha-512=:;,")
	f.Fuzz(func(t *testing.T, field string) {
		ds, err := blob.ParseDigests(field)
		if err != nil {
			return
		}
		again, err := blob.ParseDigests(blob.FormatDigests(ds))
		if err != nil || !cmp.Equal(ds, again) {
			t.Fatalf("%q: %v, then %v, %v", field, ds, again, err)
		}
		for _, d := range ds {
			if _, err := blob.Measure(blob.Write{Body: bytes.NewReader(nil), Want: []blob.Digest{d}}, false); errs.Has(err, errs.BadParam) {
				t.Fatalf("%q gave a digest that no write takes: %v", field, err)
			}
		}
	})
}

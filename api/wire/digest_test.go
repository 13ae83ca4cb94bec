package wire_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/api/wire"
)

func TestDigestsOfPublishedVectors(t *testing.T) {
	t.Parallel()
	// RFC 9530, appendix B.1: the content {"hello": "world"} and a newline.
	const field = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:, " +
		"sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:"
	ds, err := wire.ParseDigests(field)
	if err != nil {
		t.Fatal(err)
	}
	if len(ds) != 2 || ds[0].Algorithm != wire.SHA256 || len(ds[0].Sum) != 32 || ds[1].Algorithm != wire.SHA512 || len(ds[1].Sum) != 64 {
		t.Fatalf("got %v", ds)
	}
	if got := wire.FormatDigests(ds...); got != field {
		t.Errorf("printed %q", got)
	}
}

func TestDigestFieldGrammar(t *testing.T) {
	t.Parallel()
	crc := wire.Digest{Algorithm: wire.CRC64NVME, Sum: []byte{0, 1, 2, 3, 4, 5, 6, 7}}
	const ok = "crc64nvme=:AAECAwQFBgc=:"
	cases := []struct {
		name, in string
		want     []wire.Digest
		fails    bool
	}{
		{"empty", "", nil, false},
		{"one", ok, []wire.Digest{crc}, false},
		{"spaces around", "  " + ok + "  ", []wire.Digest{crc}, false},
		{"unknown byte sequence is passed over", "md5=:AAAA:, " + ok, []wire.Digest{crc}, false},
		{"unknown integer", "a=-12.5, " + ok, []wire.Digest{crc}, false},
		{"unknown token", "a=tok/en:x, " + ok, []wire.Digest{crc}, false},
		{"unknown string with a comma and a quote", `a="x,\"y", ` + ok, []wire.Digest{crc}, false},
		{"unknown boolean", "a=?1, b, " + ok, []wire.Digest{crc}, false},
		{"unknown inner list", `a=("x" 1 tok;q=2);r=3, ` + ok, []wire.Digest{crc}, false},
		{"parameters", ok + `;a;b=1;c="x"`, []wire.Digest{crc}, false},
		{"the last of two counts", "crc64nvme=:AAAAAAAAAAA=:," + ok, []wire.Digest{crc}, false},
		{"short sum", "crc64nvme=:AAEC:", nil, true},
		{"sum that is not bytes", "crc64nvme=AAECAwQFBgc", nil, true},
		{"sum that is missing", "crc64nvme", nil, true},
		{"open colon", "crc64nvme=:AAECAwQFBgc=", nil, true},
		{"bad base64", "crc64nvme=:AAECAwQF!gc=:", nil, true},
		{"trailing comma", ok + ",", nil, true},
		{"no comma", ok + " " + ok, nil, true},
		{"upper-case key", "CRC64NVME=:AAECAwQFBgc=:", nil, true},
		{"open string", `a="x`, nil, true},
		{"open list", "a=(1", nil, true},
		{"list in a list", "a=((1))", nil, true},
		{"no value", "a=, " + ok, nil, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := wire.ParseDigests(c.in)
			if c.fails != (err != nil) {
				t.Fatalf("error %v", err)
			}
			if err != nil && !errors.Is(err, wire.ErrDigest) {
				t.Errorf("error %v is not ErrDigest", err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzDigestsReadWhatTheyPrint(f *testing.F) {
	f.Add("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:")
	f.Add(`a=("x" 1 tok;q=2);r=3, crc64nvme=:AAECAwQFBgc=:`)
	f.Fuzz(func(t *testing.T, s string) {
		ds, err := wire.ParseDigests(s)
		if err != nil {
			return
		}
		again, err := wire.ParseDigests(wire.FormatDigests(ds...))
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if !cmp.Equal(ds, again, cmp.Comparer(bytes.Equal)) {
			t.Fatalf("%q: %v, then %v", s, ds, again)
		}
	})
}

func TestDigestParsingIsLinear(t *testing.T) {
	t.Parallel()
	if _, err := wire.ParseDigests(strings.Repeat("a=(", 1<<18)); err == nil {
		t.Error("accepted")
	}
}

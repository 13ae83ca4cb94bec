package obsblob

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/xmlstore"
)

// Made by the vendor's kit v3.25.4; the documents tell no secret with their own.
func TestSignaturesAreThoseOfTheVendorsKit(t *testing.T) {
	t.Parallel()
	k := keys{"ak", []byte("sk"), "bkt"}
	for _, v := range []struct {
		method, mime, key string
		query             []pair
		want              string
	}{
		{http.MethodPut, xmlstore.Octets, "dir/a b+文.txt", []pair{{Name: "partNumber", Value: "1"}, {Name: "uploadId", Value: "UPID"}}, "hCdQ3hP0rRCyq+qfAb+aRF34kQ0="},
		{
			http.MethodPost, xmlstore.Octets, "k",
			[]pair{{Name: "x-obs-callback", Value: "eyJjYWxsYmFja1VybCI6Imh0dHA6Ly94L2NiPz4ifQ=="}, {Name: "uploadId", Value: "UPID"}},
			"RChxY8qj++4NPfdYHBHJ0rQECFA=",
		},
		{
			http.MethodGet, "", "k",
			[]pair{{Name: "response-content-disposition", Value: `attachment; filename="a b"`}, {Name: "x-obs-traffic-limit", Value: "819200"}, {Name: "prefix", Value: "not signed"}},
			"PAMEx6x6BKOEjMerVeeCheurKQk=",
		},
	} {
		if got := k.seal().signature(v.method, "", v.mime, "1795353261", k.rest(v.key, v.query, nil)); got != v.want {
			t.Errorf("%s %s: %s, want %s", v.method, v.key, got, v.want)
		}
	}
}

// The fast way of Sign gives the signature of the vendor's kit too.
func TestPartAddressesAreThoseOfTheVendorsKit(t *testing.T) {
	t.Parallel()
	d := dialect{base: &url.URL{Scheme: "https", Host: "bkt.obs.cn-north-4.myhuaweicloud.com"}, keys: keys{"ak", []byte("sk"), "bkt"}}
	got := d.Parts(blob.Handle{Key: "dir/a b+文.txt", Upload: "UPID"}, blob.Ask{Size: 10, Until: time.Unix(1795353261, 0)}, 0, 1)
	u, err := url.Parse(got[0])
	if err != nil || u.Query().Get("Signature") != "hCdQ3hP0rRCyq+qfAb+aRF34kQ0=" || u.Query().Get("Expires") != "1795353261" {
		t.Errorf("%s %v", got[0], err)
	}
}

func BenchmarkSign10000Parts(b *testing.B) {
	d := dialect{base: &url.URL{Scheme: "https", Host: "files.obs.cn-north-4.myhuaweicloud.com"}, keys: keys{"id", []byte("secret"), "files"}}
	a := blob.Ask{Key: "k", Size: 10_000 << 20, PartSize: 1 << 20, Until: time.Unix(1_795_436_061, 0)}
	h := blob.Handle{Key: "k", Size: a.Size, Upload: "0000018F6D2B0000018F6D2B0000018F"}
	b.ReportAllocs()
	for b.Loop() {
		if s := d.Parts(h, a, 0, 10_000); len(s) != 10_000 {
			b.Fatal(len(s))
		}
	}
}

package cosblob

import (
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/xmlstore"
)

// The vendor's own numbers: three published, two made by its kit.
func TestSignaturesAreThePublishedOnes(t *testing.T) {
	t.Parallel()
	const (
		docs   = "BQYIM75p8x0iWVFSIgqEKwFprpRSVHlz"
		sample = "examplebucket-1250000000.cos.ap-beijing.myqcloud.com"
	)
	length := []pair{{Name: "Content-Length", Value: "5242880"}, {Name: "Content-Type", Value: xmlstore.Octets}}
	part := []pair{{Name: "partNumber", Value: "1"}, {Name: "uploadId", Value: "u/id"}}
	for _, v := range []struct {
		secret, window, method, path string
		query, header                []pair
		list, want                   string
	}{
		{
			docs, "1557989151;1557996351", "put", "/exampleobject(腾讯云)", nil,
			[]pair{
				{Name: "Date", Value: "Thu, 16 May 2019 06:45:51 GMT"},
				{Name: "Host", Value: sample},
				{Name: "Content-Type", Value: "text/plain"},
				{Name: "Content-Length", Value: "13"},
				{Name: "Content-MD5", Value: "mQ/fVh815F3k6TAUm8m0eg=="},
				{Name: "x-cos-acl", Value: "private"},
				{Name: "x-cos-grant-read", Value: `uin="100000000011"`},
			},
			"content-length;content-md5;content-type;date;host;x-cos-acl;x-cos-grant-read", "3b8851a11a569213c17ba8fa7dcf2abec6935172",
		},
		{
			docs, "1557989753;1557996953", "get", "/exampleobject(腾讯云)",
			[]pair{{Name: "response-content-type", Value: xmlstore.Octets}, {Name: "response-cache-control", Value: "max-age=600"}},
			[]pair{{Name: "Date", Value: "Thu, 16 May 2019 06:55:53 GMT"}, {Name: "Host", Value: sample}},
			"date;host", "01681b8c9d798a678e43b685a9f1bba0f6c0e012",
		},
		{
			"AKIDZfbOA78asKUYBcXFrJD0a1ICvR98JM", "1480932292;1481012292", "put", "/testfile2", nil,
			[]pair{
				{Name: "host", Value: "testbucket-125000000.cos.ap-guangzhou.myqcloud.com"},
				{Name: "x-cos-stroage-class", Value: "nearline"},
				{Name: "x-cos-content-sha1", Value: "db8ac1c259eb89d4a131b253bacfca5f319d54f2"},
			},
			"host;x-cos-content-sha1;x-cos-stroage-class", "ce4ac0ecbcdb30538b3fee0a97cc6389694ce53a",
		},
		{
			"sk", "1795349661;1795353261", "put", "/dir/a b+文.txt", part, append(length[:2:2], pair{Name: "host", Value: sample}),
			"content-length;content-type;host", "a9d4347e78eb3f51bbd931554e2050566090b3a0",
		},
		{
			"sk", "1795349661;1795353261", "put", "/dir/a b+文.txt", part, length,
			"content-length;content-type", "b6a77afc5c989b4e30e6c707cff6a57e170317af",
		},
	} {
		from, until, _ := strings.Cut(v.window, ";")
		s := keys{"ak", []byte(v.secret)}.seal(unix(from), unix(until))
		list, headers := canon(v.header)
		_, params := canon(v.query)
		if got := s.signature(v.method, v.path, params, headers); string(got[:]) != v.want || list != v.list {
			t.Errorf("%s %s: %s of %s, want %s of %s", v.method, v.path, got, list, v.want, v.list)
		}
	}
}

// The fast way of Sign gives the signature of the vendor's kit too.
func TestPartAddressesAreThoseOfTheVendorsKit(t *testing.T) {
	t.Parallel()
	d := dialect{base: &url.URL{Scheme: "https", Host: "examplebucket-1250000000.cos.ap-beijing.myqcloud.com"}, keys: keys{"ak", []byte("sk")}}
	got := d.Parts(blob.Handle{Key: "dir/a b+文.txt", Upload: "u/id"}, blob.Ask{
		Size: 5242880, PartSize: 5242880, Now: unix("1795349661").Add(skew), Until: unix("1795353261"),
	}, 0, 1)
	u, err := url.Parse(got[0])
	if err != nil {
		t.Fatal(err)
	}
	if sig := u.Query().Get("q-signature"); sig != "a9d4347e78eb3f51bbd931554e2050566090b3a0" {
		t.Errorf("signature %s in %s", sig, got[0])
	}
	if u.EscapedPath() != "/dir/a%20b%2B%E6%96%87.txt" || u.Query().Get("uploadId") != "u/id" {
		t.Errorf("address %s", got[0])
	}
}

func unix(s string) time.Time {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return time.Unix(n, 0)
}

func BenchmarkSign10000Parts(b *testing.B) {
	d := dialect{base: &url.URL{Scheme: "https", Host: "files-1250000000.cos.ap-guangzhou.myqcloud.com"}, keys: keys{"id", []byte("secret")}}
	a := blob.Ask{Key: "k", Size: 10_000 << 20, PartSize: 1 << 20, Now: time.Unix(1_795_349_661, 0), Until: time.Unix(1_795_436_061, 0)}
	h := blob.Handle{Key: "k", Size: a.Size, Upload: "1585130821cbb7df1d11846c073ad648e8f33b087cec2381df437acdc833cf654b9ecc6361"}
	b.ReportAllocs()
	for b.Loop() {
		if s := d.Parts(h, a, 0, 10_000); len(s) != 10_000 {
			b.Fatal(len(s))
		}
	}
}

package ossblob

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
)

// The vendor's own numbers: the tests of its kit, alibabacloud-oss-go-sdk-v2.
func TestSignaturesAreThePublishedOnes(t *testing.T) {
	t.Parallel()
	query := []pair{
		{Name: "param1", Value: "value1"},
		{Name: "+param1", Value: "value3"},
		{Name: "|param1", Value: "value4"},
		{Name: "+param2"},
		{Name: "|param2"},
		{Name: "param2"},
	}
	header := []pair{
		{Name: "x-oss-head1", Value: "value"}, {Name: "abc", Value: "value"}, {Name: "zabc", Value: "value"}, {Name: "xyz", Value: "value"},
	}
	k := keys{id: "ak", secret: []byte("sk"), bucket: "bucket", region: "cn-hangzhou"}
	for _, v := range []struct {
		name, token, want string
		also              []string
		address           bool
		unix              int64
	}{
		{name: "header", unix: 1702743657, want: "e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe"},
		{name: "header, token", unix: 1702784856, token: "token", want: "b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea"},
		{name: "header, additional", unix: 1702747512, also: []string{"abc", "zabc"}, want: "4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f"},
		{name: "address", address: true, unix: 1702781677, want: "a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe"},
		{name: "address, token", address: true, unix: 1702785388, token: "token", want: "3817ac9d206cd6dfc90f1c09c00be45005602e55898f26f5ddb06d7892e1f8b5"},
		{name: "address, additional", address: true, unix: 1702783809, also: []string{"abc", "zabc"}, want: "6bd984bfe531afb6db1f7550983a741b103a8c58e5e14f83ea474c2322dfa2b7"},
	} {
		now := time.Unix(v.unix, 0)
		s := k.seal(now)
		d := dialect{keys: k}
		q, h, also := append([]pair(nil), query...), append([]pair(nil), header...), ""
		for i, name := range v.also {
			if also += name; i < len(v.also)-1 {
				also += ";"
			}
		}
		if v.address {
			q = append(q, d.claims(s, span{now, now.Add(599 * time.Second)})...)
			h = append(h, pair{Name: "content-type", Value: "application/octet-stream"})
			if v.token != "" {
				q = append(q, pair{Name: "x-oss-security-token", Value: v.token})
			}
			if also != "" {
				q = append(q, pair{Name: "x-oss-additional-headers", Value: also})
			}
		} else {
			h = append(h, pair{Name: "content-type", Value: "text/plain"}, pair{Name: "x-oss-content-sha256", Value: unsigned}, pair{Name: "x-oss-date", Value: s.date})
			if v.token != "" {
				h = append(h, pair{Name: "x-oss-security-token", Value: v.token})
			}
		}
		got := s.signature(request{
			method: http.MethodPut, path: k.path("1234+-/123/1.txt"), query: canonQuery(q), headers: canonHeaders(h, v.also...), also: also,
		})
		if string(got[:]) != v.want {
			t.Errorf("%s: %s, want %s", v.name, got, v.want)
		}
	}
}

func TestNoAddressHoldsLongerThanTheVendorTakes(t *testing.T) {
	t.Parallel()
	d := dialect{base: &url.URL{Scheme: "https", Host: "files.oss-cn-hangzhou.aliyuncs.com"}, keys: keys{id: "ak", bucket: "files", region: "cn-hangzhou"}}
	now := time.Unix(1702743657, 0)
	for text, until := range map[string]time.Time{"604800": now.Add(30 * 24 * time.Hour), "60": now.Add(time.Minute), "1": now.Add(-time.Hour)} {
		u, err := url.Parse(d.Read("k", nil, blob.LinkOptions{Now: now, Until: until}))
		if err != nil || u.Query().Get("x-oss-expires") != text {
			t.Errorf("%v: %v %v", until, u, err)
		}
	}
}

func TestAddressesInsideAreNotGivenToTheStore(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"https://drive.example/x": false, "https://203.0.113.7/x": false, "http://localhost:5212/x": true,
		"http://127.0.0.1/x": true, "http://192.168.1.2:8080/x": true, "http://[fd00::1]/x": true,
	} {
		if inside(address) != want {
			t.Errorf("%s: %v", address, !want)
		}
	}
}

// The sample of the vendor's page on callbacks, and its key of 512 bits.
func TestThePublishedCallbackHolds(t *testing.T) {
	t.Parallel()
	key, err := parse([]byte("-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKs/JBGzwUB2aVht4crBx3oIPBLNsjGs\nC0fTXv+nvlmklvkcolvpvXLTjaxUHR3W9LXxQ2EHXAJfCB+6H2YF1k8CAwEAAQ==\n-----END PUBLIC KEY-----\n"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1702743657, 0)
	d := &driver{callers: callers{kept: map[string]kept{"/callback_pub_key_v1.pem": {key, now}}}}
	d.callers.way.Clock = func() time.Time { return now }
	c := blob.Callback{Target: "/index.php?id=1&index=2", Body: []byte("bucket=yonghu-test"), Header: http.Header{
		"Authorization":     {"kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA=="},
		"X-Oss-Pub-Key-Url": {"aHR0cDovL2dvc3NwdWJsaWMuYWxpY2RuLmNvbS9jYWxsYmFja19wdWJfa2V5X3YxLnBlbQ=="},
	}}
	if err := d.ReadCallback(t.Context(), c); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*blob.Callback){
		"path":  func(c *blob.Callback) { c.Target = "/index.php?id=2&index=2" },
		"query": func(c *blob.Callback) { c.Target = "/index.php" },
		"body":  func(c *blob.Callback) { c.Body = []byte("bucket=yonghu-tesT") },
		"signature": func(c *blob.Callback) {
			c.Header = c.Header.Clone()
			c.Header.Set("Authorization", "k"+"LQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA==")
		},
		"length": func(c *blob.Callback) {
			c.Header = c.Header.Clone()
			c.Header.Set("Authorization", "AAAA")
		},
	} {
		bad := c
		spoil(&bad)
		if err := d.ReadCallback(t.Context(), bad); err == nil {
			t.Errorf("another %s: taken", name)
		}
	}
}

func BenchmarkSign10000Parts(b *testing.B) {
	d := dialect{base: &url.URL{Scheme: "https", Host: "files.oss-cn-hangzhou.aliyuncs.com"}, keys: keys{id: "id", secret: []byte("secret"), bucket: "files", region: "cn-hangzhou"}}
	a := blob.Ask{Key: "k", Size: 10_000 << 20, PartSize: 1 << 20, Now: time.Unix(1_795_349_661, 0), Until: time.Unix(1_795_436_061, 0)}
	h := blob.Handle{Key: "k", Size: a.Size, Upload: "0004B9895DBBB6EC98E36"}
	b.ReportAllocs()
	for b.Loop() {
		if s := d.Parts(h, a, 0, 10_000); len(s) != 10_000 {
			b.Fatal(len(s))
		}
	}
}

package ks3

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const (
	empty  = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	amazon = "AKIAIOSFODNN7EXAMPLE"
)

// vector is a published signature: "Examples: Signature Calculations" of Amazon's S3
// documentation, and what the vendor's kit makes in its AWS4 mode.
type vector struct {
	name, method, address string
	header                map[string]string
	by                    judge
	now                   time.Time
}

var (
	may      = time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	november = time.Date(2026, 11, 22, 12, 14, 21, 0, time.UTC)
	theirs   = judge{"us-east-1", amazon, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	kit      = judge{"BEIJING", "ak", "sk"}
)

func auth(names, signature string) string {
	return algorithm + " Credential=" + amazon + "/20130524/us-east-1/s3/aws4_request,SignedHeaders=" + names + ",Signature=" + signature
}

var vectors = []vector{
	{
		"get with a range", http.MethodGet, "https://examplebucket.s3.amazonaws.com/test.txt", map[string]string{
			"Range": "bytes=0-9", "X-Amz-Content-Sha256": empty, "X-Amz-Date": "20130524T000000Z",
			"Authorization": auth("host;range;x-amz-content-sha256;x-amz-date", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
		}, theirs, may,
	},
	{
		"put", http.MethodPut, "https://examplebucket.s3.amazonaws.com/test%24file.text", map[string]string{
			"Date": "Fri, 24 May 2013 00:00:00 GMT", "X-Amz-Storage-Class": "REDUCED_REDUNDANCY", "X-Amz-Date": "20130524T000000Z",
			"X-Amz-Content-Sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
			"Authorization": auth("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
				"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
		}, theirs, may,
	},
	{
		"a parameter without a value", http.MethodGet, "https://examplebucket.s3.amazonaws.com/?lifecycle", map[string]string{
			"X-Amz-Content-Sha256": empty, "X-Amz-Date": "20130524T000000Z",
			"Authorization": auth("host;x-amz-content-sha256;x-amz-date", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
		}, theirs, may,
	},
	{
		"a listing", http.MethodGet, "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J", map[string]string{
			"X-Amz-Content-Sha256": empty, "X-Amz-Date": "20130524T000000Z",
			"Authorization": auth("host;x-amz-content-sha256;x-amz-date", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
		}, theirs, may,
	},
	{
		"an address", http.MethodGet, "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256" +
			"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400" +
			"&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404", nil, theirs, may,
	},
	{
		"the kit, by host", http.MethodPut, "https://bkt.ks3-cn-beijing.ksyuncs.com/k?partNumber=1&uploadId=UP&X-Amz-Algorithm=AWS4-HMAC-SHA256" +
			"&X-Amz-Credential=ak%2F20261122%2FBEIJING%2Fs3%2Faws4_request&X-Amz-Date=20261122T121421Z&X-Amz-Expires=3600" +
			"&X-Amz-SignedHeaders=host&X-Amz-Signature=9fa4c6ec5a156aeed8896daaae5b6a897ec0301f56790c23938ff821dfbdf723", nil, kit, november,
	},
	{
		"the kit, by path", http.MethodPut, "https://ks3-cn-beijing.ksyuncs.com/bkt/k?partNumber=1&uploadId=UP&X-Amz-Algorithm=AWS4-HMAC-SHA256" +
			"&X-Amz-Credential=ak%2F20261122%2FBEIJING%2Fs3%2Faws4_request&X-Amz-Date=20261122T121421Z&X-Amz-Expires=3600" +
			"&X-Amz-SignedHeaders=host&X-Amz-Signature=82de587f98fd48dd5fc350b1fd04b5583d391ca54064538f10f3351b9c2a91aa", nil, kit, november,
	},
}

func (v vector) request() *http.Request {
	r := httptest.NewRequest(v.method, v.address, http.NoBody)
	_, rest, _ := strings.Cut(v.address, "://")
	_, rest, _ = strings.Cut(rest, "/")
	r.RequestURI = "/" + rest
	for name, value := range v.header {
		r.Header.Set(name, value)
	}
	return r
}

func TestPublishedSignaturesHold(t *testing.T) {
	t.Parallel()
	for _, v := range vectors {
		if _, no := v.by.check(v.request(), v.now); no != nil {
			t.Errorf("%s: %+v", v.name, no)
		}
	}
}

func TestWhatIsNotSignedSoIsRefused(t *testing.T) {
	t.Parallel()
	header, address := vectors[0], vectors[5]
	for name, c := range map[string]struct {
		v      vector
		spoil  func(*http.Request, *judge)
		later  time.Duration
		want   string
		status int
	}{
		"another method": {header, func(r *http.Request, _ *judge) { r.Method = http.MethodHead }, 0, "SignatureDoesNotMatch", 403},
		"another path":   {header, func(r *http.Request, _ *judge) { r.RequestURI = "/other" }, 0, "SignatureDoesNotMatch", 403},
		"another range":  {header, func(r *http.Request, _ *judge) { r.Header.Set("Range", "bytes=0-8") }, 0, "SignatureDoesNotMatch", 403},
		"another host":   {address, func(r *http.Request, _ *judge) { r.Host = "other" }, 0, "SignatureDoesNotMatch", 403},
		"another part": {address, func(r *http.Request, _ *judge) {
			r.RequestURI = strings.Replace(r.RequestURI, "partNumber=1", "partNumber=2", 1)
		}, 0, "SignatureDoesNotMatch", 403},
		"another secret":        {header, func(_ *http.Request, j *judge) { j.Secret = "x" }, 0, "SignatureDoesNotMatch", 403},
		"another region":        {address, func(_ *http.Request, j *judge) { j.Region = "SHANGHAI" }, 0, "SignatureDoesNotMatch", 403},
		"an unknown key":        {address, func(_ *http.Request, j *judge) { j.Key = "x" }, 0, "InvalidAccessKeyId", 403},
		"a header not signed":   {header, func(r *http.Request, _ *judge) { r.Header.Set("X-Amz-Acl", "public-read") }, 0, "AccessDenied", 403},
		"a clock that is off":   {header, nil, 16 * time.Minute, "RequestTimeTooSkewed", 403},
		"a clock that is ahead": {address, nil, -16 * time.Minute, "RequestTimeTooSkewed", 403},
		"an address too old":    {address, nil, time.Hour, "AccessDenied", 403},
		"nothing signed":        {header, func(r *http.Request, _ *judge) { r.Header.Del("Authorization") }, 0, "AccessDenied", 403},
		"signed twice":          {address, func(r *http.Request, _ *judge) { r.Header.Set("Authorization", auth("host", "00")) }, 0, "InvalidArgument", 400},
		"without a life": {
			address, func(r *http.Request, _ *judge) {
				r.RequestURI = strings.Replace(r.RequestURI, "Expires=3600", "Expires=0", 1)
			},
			0, "AuthorizationQueryParametersError", 400,
		},
	} {
		r, j := c.v.request(), c.v.by
		if c.spoil != nil {
			c.spoil(r, &j)
		}
		if _, no := j.check(r, c.v.now.Add(c.later)); no == nil || no.Code != c.want || no.Status != c.status {
			t.Errorf("%s: %+v", name, no)
		}
	}
}

func TestABodyOtherThanSignedIsRefused(t *testing.T) {
	t.Parallel()
	e := New(Options{Bucket: "examplebucket", Region: "us-east-1", AccessKey: theirs.Key, SecretKey: theirs.Secret, Clock: func() time.Time { return may }})
	for body, want := range map[string]string{"": "XAmzContentSHA256Mismatch", "Welcome to Amazon S3.": ""} {
		v := vectors[1]
		r := v.request()
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		_, no := theirs.check(r, may)
		if no == nil {
			no = promised(r.Header, []byte(body))
		}
		if (no == nil) != (want == "") || no != nil && no.Code != want {
			t.Errorf("%q: %+v", body, no)
		}
	}
	if all, _ := e.Shelf.List("", "", 10); len(all) > 0 {
		t.Error("something was stored")
	}
}

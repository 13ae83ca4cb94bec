package obs

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

const expires = "1795353261"

// Documents print signatures of secrets that they do not tell; these three were
// made by the vendor's kit v3.25.4 with ak and sk.
var vectors = []struct{ name, method, mime, target, text, signature string }{
	{
		"part", http.MethodPut, "application/octet-stream", "/dir/a%20b%2B%E6%96%87.txt?partNumber=1&uploadId=UPID",
		"PUT\n\napplication/octet-stream\n1795353261\n/bkt/dir/a%20b%2B%E6%96%87.txt?partNumber=1&uploadId=UPID",
		"hCdQ3hP0rRCyq+qfAb+aRF34kQ0=",
	},
	{
		"completion with a callback", http.MethodPost, "application/octet-stream",
		"/k?uploadId=UPID&x-obs-callback=eyJjYWxsYmFja1VybCI6Imh0dHA6Ly94L2NiPz4ifQ%3D%3D",
		"POST\n\napplication/octet-stream\n1795353261\n/bkt/k?uploadId=UPID&x-obs-callback=eyJjYWxsYmFja1VybCI6Imh0dHA6Ly94L2NiPz4ifQ==",
		"RChxY8qj++4NPfdYHBHJ0rQECFA=",
	},
	{
		"download", http.MethodGet, "", "/k?response-content-disposition=attachment;+filename%3D%22a+b%22&x-obs-traffic-limit=819200",
		"GET\n\n\n1795353261\n/bkt/k?response-content-disposition=attachment; filename=\"a b\"&x-obs-traffic-limit=819200",
		"PAMEx6x6BKOEjMerVeeCheurKQk=",
	},
}

func signedRequest(i int) *http.Request {
	v := vectors[i]
	r := httptest.NewRequest(v.method, "http://bkt.obs.cn-north-4.myhuaweicloud.com/", nil)
	r.RequestURI = v.target + "&AccessKeyId=ak&Expires=" + expires + "&Signature=" + url.QueryEscape(v.signature)
	if v.mime != "" {
		r.Header.Set("Content-Type", v.mime)
	}
	return r
}

func emulator() *Emulator {
	return New(Options{Bucket: "bkt", Region: "cn-north-4", AccessKey: "ak", SecretKey: "sk", Clock: func() time.Time { return time.Unix(1795353260, 0) }})
}

func TestTheKitsSignaturesVerify(t *testing.T) {
	t.Parallel()
	for i, v := range vectors {
		_, raw, _ := strings.Cut(v.target, "?")
		params, err := splitQuery(raw)
		if err != nil {
			t.Fatal(err)
		}
		r := signedRequest(i)
		if text := textToSign(r, "bkt", expires, params); text != v.text || sign("sk", text) != v.signature {
			t.Errorf("%s: %s of %q, want %s of %q", v.name, sign("sk", text), text, v.signature, v.text)
		}
		if _, no := emulator().verify(r); no != nil {
			t.Errorf("%s: %+v", v.name, no)
		}
	}
}

// The algorithm is that of AWS's second version, whose samples were published
// with their secret.
func TestThePublishedSamplesOfTheSameAlgorithmVerify(t *testing.T) {
	t.Parallel()
	const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	for _, v := range []struct{ method, date, bucket, target, want string }{
		{http.MethodGet, "Tue, 27 Mar 2007 19:36:42 +0000", "awsexamplebucket1", "/photos/puppy.jpg", "qgk2+6Sv9/oM7G3qLEjTH1a1l1g="},
		{http.MethodGet, "Tue, 27 Mar 2007 19:44:46 +0000", "awsexamplebucket1", "/?acl", "82ZHiFIjc+WbcwFKGUVEQspPn+0="},
		{http.MethodDelete, "Tue, 27 Mar 2007 21:20:26 +0000", "awsexamplebucket1", "/photos/puppy.jpg", "XbyTlbQdu9Xw5o8P4iMwPktxQd8="},
		{http.MethodGet, "Wed, 28 Mar 2007 01:49:49 +0000", "dictionary", "/fran%C3%A7ais/pr%c3%a9f%c3%a8re", "DNEZGsoieTZ92F3bUfSPQcbGmlM="},
	} {
		r := httptest.NewRequest(v.method, "http://x/", nil)
		r.RequestURI = v.target
		_, raw, _ := strings.Cut(v.target, "?")
		params, err := splitQuery(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := sign(secret, textToSign(r, v.bucket, v.date, params)); got != v.want {
			t.Errorf("%s %s: %s, published %s", v.method, v.target, got, v.want)
		}
	}
}

func TestWhatTheServiceRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(*http.Request, *Emulator)
		code  string
	}{
		{"no signature", func(r *http.Request, _ *Emulator) { r.RequestURI, _, _ = strings.Cut(r.RequestURI, "&AccessKeyId") }, "AccessDenied"},
		{"another key", func(_ *http.Request, e *Emulator) { e.o.AccessKey = "other" }, "InvalidAccessKeyId"},
		{"another secret", func(_ *http.Request, e *Emulator) { e.o.SecretKey = "other" }, "SignatureDoesNotMatch"},
		{"another bucket", func(_ *http.Request, e *Emulator) { e.o.Bucket = "other" }, "SignatureDoesNotMatch"},
		{"another method", func(r *http.Request, _ *Emulator) { r.Method = http.MethodPost }, "SignatureDoesNotMatch"},
		{"another part", func(r *http.Request, _ *Emulator) {
			r.RequestURI = strings.Replace(r.RequestURI, "Number=1", "Number=2", 1)
		}, "SignatureDoesNotMatch"},
		{"another type", func(r *http.Request, _ *Emulator) { r.Header.Set("Content-Type", "text/plain") }, "SignatureDoesNotMatch"},
		{"no type", func(r *http.Request, _ *Emulator) { r.Header.Del("Content-Type") }, "SignatureDoesNotMatch"},
		{"a digest that was not signed", func(r *http.Request, _ *Emulator) { r.Header.Set("Content-MD5", "x") }, "SignatureDoesNotMatch"},
		{"a header that was not signed", func(r *http.Request, _ *Emulator) { r.Header.Set("x-obs-acl", "public-read") }, "SignatureDoesNotMatch"},
		{"a parameter that was not signed", func(r *http.Request, _ *Emulator) { r.RequestURI += "&x-obs-callback=e30=" }, "SignatureDoesNotMatch"},
		{"a later end", func(r *http.Request, _ *Emulator) {
			r.RequestURI = strings.Replace(r.RequestURI, expires, "1795359999", 1)
		}, "SignatureDoesNotMatch"},
		{"too late", func(_ *http.Request, e *Emulator) { e.o.Clock = func() time.Time { return time.Unix(1795353261, 0) } }, "AccessDenied"},
		{"a clock that is wrong", func(r *http.Request, _ *Emulator) {
			r.Header.Set("Authorization", "OBS ak:sig")
			r.Header.Set("Date", time.Unix(1795353260, 0).Add(16*time.Minute).UTC().Format(http.TimeFormat))
		}, "RequestTimeTooSkewed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, e := signedRequest(0), emulator()
			c.spoil(r, e)
			if _, no := e.verify(r); no == nil || no.Status != http.StatusForbidden || no.Code != c.code {
				t.Errorf("verify: %+v, want %s", no, c.code)
			}
		})
	}
}

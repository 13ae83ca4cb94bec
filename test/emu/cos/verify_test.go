package cos

import (
	"crypto/sha1"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// vector is a request whose signature somebody else computed.
type vector struct {
	name, ak, sk, method, target, host, keyTime string
	headers                                     map[string]string
	headerList, paramList                       string
	signKey, sha1, signature                    string // signKey and sha1: "" where they were not published
}

const docsSecret = "BQYIM75p8x0iWVFSIgqEKwFprpRSVHlz"

var vectors = []vector{
	{
		name: "documentation, PUT", ak: "AKIDQjz3ltompVjBni5LitkWHFlFpwkn9U5q", sk: docsSecret,
		method: http.MethodPut, target: "/exampleobject(%E8%85%BE%E8%AE%AF%E4%BA%91)", host: "examplebucket-1250000000.cos.ap-beijing.myqcloud.com",
		keyTime: "1557989151;1557996351",
		headers: map[string]string{
			"Date": "Thu, 16 May 2019 06:45:51 GMT", "Content-Type": "text/plain", "Content-Length": "13",
			"Content-MD5": "mQ/fVh815F3k6TAUm8m0eg==", "x-cos-acl": "private", "x-cos-grant-read": `uin="100000000011"`,
		},
		headerList: "content-length;content-md5;content-type;date;host;x-cos-acl;x-cos-grant-read",
		signKey:    "eb2519b498b02ac213cb1f3d1a3d27a3b3c9bc5f",
		sha1:       "8b2751e77f43a0995d6e9eb9477f4b685cca4172",
		signature:  "3b8851a11a569213c17ba8fa7dcf2abec6935172",
	},
	{
		name: "documentation, GET", ak: "AKIDQjz3ltompVjBni5LitkWHFlFpwkn9U5q", sk: docsSecret,
		method:  http.MethodGet,
		target:  "/exampleobject(%E8%85%BE%E8%AE%AF%E4%BA%91)?response-content-type=application%2Foctet-stream&response-cache-control=max-age%3D600",
		host:    "examplebucket-1250000000.cos.ap-beijing.myqcloud.com",
		keyTime: "1557989753;1557996953", headers: map[string]string{"Date": "Thu, 16 May 2019 06:55:53 GMT"},
		headerList: "date;host", paramList: "response-cache-control;response-content-type",
		signKey:   "937914bf490e9e8c189836aad2052e4feeb35eaf",
		sha1:      "54ecfe22f59d3514fdc764b87a32d8133ea611e6",
		signature: "01681b8c9d798a678e43b685a9f1bba0f6c0e012",
	},
	{
		name: "the vendor's kit, its own test", ak: "ak", sk: "AKIDZfbOA78asKUYBcXFrJD0a1ICvR98JM",
		method: http.MethodPut, target: "/testfile2", host: "testbucket-125000000.cos.ap-guangzhou.myqcloud.com",
		keyTime: "1480932292;1481012292",
		headers: map[string]string{
			"x-cos-content-sha1": "db8ac1c259eb89d4a131b253bacfca5f319d54f2", "x-cos-stroage-class": "nearline",
		},
		headerList: "host;x-cos-content-sha1;x-cos-stroage-class",
		signature:  "ce4ac0ecbcdb30538b3fee0a97cc6389694ce53a",
	},
	{
		name: "the vendor's kit, part with host", ak: "ak", sk: "sk",
		method: http.MethodPut, target: "/dir/a%20b%2B%E6%96%87.txt?partNumber=1&uploadId=u%2Fid",
		host: "examplebucket-1250000000.cos.ap-beijing.myqcloud.com", keyTime: "1795349661;1795353261",
		headers:    map[string]string{"Content-Length": "5242880", "Content-Type": "application/octet-stream"},
		headerList: "content-length;content-type;host", paramList: "partnumber;uploadid",
		signature: "a9d4347e78eb3f51bbd931554e2050566090b3a0",
	},
	{
		name: "the vendor's kit, part without host", ak: "ak", sk: "sk",
		method: http.MethodPut, target: "/dir/a%20b%2B%E6%96%87.txt?partNumber=1&uploadId=u%2Fid",
		host: "anything.example", keyTime: "1795349661;1795353261",
		headers:    map[string]string{"Content-Length": "5242880", "Content-Type": "application/octet-stream"},
		headerList: "content-length;content-type", paramList: "partnumber;uploadid",
		signature: "b6a77afc5c989b4e30e6c707cff6a57e170317af",
	},
}

func (v vector) request() *http.Request {
	r := httptest.NewRequest(v.method, "http://"+v.host+v.target, nil)
	r.RequestURI = v.target
	for name, value := range v.headers {
		r.Header.Set(name, value)
		if name == "Content-Length" {
			_, _ = fmt.Sscan(value, &r.ContentLength)
		}
	}
	r.Header.Set("Authorization", v.text())
	return r
}

func (v vector) text() string {
	return "q-sign-algorithm=sha1&q-ak=" + v.ak + "&q-sign-time=" + v.keyTime + "&q-key-time=" + v.keyTime +
		"&q-header-list=" + v.headerList + "&q-url-param-list=" + v.paramList + "&q-signature=" + v.signature
}

func (v vector) emulator() *Emulator {
	var start int64
	_, _ = fmt.Sscan(strings.Split(v.keyTime, ";")[0], &start)
	return &Emulator{o: Options{AccessKey: v.ak, SecretKey: v.sk, Clock: func() time.Time { return time.Unix(start+1, 0) }}}
}

func TestThePublishedSignaturesVerify(t *testing.T) {
	t.Parallel()
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			r := v.request()
			text, params, no := findTicket(r)
			if no != nil {
				t.Fatal(no)
			}
			tk, no := readTicket(text)
			if no != nil {
				t.Fatal(no)
			}
			formatted, no := format(r, tk, params, headerFields(r))
			if no != nil {
				t.Fatal(no)
			}
			if got := fmt.Sprintf("%x", mac([]byte(v.sk), v.keyTime)); v.signKey != "" && got != v.signKey {
				t.Errorf("SignKey %s, published %s", got, v.signKey)
			}
			if got := fmt.Sprintf("%x", sha1.Sum([]byte(formatted))); v.sha1 != "" && got != v.sha1 {
				t.Errorf("SHA-1 %s, published %s", got, v.sha1)
			}
			if got := tk.sign(v.sk, formatted); got != v.signature {
				t.Errorf("signature %s, published %s", got, v.signature)
			}
			no = v.emulator().verify(r)
			if signed := strings.Contains(v.headerList, "host"); signed != (no == nil) {
				t.Errorf("verify: %+v", no)
			}
		})
	}
}

func TestTheSameTicketIsReadInTheQuery(t *testing.T) {
	t.Parallel()
	v := vectors[3]
	for how, suffix := range map[string]string{
		"spread": strings.ReplaceAll(v.text(), ";", "%3B"),
		"sign":   "sign=" + percent(v.text()),
	} {
		r := v.request()
		r.Header.Del("Authorization")
		r.RequestURI += "&" + suffix
		if no := v.emulator().verify(r); no != nil {
			t.Errorf("%s: %+v", how, no)
		}
	}
}

func TestWhatTheServiceRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		spoil  func(*http.Request, *Emulator)
		status int
		code   string
	}{
		{"no signature", func(r *http.Request, _ *Emulator) { r.Header.Del("Authorization") }, 403, "AccessDenied"},
		{"another key", func(_ *http.Request, e *Emulator) { e.o.AccessKey = "other" }, 403, "InvalidAccessKeyId"},
		{"another secret", func(_ *http.Request, e *Emulator) { e.o.SecretKey = "other" }, 403, "SignatureDoesNotMatch"},
		{"another method", func(r *http.Request, _ *Emulator) { r.Method = http.MethodPost }, 403, "SignatureDoesNotMatch"},
		{"another part", func(r *http.Request, _ *Emulator) {
			r.RequestURI = strings.Replace(r.RequestURI, "partNumber=1", "partNumber=2", 1)
		}, 403, "SignatureDoesNotMatch"},
		{"another upload", func(r *http.Request, _ *Emulator) { r.RequestURI = strings.Replace(r.RequestURI, "u%2Fid", "v", 1) }, 403, "SignatureDoesNotMatch"},
		{"another object", func(r *http.Request, _ *Emulator) { r.RequestURI = strings.Replace(r.RequestURI, "dir", "dirt", 1) }, 403, "SignatureDoesNotMatch"},
		{"another length", func(r *http.Request, _ *Emulator) { r.ContentLength-- }, 403, "SignatureDoesNotMatch"},
		{"another type", func(r *http.Request, _ *Emulator) { r.Header.Set("Content-Type", "text/plain") }, 403, "SignatureDoesNotMatch"},
		{"no type", func(r *http.Request, _ *Emulator) { r.Header.Del("Content-Type") }, 403, "SignatureDoesNotMatch"},
		{"another host", func(r *http.Request, _ *Emulator) { r.Host = "elsewhere.example" }, 403, "SignatureDoesNotMatch"},
		{"a header that is not signed", func(r *http.Request, _ *Emulator) { r.Header.Set("x-cos-acl", "public-read") }, 403, "AccessDenied"},
		{"a parameter that is not signed", func(r *http.Request, _ *Emulator) { r.RequestURI += "&acl" }, 403, "AccessDenied"},
		{"too late", func(_ *http.Request, e *Emulator) { e.o.Clock = func() time.Time { return time.Unix(1795353261, 0) } }, 403, "AccessDenied"},
		{"too early", func(_ *http.Request, e *Emulator) { e.o.Clock = func() time.Time { return time.Unix(1795349660, 0) } }, 403, "RequestTimeTooSkewed"},
		{"a list out of order", func(r *http.Request, _ *Emulator) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "content-length;content-type;host", "host;content-length;content-type", 1))
		}, 403, "AccessDenied"},
		{"a window of its own for the key", func(r *http.Request, _ *Emulator) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "q-sign-time=1795349661", "q-sign-time=1795349662", 1))
		}, 403, "AccessDenied"},
		{"half a ticket", func(r *http.Request, _ *Emulator) { r.Header.Set("Authorization", "q-sign-algorithm=sha1&q-ak=ak") }, 400, "InvalidArgument"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, e := vectors[3].request(), vectors[3].emulator()
			c.spoil(r, e)
			if no := e.verify(r); no == nil || no.Status != c.status || no.Code != c.code {
				t.Errorf("verify: %+v, want %d %s", no, c.status, c.code)
			}
		})
	}
}

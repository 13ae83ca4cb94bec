package cosblob_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc64"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// What existing clients do, from nothing to many parts.
func TestAClientUploadsByItself(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"nothing": 0, "one byte": 1, "one part": mib, "a part and a byte": mib + 1, "many parts": 12*mib + 345} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			data := content(size)
			a := ask(int64(size))
			h, s := r.grant(a)
			etags := r.send(a, s, data)
			seen, err := r.direct().Confirm(t.Context(), h)
			r.must(err)
			if seen.Stored || len(seen.Parts) != a.Parts() {
				t.Errorf("before completion: stored %v, %d parts of %d", seen.Stored, len(seen.Parts), a.Parts())
			}
			for i, p := range seen.Parts {
				if p.Number != i || p.Size != a.Part(i) || p.ETag != etags[i] || len(p.Sum) != 1 {
					t.Errorf("part %d: %+v", i, p)
				}
			}
			if status, answer := r.complete(s, etags); status != http.StatusOK {
				t.Fatalf("complete: %d %s", status, answer)
			}
			r.holds(data)
			seen, err = r.direct().Confirm(t.Context(), h)
			r.must(err)
			crc := binary.BigEndian.AppendUint64(nil, crc64.Checksum(data, crc64.MakeTable(crc64.ECMA)))
			want := []blob.Digest{{Algorithm: "crc64xz", Value: crc}}
			if diff := cmp.Diff(want, seen.Sum); !seen.Stored || seen.Info.Size != int64(size) || diff != "" {
				t.Errorf("after completion: %+v\n%s", seen, diff)
			}
			// A second completion changes nothing, and we are told the same again.
			if status, _ := r.complete(s, etags); status == http.StatusOK {
				t.Errorf("a second completion: %d", status)
			}
			info, err := r.direct().Finish(t.Context(), h, nil)
			r.must(err)
			if diff := cmp.Diff(seen.Info, info); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheStoreRefusesWhatWasNotSigned(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := content(2*mib + 10)
	a := ask(int64(len(data)))
	_, s := r.grant(a)
	swap := func(old, fresh string) string { return strings.Replace(s.Parts[0], old, fresh, 1) }
	for name, c := range map[string]struct {
		url    string
		header http.Header
		body   []byte
		code   string
	}{
		"a longer part":            {s.Parts[0], s.Header, data[:mib+1], "SignatureDoesNotMatch"},
		"a shorter part":           {s.Parts[0], s.Header, data[:mib-1], "SignatureDoesNotMatch"},
		"the last for the first":   {s.Parts[2], s.Header, data[:mib], "SignatureDoesNotMatch"},
		"another number":           {swap("partNumber=1", "partNumber=2"), s.Header, data[:mib], "SignatureDoesNotMatch"},
		"another object":           {swap("a0b1", "a0b2"), s.Header, data[:mib], "SignatureDoesNotMatch"},
		"a later end":              {strings.ReplaceAll(s.Parts[0], "%3B1795352400", "%3B1795359999"), s.Header, data[:mib], "SignatureDoesNotMatch"},
		"no type":                  {s.Parts[0], nil, data[:mib], "SignatureDoesNotMatch"},
		"another type":             {s.Parts[0], http.Header{"Content-Type": {"text/html"}}, data[:mib], "SignatureDoesNotMatch"},
		"public for everybody":     {s.Parts[0], http.Header{"Content-Type": s.Header["Content-Type"], "X-Cos-Acl": {"public-read"}}, data[:mib], "AccessDenied"},
		"completion that replaces": {s.Complete, nil, []byte("<CompleteMultipartUpload/>"), "SignatureDoesNotMatch"},
	} {
		method := http.MethodPut
		if c.url == s.Complete {
			method = http.MethodPost
		}
		if resp, answer := r.do(method, c.url, c.header, c.body); resp.StatusCode != http.StatusForbidden || !strings.Contains(answer, c.code) {
			t.Errorf("%s: %s %s", name, resp.Status, answer)
		}
	}
	r.there.Store(3601)
	if resp, answer := r.do(http.MethodPut, s.Parts[0], s.Header, data[:mib]); resp.StatusCode != http.StatusForbidden || !strings.Contains(answer, "expired") {
		t.Errorf("an expired address: %s %s", resp.Status, answer)
	}
	r.absent()
}

func TestNothingIsReplaced(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := content(mib)
	a := ask(mib)
	h, s := r.grant(a)
	etags := r.send(a, s, data)
	_, err := r.d.Put(t.Context(), key, blobtest.Bytes([]byte("first")), blob.PutOptions{})
	r.must(err)
	if status, answer := r.complete(s, etags); status != http.StatusConflict {
		t.Errorf("complete over an object: %d %s", status, answer)
	}
	_, err = r.direct().Finish(t.Context(), h, []blob.StoredPart{{Size: mib, ETag: etags[0]}})
	r.kind("Finish over an object", err, errs.Exists)
	_, err = r.direct().Grant(t.Context(), a)
	r.kind("Grant over an object", err, errs.Exists)
	r.holds([]byte("first"))
}

func TestPlansTheStoreWouldRefuseAreRefusedFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, a := range map[string]blob.Ask{
		"too many parts":  {Key: key, Size: 10_001 * mib, PartSize: mib},
		"too small parts": {Key: key, Size: 2 * mib, PartSize: mib - 1},
		"too large parts": {Key: key, Size: 12 << 30, PartSize: 6 << 30},
		"one of 6 GiB":    {Key: key, Size: 6 << 30},
	} {
		_, err := r.direct().Grant(t.Context(), a)
		r.kind(name, err, errs.Invalid)
	}
	_, err := r.direct().Sign(t.Context(), blob.Handle{Key: key}, ask(mib), 0, 2)
	r.kind("Sign of parts that are none", err, errs.Invalid)
	if n := len(r.emu.Front.Log()); n > 0 {
		t.Errorf("%d requests", n)
	}
}

func TestAPageOfAnotherOriginMaySend(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := ask(10)
	_, s := r.grant(a)
	resp, _ := r.do(http.MethodOptions, s.Parts[0], http.Header{
		"Origin": {"https://drive.example"}, "Access-Control-Request-Method": {"PUT"}, "Access-Control-Request-Headers": {"content-type"},
	}, nil)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Access-Control-Allow-Headers") != "content-type" {
		t.Errorf("preflight: %s %v", resp.Status, resp.Header)
	}
	header := s.Header.Clone()
	header.Set("Origin", "https://drive.example")
	resp, _ = r.do(http.MethodPut, s.Parts[0], header, content(10))
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Access-Control-Expose-Headers") != "ETag" {
		t.Errorf("PUT: %s %v", resp.Status, resp.Header)
	}
	if !bytes.Contains([]byte(s.Complete), []byte("x-cos-forbid-overwrite")) {
		t.Errorf("the completion may replace: %s", s.Complete)
	}
}

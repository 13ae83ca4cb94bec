package ks3

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/counter"
)

// How the vendor has it: docs.ksyun.com/documents/6890, and Amazon's "Authenticating
// Requests (AWS Signature Version 4)".
const (
	algorithm = "AWS4-HMAC-SHA256"
	unsigned  = "UNSIGNED-PAYLOAD"
	dateForm  = "20060102T150405Z"
	skew      = 15 * time.Minute
	longest   = 7 * 24 * time.Hour
)

func denied(code, format string, args ...any) *counter.Refusal {
	return counter.Refuse(http.StatusForbidden, code, format, args...)
}

// judge knows the one key there is.
type judge struct{ Region, Key, Secret string }

// claim is what a request says of its signature.
type claim struct {
	credential, date, names, payload, signature string
	life                                        time.Duration // of an address; 0 in a header
}

// check returns the parameters of a request that is signed rightly.
func (j judge) check(r *http.Request, now time.Time) ([]counter.Field, *counter.Refusal) {
	_, raw, _ := strings.Cut(r.RequestURI, "?")
	fields, err := split(raw)
	if err != nil {
		return nil, counter.Refuse(http.StatusBadRequest, "InvalidURI", "%v", err)
	}
	c, no := readClaim(r.Header, fields)
	if no != nil {
		return nil, no
	}
	at, err := time.Parse(dateForm, c.date)
	switch {
	case err != nil:
		return nil, denied("AccessDenied", "the date %q", c.date)
	case c.life == 0 && now.Sub(at).Abs() > skew, c.life > 0 && at.Sub(now) > skew:
		return nil, denied("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	case c.life > longest || c.life < 0:
		return nil, counter.Refuse(http.StatusBadRequest, "AuthorizationQueryParametersError", "X-Amz-Expires must be less than a week")
	case c.life > 0 && !now.Before(at.Add(c.life)):
		return nil, denied("AccessDenied", "Request has expired")
	}
	id, scope, _ := strings.Cut(c.credential, "/")
	if id != j.Key {
		return nil, denied("InvalidAccessKeyId", "The access key ID you provided does not exist in our records.")
	}
	if want := c.date[:8] + "/" + j.Region + "/s3/aws4_request"; scope != want {
		return nil, denied("SignatureDoesNotMatch", "the scope is %q, must be %q", scope, want)
	}
	text, no := canonical(r, fields, c)
	if no != nil {
		return nil, no
	}
	if !hmac.Equal([]byte(j.sign(c.date, scope, text)), []byte(c.signature)) {
		return nil, denied("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
	}
	return fields, nil
}

func (j judge) sign(date, scope, text string) string {
	digest := sha256.Sum256([]byte(text))
	key := []byte("AWS4" + j.Secret)
	for word := range strings.SplitSeq(scope, "/") {
		key = mac(key, word)
	}
	return hex.EncodeToString(mac(key, strings.Join([]string{algorithm, date, scope, hex.EncodeToString(digest[:])}, "\n")))
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// split takes the raw query apart. A plus is a plus.
func split(raw string) (out []counter.Field, err error) {
	for piece := range strings.SplitSeq(raw, "&") {
		if piece == "" {
			continue
		}
		name, value, _ := strings.Cut(piece, "=")
		n, err1 := url.PathUnescape(name)
		v, err2 := url.PathUnescape(value)
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("query %q", piece)
		}
		out = append(out, counter.Field{Name: n, Value: v})
	}
	return out, nil
}

func find(fields []counter.Field, name string) (string, bool) {
	i := slices.IndexFunc(fields, func(f counter.Field) bool { return f.Name == name })
	if i < 0 {
		return "", false
	}
	return fields[i].Value, true
}

func readClaim(h http.Header, fields []counter.Field) (c claim, no *counter.Refusal) {
	signature, addressed := find(fields, "X-Amz-Signature")
	auth := h.Get("Authorization")
	switch {
	case addressed && auth != "":
		return c, counter.Refuse(http.StatusBadRequest, "InvalidArgument", "signed in the header and in the address")
	case addressed:
		c = claim{payload: unsigned, signature: signature}
		c.credential, _ = find(fields, "X-Amz-Credential")
		c.date, _ = find(fields, "X-Amz-Date")
		c.names, _ = find(fields, "X-Amz-SignedHeaders")
		life, _ := find(fields, "X-Amz-Expires")
		seconds, err := strconv.Atoi(life)
		if is, _ := find(fields, "X-Amz-Algorithm"); err != nil || seconds < 1 || is != algorithm {
			return c, counter.Refuse(http.StatusBadRequest, "AuthorizationQueryParametersError", "algorithm %q, expires %q", is, life)
		}
		c.life = time.Duration(seconds) * time.Second
		return c, nil
	}
	rest, ok := strings.CutPrefix(auth, algorithm+" ")
	if !ok {
		return c, denied("AccessDenied", "the request is not signed by %s", algorithm)
	}
	c = claim{date: h.Get("X-Amz-Date"), payload: h.Get("X-Amz-Content-Sha256")}
	for piece := range strings.SplitSeq(rest, ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(piece), "="); name {
		case "Credential":
			c.credential = value
		case "SignedHeaders":
			c.names = value
		case "Signature":
			c.signature = value
		}
	}
	if c.payload == "" || len(c.date) < 8 {
		return c, counter.Refuse(http.StatusBadRequest, "MissingSecurityHeader", "x-amz-date or x-amz-content-sha256")
	}
	return c, nil
}

// canonical is the text that is signed. The host, and every header of the vendor's own in
// a request that is signed in the header, must be part of it.
func canonical(r *http.Request, fields []counter.Field, c claim) (string, *counter.Refusal) {
	names := strings.Split(c.names, ";")
	if !slices.Contains(names, "host") || !slices.IsSorted(names) {
		return "", denied("SignatureDoesNotMatch", "signed headers %q: host, in order", c.names)
	}
	for name := range r.Header {
		lower := strings.ToLower(name)
		if c.life == 0 && strings.HasPrefix(lower, "x-amz-") && !slices.Contains(names, lower) {
			return "", denied("AccessDenied", "There were headers present in the request which were not signed: %s", lower)
		}
	}
	var b strings.Builder
	path, _, _ := strings.Cut(r.RequestURI, "?")
	b.WriteString(r.Method + "\n" + path + "\n")
	var query []string
	for _, f := range fields {
		if f.Name != "X-Amz-Signature" {
			query = append(query, escape(f.Name)+"="+escape(f.Value))
		}
	}
	slices.Sort(query)
	b.WriteString(strings.Join(query, "&") + "\n")
	for _, name := range names {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = strconv.FormatInt(r.ContentLength, 10)
		}
		b.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	b.WriteString("\n" + c.names + "\n" + c.payload)
	return b.String(), nil
}

// promised compares a body with the digest that was signed for it.
func promised(h http.Header, body []byte) *counter.Refusal {
	want := h.Get("X-Amz-Content-Sha256")
	sum := sha256.Sum256(body)
	if h.Get("Authorization") != "" && want != unsigned && want != hex.EncodeToString(sum[:]) {
		return counter.Refuse(http.StatusBadRequest, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return nil
}

// escape is RFC 3986's, of all but the unreserved.
func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

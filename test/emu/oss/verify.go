package oss

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/counter"
)

const (
	algorithm = "OSS4-HMAC-SHA256"
	unsigned  = "UNSIGNED-PAYLOAD"
	stamp     = "20060102T150405Z"
	skew      = 15 * time.Minute
	longest   = 604800 // seconds that an address may hold
)

// Judge knows one account and one bucket.
type Judge struct {
	Bucket, Region string
	Product        string // "" is oss
	Key, Secret    string
	Token          string // that requests must carry; "" for an account without one
}

func denied(code, message string) *counter.Refusal {
	return &counter.Refusal{Status: http.StatusForbidden, Code: code, Message: message}
}

func invalid(message string) *counter.Refusal {
	return &counter.Refusal{Status: http.StatusBadRequest, Code: "InvalidArgument", Message: message}
}

// claim is what a request says of its own signature.
type claim struct {
	credential, date, payload, token, signature string
	additional                                  []string
	expires                                     time.Duration // 0 in the header form
}

// Check returns nil if r, addressed to the bucket's own host, is signed rightly
// and in time.
func (j Judge) Check(r *http.Request, now time.Time) *counter.Refusal {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return invalid("the query cannot be read")
	}
	c, refused := read(r.Header, query)
	if refused != nil {
		return refused
	}
	signed, err := time.Parse(stamp, c.date)
	if err != nil {
		return invalid("x-oss-date is no date")
	}
	if now.Before(signed.Add(-skew)) || c.expires == 0 && now.After(signed.Add(skew)) {
		return denied("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	}
	if c.expires > 0 && !now.Before(signed.Add(c.expires)) {
		return denied("AccessDenied", "Request has expired.")
	}
	product := j.Product
	if product == "" {
		product = "oss"
	}
	key, scope, _ := strings.Cut(c.credential, "/")
	if key != j.Key {
		return denied("InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist in our records.")
	}
	if want := c.date[:8] + "/" + j.Region + "/" + product + "/aliyun_v4_request"; scope != want {
		return invalid("the scope must be " + want)
	}
	if c.token != j.Token {
		return denied("AccessDenied", "The security token does not belong to this key.")
	}
	digest := sha256.Sum256([]byte(j.canonical(r, query, c)))
	secret := mac([]byte("aliyun_v4"+j.Secret), c.date[:8])
	for _, word := range []string{j.Region, product, "aliyun_v4_request"} {
		secret = mac(secret, word)
	}
	text := strings.Join([]string{algorithm, c.date, scope, hex.EncodeToString(digest[:])}, "\n")
	if !hmac.Equal([]byte(hex.EncodeToString(mac(secret, text))), []byte(c.signature)) {
		return denied("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
	}
	return nil
}

func read(h http.Header, q url.Values) (claim, *counter.Refusal) {
	auth, inHeader := h.Get("Authorization"), h.Get("Authorization") != ""
	inQuery := q.Has("x-oss-signature")
	switch {
	case inHeader && inQuery:
		return claim{}, invalid("signed in the header and in the address")
	case inHeader:
		return readHeader(auth, h)
	case inQuery:
		return readQuery(q)
	}
	return claim{}, denied("AccessDenied", "The request is not signed.")
}

func readHeader(auth string, h http.Header) (claim, *counter.Refusal) {
	fields, ok := strings.CutPrefix(auth, algorithm+" ")
	if !ok {
		return claim{}, invalid("Authorization is not of " + algorithm)
	}
	c := claim{date: h.Get("X-Oss-Date"), payload: h.Get("X-Oss-Content-Sha256"), token: h.Get("X-Oss-Security-Token")}
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Credential":
			c.credential = value
		case "AdditionalHeaders":
			c.additional = strings.Split(value, ";")
		case "Signature":
			c.signature = value
		}
	}
	if c.payload == "" {
		return claim{}, invalid("x-oss-content-sha256 is missing")
	}
	return c, nil
}

func readQuery(q url.Values) (claim, *counter.Refusal) {
	if q.Get("x-oss-signature-version") != algorithm {
		return claim{}, invalid("x-oss-signature-version is not " + algorithm)
	}
	seconds, err := strconv.Atoi(q.Get("x-oss-expires"))
	if err != nil || seconds < 1 || seconds > longest {
		return claim{}, invalid("x-oss-expires must be 1 to 604800 seconds")
	}
	c := claim{
		credential: q.Get("x-oss-credential"), date: q.Get("x-oss-date"), payload: unsigned,
		token: q.Get("x-oss-security-token"), signature: q.Get("x-oss-signature"),
		expires: time.Duration(seconds) * time.Second,
	}
	if names := q.Get("x-oss-additional-headers"); names != "" {
		c.additional = strings.Split(names, ";")
	}
	return c, nil
}

func (j Judge) canonical(r *http.Request, query url.Values, c claim) string {
	var pairs []string
	for name, values := range query {
		if name == "x-oss-signature" {
			continue
		}
		for _, value := range values {
			pair := escape(name, false)
			if value != "" {
				pair += "=" + escape(value, false)
			}
			pairs = append(pairs, pair)
		}
	}
	slices.SortFunc(pairs, func(a, b string) int {
		a, _, _ = strings.Cut(a, "=")
		b, _, _ = strings.Cut(b, "=")
		return strings.Compare(a, b)
	})
	var headers []string
	for name, values := range r.Header {
		name = strings.ToLower(name)
		if always(name) || slices.Contains(c.additional, name) {
			headers = append(headers, name+":"+strings.TrimSpace(strings.Join(values, ","))+"\n")
		}
	}
	// net/http keeps these two outside of the header.
	if slices.Contains(c.additional, "host") {
		headers = append(headers, "host:"+r.Host+"\n")
	}
	if slices.Contains(c.additional, "content-length") && r.Header.Get("Content-Length") == "" {
		headers = append(headers, "content-length:"+strconv.FormatInt(r.ContentLength, 10)+"\n")
	}
	slices.SortFunc(headers, func(a, b string) int {
		a, _, _ = strings.Cut(a, ":")
		b, _, _ = strings.Cut(b, ":")
		return strings.Compare(a, b)
	})
	return strings.Join([]string{
		r.Method, escape("/"+j.Bucket+r.URL.Path, true), strings.Join(pairs, "&"),
		strings.Join(headers, ""), strings.Join(c.additional, ";"), c.payload,
	}, "\n")
}

func always(name string) bool {
	return name == "content-type" || name == "content-md5" || strings.HasPrefix(name, "x-oss-")
}

// escape is RFC 3986 section 2.3: all but the unreserved is written as %XX.
func escape(s string, slash bool) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			strings.IndexByte("-._~", c) >= 0, slash && c == '/':
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

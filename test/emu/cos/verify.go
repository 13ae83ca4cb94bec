package cos

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the vendor's signature is made of it
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/counter"
)

// ticket is the text of an authorization, taken apart.
type ticket struct {
	ak, keyTime, signature string
	start, end             time.Time
	headers, params        []string
}

// splitQuery takes the raw query apart. Names without a value have an empty one.
func splitQuery(raw string) ([]counter.Field, error) {
	var out []counter.Field
	for _, piece := range strings.Split(raw, "&") {
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

// findTicket returns the text of the authorization, wherever it is, and the
// query parameters that are not part of it.
func findTicket(r *http.Request) (text string, rest []counter.Field, no *counter.Refusal) {
	_, raw, _ := strings.Cut(r.RequestURI, "?")
	all, err := splitQuery(raw)
	if err != nil {
		return "", nil, counter.Refuse(http.StatusBadRequest, "InvalidURI", "%v", err)
	}
	var inQuery []string
	for _, f := range all {
		switch {
		case f.Name == "sign":
			text = f.Value
		case strings.HasPrefix(f.Name, "q-"):
			inQuery = append(inQuery, f.Name+"="+f.Value)
		default:
			rest = append(rest, f)
		}
	}
	if len(inQuery) > 0 {
		text = strings.Join(inQuery, "&")
	}
	if h := r.Header.Get("Authorization"); h != "" {
		text = h
	}
	if text == "" {
		return "", nil, counter.Refuse(http.StatusForbidden, "AccessDenied", "no signature")
	}
	return text, rest, nil
}

func readTicket(text string) (ticket, *counter.Refusal) {
	var t ticket
	seen := map[string]string{}
	for _, piece := range strings.Split(text, "&") {
		name, value, ok := strings.Cut(piece, "=")
		if _, twice := seen[name]; !ok || twice {
			return t, counter.Refuse(http.StatusBadRequest, "InvalidArgument", "authorization: %q", piece)
		}
		seen[name] = value
	}
	for _, name := range []string{"q-sign-algorithm", "q-ak", "q-sign-time", "q-key-time", "q-header-list", "q-url-param-list", "q-signature"} {
		if _, ok := seen[name]; !ok {
			return t, counter.Refuse(http.StatusBadRequest, "InvalidArgument", "authorization: no %s", name)
		}
	}
	if seen["q-sign-algorithm"] != "sha1" || seen["q-sign-time"] != seen["q-key-time"] {
		return t, counter.Refuse(http.StatusForbidden, "AccessDenied", "algorithm or times")
	}
	from, to, _ := strings.Cut(seen["q-key-time"], ";")
	start, err1 := strconv.ParseInt(from, 10, 64)
	end, err2 := strconv.ParseInt(to, 10, 64)
	if err1 != nil || err2 != nil || start >= end {
		return t, counter.Refuse(http.StatusForbidden, "AccessDenied", "key time %q", seen["q-key-time"])
	}
	t = ticket{
		ak: seen["q-ak"], keyTime: seen["q-key-time"], signature: seen["q-signature"],
		start: time.Unix(start, 0), end: time.Unix(end, 0),
		headers: names(seen["q-header-list"]), params: names(seen["q-url-param-list"]),
	}
	for _, list := range [][]string{t.headers, t.params} {
		for i, n := range list {
			if n != strings.ToLower(n) || (i > 0 && list[i-1] > n) {
				return t, counter.Refuse(http.StatusForbidden, "AccessDenied", "the list %q is not sorted or not in lower case", list)
			}
		}
	}
	return t, nil
}

func names(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ";")
}

// verify holds a request to the rules of
// https://cloud.tencent.com/document/product/436/7778, in the order of the
// service: form, key, time, signature, and then what a careful bucket owner
// would want to be signed.
func (e *Emulator) verify(r *http.Request) *counter.Refusal {
	text, params, no := findTicket(r)
	if no != nil {
		return no
	}
	t, no := readTicket(text)
	if no != nil {
		return no
	}
	if t.ak != e.o.AccessKey {
		return counter.Refuse(http.StatusForbidden, "InvalidAccessKeyId", "no such key")
	}
	switch now := e.o.Clock(); {
	case now.Before(t.start):
		return counter.Refuse(http.StatusForbidden, "RequestTimeTooSkewed", "the signature begins in %v", t.start.Sub(now))
	case !now.Before(t.end):
		return counter.Refuse(http.StatusForbidden, "AccessDenied", "Request has expired")
	}
	headers := headerFields(r)
	formatted, no := format(r, t, params, headers)
	if no != nil {
		return no
	}
	if want := t.sign(e.o.SecretKey, formatted); !hmac.Equal([]byte(want), []byte(t.signature)) {
		return counter.Refuse(http.StatusForbidden, "SignatureDoesNotMatch", "of %q", formatted)
	}
	return strict(t, params, headers)
}

// strict wants in the signature whatever would let somebody else change the
// meaning of the request.
func strict(t ticket, params, headers []counter.Field) *counter.Refusal {
	listed := func(list []string, name string) bool {
		i := sort.SearchStrings(list, name)
		return i < len(list) && list[i] == name
	}
	if !listed(t.headers, "host") {
		return counter.Refuse(http.StatusForbidden, "AccessDenied", "host is not signed")
	}
	for _, h := range headers {
		if name := percent(strings.ToLower(h.Name)); strings.HasPrefix(name, "x-cos-") && !listed(t.headers, name) {
			return counter.Refuse(http.StatusForbidden, "AccessDenied", "header %s is not signed", name)
		}
	}
	for _, p := range params {
		if name := strings.ToLower(percent(p.Name)); !listed(t.params, name) {
			return counter.Refuse(http.StatusForbidden, "AccessDenied", "parameter %s is not signed", name)
		}
	}
	return nil
}

func headerFields(r *http.Request) []counter.Field {
	out := []counter.Field{{Name: "host", Value: r.Host}}
	if r.ContentLength > 0 || r.Header.Get("Content-Length") != "" {
		out = append(out, counter.Field{Name: "content-length", Value: strconv.FormatInt(r.ContentLength, 10)})
	}
	for name, values := range r.Header {
		if name == "Content-Length" || name == "Host" {
			continue
		}
		for _, v := range values {
			out = append(out, counter.Field{Name: name, Value: v})
		}
	}
	return out
}

// format returns HttpString, of what the ticket lists and nothing else.
func format(r *http.Request, t ticket, params, headers []counter.Field) (string, *counter.Refusal) {
	rawPath, _, _ := strings.Cut(r.RequestURI, "?")
	path, err := url.PathUnescape(rawPath)
	if err != nil {
		return "", counter.Refuse(http.StatusBadRequest, "InvalidURI", "path %q", rawPath)
	}
	p, no := pick("parameter", t.params, params)
	if no != nil {
		return "", no
	}
	h, no := pick("header", t.headers, headers)
	if no != nil {
		return "", no
	}
	return strings.ToLower(r.Method) + "\n" + path + "\n" + p + "\n" + h + "\n", nil
}

func pick(what string, list []string, have []counter.Field) (string, *counter.Refusal) {
	byName := map[string][]string{}
	for _, f := range have {
		n := strings.ToLower(percent(f.Name))
		byName[n] = append(byName[n], percent(f.Value))
	}
	var lines []string
	for i, n := range list {
		if len(byName[n]) == 0 {
			return "", counter.Refuse(http.StatusForbidden, "SignatureDoesNotMatch", "%s %s is signed and was not sent", what, n)
		}
		if i > 0 && list[i-1] == n {
			continue
		}
		sort.Strings(byName[n])
		for _, v := range byName[n] {
			lines = append(lines, n+"="+v)
		}
	}
	return strings.Join(lines, "&"), nil
}

func (t ticket) sign(secret, formatted string) string {
	signKey := fmt.Sprintf("%x", mac([]byte(secret), t.keyTime))
	digest := sha1.Sum([]byte(formatted)) //nolint:gosec // the vendor's signature is made of it
	return fmt.Sprintf("%x", mac([]byte(signKey), fmt.Sprintf("sha1\n%s\n%x\n", t.keyTime, digest)))
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha1.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// percent is encodeURIComponent, and !'()* as well.
func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

package obs

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the vendor's signature is made of it
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/counter"
)

// splitQuery takes the raw query apart. The vendor's kit writes a plus for a
// space.
func splitQuery(raw string) ([]counter.Field, error) {
	var out []counter.Field
	for _, piece := range strings.Split(raw, "&") {
		if piece == "" {
			continue
		}
		name, value, _ := strings.Cut(piece, "=")
		n, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("query %q", piece)
		}
		out = append(out, counter.Field{Name: n, Value: v})
	}
	return out, nil
}

// signedNames are the parameters that are part of the resource, in lower case.
// So are all that begin with x-obs-.
var signedNames = func() map[string]bool {
	out := map[string]bool{}
	for name := range strings.FieldsSeq(`acl append attname backtosource cors customdomain delete deletebucket
		encryption inventory length lifecycle location logging metadata mirrorbacktosource modify name notification
		object-lock partnumber policy policystatus position publicaccessblock quota rename replication requestpayment
		response-cache-control response-content-disposition response-content-encoding response-content-language
		response-content-type response-expires restore retention storageclass storageinfo storagepolicy tagging torrent
		truncate uploadid uploads versionid versioning versions website x-image-process x-image-save-bucket
		x-image-save-object x-oss-process`) {
		out[name] = true
	}
	return out
}()

// textToSign is what both sides sign. date is the header's, or Expires.
func textToSign(r *http.Request, bucket, date string, params []counter.Field) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%s\n%s\n", r.Method, r.Header.Get("Content-MD5"), r.Header.Get("Content-Type"), date)
	var own []string
	for name, values := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-obs-") {
			own = append(own, name+":"+strings.Join(values, ",")+"\n")
		}
	}
	sort.Strings(own)
	b.WriteString(strings.Join(own, ""))
	rawPath, _, _ := strings.Cut(r.RequestURI, "?")
	b.WriteString("/" + bucket + rawPath)
	var sub []string
	for _, p := range params {
		lower := strings.ToLower(p.Name)
		switch {
		case !signedNames[lower] && !strings.HasPrefix(lower, "x-obs-"):
		case p.Value == "":
			sub = append(sub, p.Name)
		default:
			sub = append(sub, p.Name+"="+p.Value)
		}
	}
	sort.Strings(sub)
	if len(sub) > 0 {
		b.WriteString("?" + strings.Join(sub, "&"))
	}
	return b.String()
}

func sign(secret, text string) string {
	m := hmac.New(sha1.New, []byte(secret))
	m.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// proof is who says that they sign, and of what time.
type proof struct {
	ak, signature, date string
	no                  *counter.Refusal // of the time, told after the key was found known
}

// verify holds a request to the rules of support.huaweicloud.com, obs_04_0010
// and obs_04_0011, and returns the parameters that are not of the signature.
func (e *Emulator) verify(r *http.Request) (rest []counter.Field, no *counter.Refusal) {
	_, raw, _ := strings.Cut(r.RequestURI, "?")
	all, err := splitQuery(raw)
	if err != nil {
		return nil, counter.Refuse(http.StatusBadRequest, "InvalidURI", "%v", err)
	}
	own := map[string]string{}
	for _, f := range all {
		switch f.Name {
		case "AccessKeyId", "Expires", "Signature":
			own[f.Name] = f.Value
		default:
			rest = append(rest, f)
		}
	}
	p, no := e.proof(r, own)
	switch {
	case no != nil:
		return nil, no
	case p.ak != e.o.AccessKey:
		return nil, counter.Refuse(http.StatusForbidden, "InvalidAccessKeyId", "no such key")
	case p.no != nil:
		return nil, p.no
	}
	text := textToSign(r, e.o.Bucket, p.date, rest)
	if !hmac.Equal([]byte(sign(e.o.SecretKey, text)), []byte(p.signature)) {
		return nil, counter.Refuse(http.StatusForbidden, "SignatureDoesNotMatch", "of %q", text)
	}
	return rest, nil
}

func (e *Emulator) proof(r *http.Request, own map[string]string) (p proof, no *counter.Refusal) {
	now := e.o.Clock()
	if h := r.Header.Get("Authorization"); h != "" {
		text, ok := strings.CutPrefix(h, "OBS ")
		if p.ak, p.signature, _ = strings.Cut(text, ":"); !ok || p.signature == "" {
			return p, counter.Refuse(http.StatusBadRequest, "InvalidArgument", "authorization %q", h)
		}
		p.date = r.Header.Get("Date")
		said := p.date
		if x := r.Header.Get("X-Obs-Date"); x != "" {
			p.date, said = "", x
		}
		at, err := http.ParseTime(said)
		if err != nil {
			return p, counter.Refuse(http.StatusForbidden, "AccessDenied", "date %q", said)
		}
		if now.Sub(at).Abs() > 15*time.Minute {
			p.no = counter.Refuse(http.StatusForbidden, "RequestTimeTooSkewed", "the clocks differ by %v", now.Sub(at))
		}
		return p, nil
	}
	if len(own) != 3 {
		return p, counter.Refuse(http.StatusForbidden, "AccessDenied", "no signature")
	}
	p.ak, p.signature, p.date = own["AccessKeyId"], own["Signature"], own["Expires"]
	end, err := strconv.ParseInt(p.date, 10, 64)
	if err != nil {
		return p, counter.Refuse(http.StatusForbidden, "AccessDenied", "Expires %q", p.date)
	}
	if now.Unix() >= end {
		p.no = counter.Refuse(http.StatusForbidden, "AccessDenied", "Request has expired")
	}
	return p, nil
}

// percent leaves what RFC 3986 calls unreserved.
func percent(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

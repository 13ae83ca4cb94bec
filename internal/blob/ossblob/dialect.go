package ossblob

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/xmlstore"
)

// longest is how long an address may hold.
const longest = 7 * 24 * time.Hour

// dialect signs for one bucket.
type dialect struct {
	base *url.URL
	keys keys
}

var _ xmlstore.Dialect = dialect{}

func (d dialect) Authorize(r *http.Request, key string, query, header []pair, now time.Time) {
	s := d.keys.seal(now)
	signed := append([]pair{{Name: "x-oss-content-sha256", Value: unsigned}, {Name: "x-oss-date", Value: s.date}}, header...)
	for _, h := range signed[:2] {
		r.Header.Set(h.Name, h.Value)
	}
	sig := s.signature(request{method: r.Method, path: d.keys.path(key), query: canonQuery(query), headers: canonHeaders(signed)})
	r.Header.Set("Authorization", algorithm+" Credential="+d.keys.id+"/"+s.scope+",Signature="+string(sig[:]))
}

// span is how long an address holds.
type span struct{ from, until time.Time }

// claims are the parameters by which an address says how it is signed.
func (d dialect) claims(s *seal, holds span) []pair {
	seconds := int64(min(max(holds.until.Sub(holds.from), time.Second), longest) / time.Second)
	return []pair{
		{Name: "x-oss-credential", Value: d.keys.id + "/" + s.scope},
		{Name: "x-oss-date", Value: s.date},
		{Name: "x-oss-expires", Value: strconv.FormatInt(seconds, 10)},
		{Name: "x-oss-signature-version", Value: algorithm},
	}
}

// Parts pins the length and the type of every part.
func (d dialect) Parts(h blob.Handle, a blob.Ask, from, to int) []string {
	var (
		s      = d.keys.seal(a.Now)
		object = d.object(h.Key)
		rest   = "&uploadId=" + xmlstore.Encode(h.Upload) + "&x-oss-additional-headers=content-length&" + xmlstore.Query(d.claims(s, span{a.Now, a.Until}))
		q      = request{method: http.MethodPut, path: d.keys.path(h.Key), also: "content-length"}
	)
	out := make([]string, 0, to-from)
	for n := from; n < to; n++ {
		q.query = "partNumber=" + strconv.Itoa(n+1) + rest
		q.headers = "content-length:" + strconv.FormatInt(a.Part(n), 10) + "\ncontent-type:" + xmlstore.Octets + "\n"
		sig := s.signature(q)
		out = append(out, object+"?"+q.query+"&x-oss-signature="+string(sig[:]))
	}
	return out
}

// Complete returns an address that wants no body, and besides the type of a part
// x-oss-complete-all: yes and x-oss-forbid-overwrite: true.
func (d dialect) Complete(h blob.Handle, a blob.Ask) (xmlstore.Ending, error) {
	query := []pair{{Name: "uploadId", Value: h.Upload}}
	if a.Callback != "" && !inside(a.Callback) {
		text, err := callback(a.Callback)
		if err != nil {
			return xmlstore.Ending{}, err
		}
		query = append(query, pair{Name: "callback", Value: text})
	}
	wants := []pair{
		{Name: "content-type", Value: xmlstore.Octets},
		{Name: "x-oss-complete-all", Value: "yes"},
		{Name: "x-oss-forbid-overwrite", Value: "true"},
	}
	return xmlstore.Ending{
		Address: d.address(http.MethodPost, h.Key, span{a.Now, a.Until}, query, wants), Header: wants, Bare: true,
	}, nil
}

func (d dialect) Read(key string, query []pair, o blob.LinkOptions) string {
	return d.address(http.MethodGet, key, span{o.Now, o.Until}, query, nil)
}

// address returns a signed address of key, which wants these headers.
func (d dialect) address(method, key string, holds span, query, header []pair) string {
	s := d.keys.seal(holds.from)
	text := canonQuery(append(d.claims(s, holds), query...))
	sig := s.signature(request{method: method, path: d.keys.path(key), query: text, headers: canonHeaders(header)})
	return d.object(key) + "?" + text + "&x-oss-signature=" + string(sig[:])
}

func (d dialect) object(key string) string {
	return d.base.Scheme + "://" + d.base.Host + "/" + xmlstore.EncodePath(key)
}

// callback is what the store is to do when an upload is complete:
// https://www.alibabacloud.com/help/en/oss/developer-reference/callback. Nothing of
// the body is believed, so it has little.
func callback(to string) (string, error) {
	text, err := json.Marshal(struct {
		URL  string `json:"callbackUrl"`
		Body string `json:"callbackBody"`
		Type string `json:"callbackBodyType"`
		SNI  bool   `json:"callbackSNI"`
	}{to, `{"object":${object},"size":${size},"etag":${etag}}`, "application/json", strings.HasPrefix(to, "https:")})
	return base64.StdEncoding.EncodeToString(text), err
}

// inside reports whether an address is one that the store refuses to call, and then
// refuses to complete the upload: "Private address is forbidden to callback."
func inside(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified())
}

package cosblob

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/xmlstore"
)

// forbid makes the store refuse a key that exists. It has no effect in a bucket
// that ever had versioning.
var forbid = pair{Name: "x-cos-forbid-overwrite", Value: "true"}

// dialect signs for one bucket.
type dialect struct {
	base *url.URL
	keys keys
}

var _ xmlstore.Dialect = dialect{}

func (d dialect) Authorize(r *http.Request, key string, query, header []pair, now time.Time) {
	signed := append([]pair{{Name: "host", Value: d.base.Host}}, header...)
	if r.ContentLength > 0 {
		signed = append(signed, pair{Name: "content-length", Value: strconv.FormatInt(r.ContentLength, 10)})
	}
	s := d.keys.seal(now.Add(-skew), now.Add(time.Hour))
	headerList, headers := canon(signed)
	paramList, params := canon(query)
	r.Header.Set("Authorization", s.text(";", headerList, paramList,
		s.signature(strings.ToLower(r.Method), "/"+key, params, headers)))
}

// Parts pins the length of every part and the host.
func (d dialect) Parts(h blob.Handle, a blob.Ask, from, to int) []string {
	s := d.keys.seal(a.Now.Add(-skew), a.Until)
	var (
		path    = "/" + h.Key
		upload  = xmlstore.Encode(h.Upload)
		object  = d.object(h.Key)
		id      = xmlstore.Encode(s.id)
		window  = strings.ReplaceAll(s.window, ";", "%3B")
		lists   = "content-length%3Bcontent-type%3Bhost&q-url-param-list=partnumber%3Buploadid"
		tail    = "&uploadId=" + upload + "&q-sign-algorithm=sha1&q-ak=" + id + "&q-sign-time=" + window + "&q-key-time=" + window + "&q-header-list=" + lists + "&q-signature="
		headers = "&content-type=application%2Foctet-stream&host=" + xmlstore.Encode(d.base.Host)
	)
	out := make([]string, 0, to-from)
	for n := from; n < to; n++ {
		number := strconv.Itoa(n + 1)
		sig := s.signature("put", path, "partnumber="+number+"&uploadid="+upload,
			"content-length="+strconv.FormatInt(a.Part(n), 10)+headers)
		out = append(out, object+"?partNumber="+number+tail+string(sig[:]))
	}
	return out
}

// Complete returns an address that wants x-cos-forbid-overwrite: true.
func (d dialect) Complete(h blob.Handle, a blob.Ask) (xmlstore.Ending, error) {
	s := d.keys.seal(a.Now.Add(-skew), a.Until)
	wants := []pair{forbid}
	return xmlstore.Ending{
		Address: d.address(s, http.MethodPost, h.Key, []pair{{Name: "uploadId", Value: h.Upload}}, wants), Header: wants,
	}, nil
}

func (d dialect) Read(key string, query []pair, o blob.LinkOptions) string {
	return d.address(d.keys.seal(o.Now.Add(-skew), o.Until), http.MethodGet, key, query, nil)
}

// address returns a signed address of key.
func (d dialect) address(s *seal, method, key string, query, header []pair) string {
	headerList, headers := canon(append([]pair{{Name: "host", Value: d.base.Host}}, header...))
	paramList, params := canon(query)
	sig := s.signature(strings.ToLower(method), "/"+key, params, headers)
	var b strings.Builder
	b.WriteString(d.object(key) + "?")
	for _, p := range query {
		b.WriteString(xmlstore.Encode(p.Name) + "=" + xmlstore.Encode(p.Value) + "&")
	}
	b.WriteString(s.text("%3B", headerList, paramList, sig))
	return b.String()
}

func (d dialect) object(key string) string {
	return d.base.Scheme + "://" + d.base.Host + "/" + xmlstore.EncodePath(key)
}

package obsblob

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/xmlstore"
)

// dialect signs for one bucket.
type dialect struct {
	base *url.URL
	keys keys
}

var _ xmlstore.Dialect = dialect{}

func (d dialect) Authorize(r *http.Request, key string, query, header []pair, now time.Time) {
	date := now.UTC().Format(http.TimeFormat)
	r.Header.Set("Date", date)
	r.Header.Set("Authorization", "OBS "+d.keys.id+":"+d.keys.seal().signature(r.Method,
		xmlstore.Value(header, "content-md5"), xmlstore.Value(header, "content-type"), date, d.keys.rest(key, query, header)))
}

// Parts pins key, upload, number and type; the store's signature does not cover
// lengths.
func (d dialect) Parts(h blob.Handle, a blob.Ask, from, to int) []string {
	var (
		s       = d.keys.seal()
		expires = strconv.FormatInt(a.Until.Unix(), 10)
		path    = "/" + xmlstore.EncodePath(h.Key)
		first   = d.base.Scheme + "://" + d.base.Host + path + "?partNumber="
		then    = "&uploadId=" + xmlstore.Encode(h.Upload) + "&AccessKeyId=" + xmlstore.Encode(d.keys.id) + "&Expires=" + expires + "&Signature="
		object  = "/" + d.keys.bucket + path + "?partNumber="
		upload  = "&uploadId=" + h.Upload
	)
	out := make([]string, 0, to-from)
	for n := from; n < to; n++ {
		number := strconv.Itoa(n + 1)
		sig := s.signature(http.MethodPut, "", xmlstore.Octets, expires, object+number+upload)
		out = append(out, first+number+then+xmlstore.Encode(sig))
	}
	return out
}

// Complete returns an address that wants the headers of a part.
func (d dialect) Complete(h blob.Handle, a blob.Ask) (xmlstore.Ending, error) {
	query := []pair{{Name: "uploadId", Value: h.Upload}}
	if a.Callback != "" {
		text, err := callback(a.Callback)
		if err != nil {
			return xmlstore.Ending{}, err
		}
		query = append(query, pair{Name: "x-obs-callback", Value: text})
	}
	return xmlstore.Ending{Address: d.address(http.MethodPost, h.Key, a.Until, query)}, nil
}

// callback is what the store is to do when an upload is complete:
// https://support.huaweicloud.com/api-obs/obs_04_0095.html. Nothing of the body
// is believed, so it has little that could need escaping.
func callback(to string) (string, error) {
	text, err := json.Marshal(struct {
		URL  string `json:"callbackUrl"`
		Body string `json:"callbackBody"`
		Type string `json:"callbackBodyType"`
	}{to, `{"size":$(size),"etag":"$(etag)"}`, "application/json"})
	return base64.StdEncoding.EncodeToString(text), err
}

func (d dialect) Read(key string, query []pair, o blob.LinkOptions) string {
	return d.address(http.MethodGet, key, o.Until, query)
}

// address returns a signed address of key. What is posted to it is of type
// application/octet-stream.
func (d dialect) address(method, key string, until time.Time, query []pair) string {
	mimeType := ""
	if method == http.MethodPost {
		mimeType = xmlstore.Octets
	}
	expires := strconv.FormatInt(until.Unix(), 10)
	sig := d.keys.seal().signature(method, "", mimeType, expires, d.keys.rest(key, query, nil))
	var b strings.Builder
	b.WriteString(d.base.Scheme + "://" + d.base.Host + "/" + xmlstore.EncodePath(key) + "?")
	for _, p := range query {
		b.WriteString(xmlstore.Encode(p.Name) + "=" + xmlstore.Encode(p.Value) + "&")
	}
	b.WriteString("AccessKeyId=" + xmlstore.Encode(d.keys.id) + "&Expires=" + expires + "&Signature=" + xmlstore.Encode(sig))
	return b.String()
}

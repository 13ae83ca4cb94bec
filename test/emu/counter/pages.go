package counter

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

const stamp = "2006-01-02T15:04:05.000Z"

func reply(w http.ResponseWriter, v any) *Refusal {
	w.Header().Set("Content-Type", "application/xml")
	_, _ = w.Write([]byte(xml.Header))
	_ = xml.NewEncoder(w).Encode(v)
	return nil
}

// spelled returns how keys are written on a page.
func spelled(q Request, key string) string {
	if q.Query["encoding-type"] == "url" {
		return Percent(key)
	}
	return key
}

func (e *Counter) begin(w http.ResponseWriter, q Request) *Refusal {
	if _, err := e.Shelf.Get(q.Key); err == nil && e.forbidden(q) {
		return word(shelf.ErrExists)
	}
	id := e.Shelf.Begin(q.Key, q.Header.Get("Content-Type"))
	return reply(w, struct {
		XMLName     xml.Name `xml:"InitiateMultipartUploadResult"`
		Bucket, Key string
		UploadID    string `xml:"UploadId"`
	}{Bucket: e.v.Bucket, Key: q.Key, UploadID: id})
}

// named returns the parts that a completion is of: those of its list, or all.
func (e *Counter) named(q Request) ([]shelf.Named, *Refusal) {
	if e.v.CompleteAll && q.Header.Get(e.v.Prefix+"Complete-All") == "yes" {
		if len(q.Body) > 0 {
			return nil, Refuse(http.StatusBadRequest, "InvalidArgument", "complete-all goes with an empty body")
		}
		parts, _, err := e.Shelf.Parts(q.Key, q.Query["uploadId"], 0, 10_000)
		if err != nil {
			return nil, word(err)
		}
		var all []shelf.Named
		for _, p := range parts { // with gaps: the service takes what is there
			all = append(all, shelf.Named{Number: p.Number, ETag: p.ETag})
		}
		return all, nil
	}
	var in struct {
		XMLName xml.Name      `xml:"CompleteMultipartUpload"`
		Parts   []shelf.Named `xml:"Part"`
	}
	if err := xml.Unmarshal(q.Body, &in); err != nil {
		return nil, Refuse(http.StatusBadRequest, "MalformedXML", "%v", err)
	}
	return in.Parts, nil
}

func (e *Counter) complete(w http.ResponseWriter, q Request) *Refusal {
	parts, no := e.named(q)
	if no != nil {
		return no
	}
	var told func(http.ResponseWriter, shelf.Object) (bool, *Refusal)
	if e.v.Ending != nil {
		if told, no = e.v.Ending(q); no != nil {
			return no
		}
	}
	o, err := e.Shelf.Complete(q.Key, q.Query["uploadId"], parts, e.forbidden(q))
	if err != nil {
		return word(err)
	}
	e.sum(w, o.ETag, o.CRC)
	if told != nil {
		if done, no := told(w, o); done || no != nil {
			return no
		}
	}
	return reply(w, struct {
		XMLName                     xml.Name `xml:"CompleteMultipartUploadResult"`
		Location, Bucket, Key, ETag string
	}{Location: "http://" + e.v.Host + "/" + q.Key, Bucket: e.v.Bucket, Key: q.Key, ETag: e.tag(o.ETag)})
}

type pagePart struct {
	PartNumber   int
	LastModified string
	ETag         string
	Size         int
}

func (e *Counter) listParts(w http.ResponseWriter, q Request) *Refusal {
	after, _ := strconv.Atoi(q.Query["part-number-marker"])
	parts, more, err := e.Shelf.Parts(q.Key, q.Query["uploadId"], after, q.limit("max-parts"))
	if err != nil {
		return word(err)
	}
	out := struct {
		XMLName              xml.Name `xml:"ListPartsResult"`
		Bucket, Key          string
		UploadID             string `xml:"UploadId"`
		PartNumberMarker     int
		NextPartNumberMarker int
		MaxParts             int
		IsTruncated          bool
		Part                 []pagePart
	}{Bucket: e.v.Bucket, Key: spelled(q, q.Key), UploadID: q.Query["uploadId"], PartNumberMarker: after, MaxParts: q.limit("max-parts"), IsTruncated: more}
	for _, p := range parts {
		out.Part = append(out.Part, pagePart{p.Number, p.Modified.Format(stamp), e.tag(p.ETag), len(p.Data)})
		out.NextPartNumberMarker = p.Number
	}
	return reply(w, out)
}

func (e *Counter) deleteMany(w http.ResponseWriter, q Request) *Refusal {
	type name struct{ Key string }
	var in struct {
		XMLName xml.Name `xml:"Delete"`
		Quiet   bool
		Objects []name `xml:"Object"`
	}
	if q.Header.Get("Content-MD5") == "" {
		return Refuse(http.StatusBadRequest, e.v.NoSum, "Content-MD5 is wanted")
	}
	if err := xml.Unmarshal(q.Body, &in); err != nil || len(in.Objects) > 1000 || len(in.Objects) == 0 {
		return Refuse(http.StatusBadRequest, "MalformedXML", "%d objects: %v", len(in.Objects), err)
	}
	var out struct {
		XMLName xml.Name `xml:"DeleteResult"`
		Deleted []name
	}
	for _, o := range in.Objects {
		e.Shelf.Delete(o.Key)
		if !in.Quiet {
			out.Deleted = append(out.Deleted, o)
		}
	}
	return reply(w, out)
}

type pageObject struct {
	Key, LastModified, ETag string
	Size                    int
}

func (e *Counter) list(w http.ResponseWriter, q Request) *Refusal {
	objects, more := e.Shelf.List(q.Query["prefix"], q.Query["marker"], q.limit("max-keys"))
	out := struct {
		XMLName      xml.Name `xml:"ListBucketResult"`
		Name         string
		EncodingType string `xml:",omitempty"`
		Prefix       string
		Marker       string
		MaxKeys      int
		IsTruncated  bool
		NextMarker   string `xml:",omitempty"`
		Contents     []pageObject
	}{Name: e.v.Bucket, EncodingType: q.Query["encoding-type"], Prefix: spelled(q, q.Query["prefix"]), Marker: spelled(q, q.Query["marker"]), MaxKeys: q.limit("max-keys"), IsTruncated: more}
	for _, o := range objects {
		out.Contents = append(out.Contents, pageObject{spelled(q, o.Key), o.Modified.Format(stamp), e.tag(o.ETag), len(o.Data)})
		if more {
			out.NextMarker = spelled(q, o.Key)
		}
	}
	return reply(w, out)
}

type pageUpload struct {
	Key       string
	UploadID  string `xml:"UploadId"`
	Initiated time.Time
}

func (e *Counter) listUploads(w http.ResponseWriter, q Request) *Refusal {
	found, more := e.Shelf.Uploads(q.Query["prefix"], q.Query["key-marker"], q.Query["upload-id-marker"], q.limit("max-uploads"))
	out := struct {
		XMLName            xml.Name `xml:"ListMultipartUploadsResult"`
		Bucket             string
		EncodingType       string `xml:",omitempty"`
		IsTruncated        bool
		NextKeyMarker      string `xml:",omitempty"`
		NextUploadIDMarker string `xml:"NextUploadIdMarker,omitempty"`
		Upload             []pageUpload
	}{Bucket: e.v.Bucket, EncodingType: q.Query["encoding-type"], IsTruncated: more}
	for _, u := range found {
		out.Upload = append(out.Upload, pageUpload{spelled(q, u.Key), u.ID, u.Began})
		if more {
			out.NextKeyMarker, out.NextUploadIDMarker = spelled(q, u.Key), u.ID
		}
	}
	return reply(w, out)
}

func (e *Counter) getCORS(w http.ResponseWriter, _ Request) *Refusal {
	if !e.Front.ServeCORS(w) {
		return Refuse(http.StatusNotFound, "NoSuchCORSConfiguration", "The CORS configuration does not exist")
	}
	return nil
}

func (e *Counter) putCORS(_ http.ResponseWriter, q Request) *Refusal {
	if q.Header.Get("Content-MD5") == "" {
		return Refuse(http.StatusBadRequest, "InvalidDigest", "Content-MD5 is wanted")
	}
	if err := e.Front.SetCORS(q.Body, !e.v.Nameless); err != nil {
		return Refuse(http.StatusBadRequest, "MalformedXML", "%v", err)
	}
	return nil
}

// copy answers 200 before it has copied; what became of it is in the body.
func (e *Counter) copy(w http.ResponseWriter, q Request, source string) *Refusal {
	path, ours := strings.CutPrefix(source, e.v.Source)
	from, err := url.PathUnescape(path)
	if !ours || err != nil || len(q.Body) > 0 {
		return Refuse(http.StatusBadRequest, "InvalidArgument", "copy source %q", source)
	}
	o, err := e.Shelf.Copy(from, q.Key, e.forbidden(q))
	if err != nil {
		return word(err)
	}
	return reply(w, struct {
		XMLName      xml.Name `xml:"CopyObjectResult"`
		ETag         string
		LastModified string
	}{ETag: e.tag(o.ETag), LastModified: o.Modified.Format(stamp)})
}

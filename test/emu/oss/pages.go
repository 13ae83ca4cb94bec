package oss

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

const pageStamp = "2006-01-02T15:04:05.000Z"

func reply(w http.ResponseWriter, v any) *Refusal {
	w.Header().Set("Content-Type", "application/xml")
	_, _ = w.Write([]byte(xml.Header))
	_ = xml.NewEncoder(w).Encode(v)
	return nil
}

// spelled returns how keys are written on a page.
func spelled(q request, key string) string {
	if q.query.Get("encoding-type") == "url" {
		return escape(key, false)
	}
	return key
}

func (e *Emulator) begin(w http.ResponseWriter, q request) *Refusal {
	if _, err := e.Shelf.Get(q.key); err == nil && q.forbids() {
		return word(shelf.ErrExists)
	}
	id := e.Shelf.Begin(q.key, q.Header.Get("Content-Type"))
	return reply(w, struct {
		XMLName     xml.Name `xml:"InitiateMultipartUploadResult"`
		Bucket, Key string
		UploadID    string `xml:"UploadId"`
	}{Bucket: e.o.Bucket, Key: q.key, UploadID: id})
}

// named returns the parts that a completion is of: those of its list, or all.
func (e *Emulator) named(q request) ([]shelf.Named, *Refusal) {
	if q.Header.Get("X-Oss-Complete-All") == "yes" {
		if len(q.body) > 0 {
			return nil, refuse(http.StatusBadRequest, "InvalidArgument", "x-oss-complete-all goes with an empty body")
		}
		parts, _, err := e.Shelf.Parts(q.key, q.query.Get("uploadId"), 0, 10_000)
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
	if err := xml.Unmarshal(q.body, &in); err != nil {
		return nil, refuse(http.StatusBadRequest, "MalformedXML", "%v", err)
	}
	return in.Parts, nil
}

func (e *Emulator) complete(w http.ResponseWriter, q request) *Refusal {
	parts, no := e.named(q)
	if no != nil {
		return no
	}
	ask, no := readWish(q)
	if no != nil {
		return no
	}
	o, err := e.Shelf.Complete(q.key, q.query.Get("uploadId"), parts, q.forbids())
	if err != nil {
		return word(err)
	}
	sums(w, o.ETag, o.CRC)
	if ask != nil {
		answer, err := e.call(q.Context(), *ask, o)
		if err != nil {
			// Stored all the same, as the service has it.
			return refuse(http.StatusNonAuthoritativeInfo, "CallbackFailed", "%v", err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
		return nil
	}
	return reply(w, struct {
		XMLName                     xml.Name `xml:"CompleteMultipartUploadResult"`
		Location, Bucket, Key, ETag string
	}{Location: "http://" + e.Host() + "/" + q.key, Bucket: e.o.Bucket, Key: q.key, ETag: tag(o.ETag)})
}

type pagePart struct {
	PartNumber   int
	LastModified string
	ETag         string
	Size         int
}

func (e *Emulator) listParts(w http.ResponseWriter, q request) *Refusal {
	after, _ := strconv.Atoi(q.query.Get("part-number-marker"))
	parts, more, err := e.Shelf.Parts(q.key, q.query.Get("uploadId"), after, q.limit("max-parts"))
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
	}{Bucket: e.o.Bucket, Key: spelled(q, q.key), UploadID: q.query.Get("uploadId"), PartNumberMarker: after, MaxParts: q.limit("max-parts"), IsTruncated: more}
	for _, p := range parts {
		out.Part = append(out.Part, pagePart{p.Number, p.Modified.Format(pageStamp), tag(p.ETag), len(p.Data)})
		out.NextPartNumberMarker = p.Number
	}
	return reply(w, out)
}

func (e *Emulator) deleteMany(w http.ResponseWriter, q request) *Refusal {
	type name struct{ Key string }
	var in struct {
		XMLName xml.Name `xml:"Delete"`
		Quiet   bool
		Objects []name `xml:"Object"`
	}
	if q.Header.Get("Content-MD5") == "" {
		return refuse(http.StatusBadRequest, "MissingArgument", "Content-MD5 is wanted")
	}
	if err := xml.Unmarshal(q.body, &in); err != nil || len(in.Objects) > 1000 || len(in.Objects) == 0 {
		return refuse(http.StatusBadRequest, "MalformedXML", "%d objects: %v", len(in.Objects), err)
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

func (e *Emulator) list(w http.ResponseWriter, q request) *Refusal {
	objects, more := e.Shelf.List(q.query.Get("prefix"), q.query.Get("marker"), q.limit("max-keys"))
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
	}{Name: e.o.Bucket, EncodingType: q.query.Get("encoding-type"), Prefix: spelled(q, q.query.Get("prefix")), Marker: spelled(q, q.query.Get("marker")), MaxKeys: q.limit("max-keys"), IsTruncated: more}
	for _, o := range objects {
		out.Contents = append(out.Contents, pageObject{spelled(q, o.Key), o.Modified.Format(pageStamp), tag(o.ETag), len(o.Data)})
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

func (e *Emulator) listUploads(w http.ResponseWriter, q request) *Refusal {
	found, more := e.Shelf.Uploads(q.query.Get("prefix"), q.query.Get("key-marker"), q.query.Get("upload-id-marker"), q.limit("max-uploads"))
	out := struct {
		XMLName            xml.Name `xml:"ListMultipartUploadsResult"`
		Bucket             string
		EncodingType       string `xml:",omitempty"`
		IsTruncated        bool
		NextKeyMarker      string `xml:",omitempty"`
		NextUploadIDMarker string `xml:"NextUploadIdMarker,omitempty"`
		Upload             []pageUpload
	}{Bucket: e.o.Bucket, EncodingType: q.query.Get("encoding-type"), IsTruncated: more}
	for _, u := range found {
		out.Upload = append(out.Upload, pageUpload{spelled(q, u.Key), u.ID, u.Began})
		if more {
			out.NextKeyMarker, out.NextUploadIDMarker = spelled(q, u.Key), u.ID
		}
	}
	return reply(w, out)
}

func (e *Emulator) getCORS(w http.ResponseWriter, _ request) *Refusal {
	if !e.Front.ServeCORS(w) {
		return refuse(http.StatusNotFound, "NoSuchCORSConfiguration", "The CORS configuration does not exist")
	}
	return nil
}

func (e *Emulator) putCORS(_ http.ResponseWriter, q request) *Refusal {
	if q.Header.Get("Content-MD5") == "" {
		return refuse(http.StatusBadRequest, "InvalidDigest", "Content-MD5 is wanted")
	}
	if err := e.Front.SetCORS(q.body, false); err != nil {
		return refuse(http.StatusBadRequest, "MalformedXML", "%v", err)
	}
	return nil
}

// copy answers 200 before it has copied; what became of it is in the body.
func (e *Emulator) copy(w http.ResponseWriter, q request, source string) *Refusal {
	path, ours := strings.CutPrefix(source, "/"+e.judge.Bucket+"/")
	from, err := url.PathUnescape(path)
	if !ours || err != nil || len(q.body) > 0 {
		return refuse(http.StatusBadRequest, "InvalidArgument", "copy source %q", source)
	}
	o, err := e.Shelf.Copy(from, q.key, q.forbids())
	if err != nil {
		return word(err)
	}
	return reply(w, struct {
		XMLName      xml.Name `xml:"CopyObjectResult"`
		ETag         string
		LastModified string
	}{ETag: `"` + o.ETag + `"`, LastModified: o.Modified.Format(stamp)})
}

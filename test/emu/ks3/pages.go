package ks3

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

func reply(w http.ResponseWriter, v any) *refusal {
	w.Header().Set("Content-Type", "application/xml")
	_, _ = w.Write([]byte(xml.Header))
	_ = xml.NewEncoder(w).Encode(v)
	return nil
}

// spelled returns how keys are written on a page.
func spelled(q request, key string) string {
	if q.query["encoding-type"] == "url" {
		return escape(key)
	}
	return key
}

func (e *Emulator) begin(w http.ResponseWriter, q request) *refusal {
	if _, err := e.Shelf.Get(q.key); err == nil && forbidden(q) {
		return word(shelf.ErrExists)
	}
	id := e.Shelf.Begin(q.key, q.Header.Get("Content-Type"))
	return reply(w, struct {
		XMLName     xml.Name `xml:"InitiateMultipartUploadResult"`
		Bucket, Key string
		UploadID    string `xml:"UploadId"`
	}{Bucket: e.o.Bucket, Key: q.key, UploadID: id})
}

func (e *Emulator) complete(w http.ResponseWriter, q request) *refusal {
	var in struct {
		XMLName xml.Name      `xml:"CompleteMultipartUpload"`
		Parts   []shelf.Named `xml:"Part"`
	}
	if err := xml.Unmarshal(q.body, &in); err != nil {
		return refuse(http.StatusBadRequest, "MalformedXML", "%v", err)
	}
	o, err := e.Shelf.Complete(q.key, q.query["uploadId"], in.Parts, forbidden(q))
	if err != nil {
		return word(err)
	}
	w.Header().Set("ETag", `"`+o.ETag+`"`)
	return reply(w, struct {
		XMLName                     xml.Name `xml:"CompleteMultipartUploadResult"`
		Location, Bucket, Key, ETag string
	}{Location: "http://" + e.Host() + "/" + q.key, Bucket: e.o.Bucket, Key: q.key, ETag: `"` + o.ETag + `"`})
}

type pagePart struct {
	PartNumber   int
	LastModified string
	ETag         string
	Size         int
}

func (e *Emulator) listParts(w http.ResponseWriter, q request) *refusal {
	after, _ := strconv.Atoi(q.query["part-number-marker"])
	parts, more, err := e.Shelf.Parts(q.key, q.query["uploadId"], after, q.limit("max-parts"))
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
	}{Bucket: e.o.Bucket, Key: spelled(q, q.key), UploadID: q.query["uploadId"], PartNumberMarker: after, MaxParts: q.limit("max-parts"), IsTruncated: more}
	for _, p := range parts {
		out.Part = append(out.Part, pagePart{p.Number, p.Modified.Format(stamp), `"` + p.ETag + `"`, len(p.Data)})
		out.NextPartNumberMarker = p.Number
	}
	return reply(w, out)
}

func (e *Emulator) deleteMany(w http.ResponseWriter, q request) *refusal {
	type name struct{ Key string }
	var in struct {
		XMLName xml.Name `xml:"Delete"`
		Quiet   bool
		Objects []name `xml:"Object"`
	}
	if q.Header.Get("Content-MD5") == "" {
		return refuse(http.StatusBadRequest, "InvalidDigest", "Content-MD5 is wanted")
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

func (e *Emulator) list(w http.ResponseWriter, q request) *refusal {
	objects, more := e.Shelf.List(q.query["prefix"], q.query["marker"], q.limit("max-keys"))
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
	}{Name: e.o.Bucket, EncodingType: q.query["encoding-type"], Prefix: spelled(q, q.query["prefix"]), Marker: spelled(q, q.query["marker"]), MaxKeys: q.limit("max-keys"), IsTruncated: more}
	for _, o := range objects {
		out.Contents = append(out.Contents, pageObject{spelled(q, o.Key), o.Modified.Format(stamp), `"` + o.ETag + `"`, len(o.Data)})
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

func (e *Emulator) listUploads(w http.ResponseWriter, q request) *refusal {
	found, more := e.Shelf.Uploads(q.query["prefix"], q.query["key-marker"], q.query["upload-id-marker"], q.limit("max-uploads"))
	out := struct {
		XMLName            xml.Name `xml:"ListMultipartUploadsResult"`
		Bucket             string
		EncodingType       string `xml:",omitempty"`
		IsTruncated        bool
		NextKeyMarker      string `xml:",omitempty"`
		NextUploadIDMarker string `xml:"NextUploadIdMarker,omitempty"`
		Upload             []pageUpload
	}{Bucket: e.o.Bucket, EncodingType: q.query["encoding-type"], IsTruncated: more}
	for _, u := range found {
		out.Upload = append(out.Upload, pageUpload{spelled(q, u.Key), u.ID, u.Began})
		if more {
			out.NextKeyMarker, out.NextUploadIDMarker = spelled(q, u.Key), u.ID
		}
	}
	return reply(w, out)
}

func (e *Emulator) getCORS(w http.ResponseWriter, _ request) *refusal {
	if !e.Front.ServeCORS(w) {
		return refuse(http.StatusNotFound, "NoSuchCORSConfiguration", "The CORS configuration does not exist")
	}
	return nil
}

func (e *Emulator) putCORS(_ http.ResponseWriter, q request) *refusal {
	if q.Header.Get("Content-MD5") == "" {
		return refuse(http.StatusBadRequest, "InvalidDigest", "Content-MD5 is wanted")
	}
	if err := e.Front.SetCORS(q.body, true); err != nil {
		return refuse(http.StatusBadRequest, "MalformedXML", "%v", err)
	}
	return nil
}

// copy answers 200 before it has copied; what became of it is in the body.
func (e *Emulator) copy(w http.ResponseWriter, q request, source string) *refusal {
	path, ours := strings.CutPrefix(strings.TrimPrefix(source, "/"), e.o.Bucket+"/")
	from, err := url.PathUnescape(path)
	if !ours || err != nil || len(q.body) > 0 {
		return refuse(http.StatusBadRequest, "InvalidArgument", "copy source %q", source)
	}
	o, err := e.Shelf.Copy(from, q.key, forbidden(q))
	if err != nil {
		return word(err)
	}
	return reply(w, struct {
		XMLName      xml.Name `xml:"CopyObjectResult"`
		ETag         string
		LastModified string
	}{ETag: `"` + o.ETag + `"`, LastModified: o.Modified.Format(stamp)})
}

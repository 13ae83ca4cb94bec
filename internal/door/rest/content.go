package rest

import (
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
)

func (d *Door) createFileURL(q *desk.Call) error {
	var in wire.CreateURLRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	places, err := d.AllReadable(q, in.URIs)
	if err != nil {
		return err
	}
	until := d.Clock().Add(linkLife)
	if in.Archive {
		return d.archive(q, places, until)
	}
	links, failed := make([]string, len(places)), map[string]error{}
	for i, at := range places {
		link, err := d.link(q, at, in, until)
		if err != nil {
			failed[in.URIs[i]] = err
			continue
		}
		links[i] = link
	}
	if len(failed) == 0 || in.SkipError {
		d.take(q, places, links, func(i int, err error) { failed[in.URIs[i]] = err })
	}
	if err := desk.Batch(failed); err != nil && !in.SkipError {
		return err
	}
	out := wire.FileURLs{URLs: []wire.FileURL{}, Expires: until}
	for _, link := range links {
		if link != "" {
			out.URLs = append(out.URLs, wire.FileURL{URL: link})
		}
	}
	if in.Redirect && len(out.URLs) == 1 && len(in.URIs) == 1 {
		http.Redirect(q.W, q.R, out.URLs[0].URL, http.StatusFound)
		return nil
	}
	return desk.OK(q, out)
}

// archive answers one address for all places.
func (d *Door) archive(q *desk.Call, places []desk.Place, until time.Time) error {
	refs := make([]catalog.Ref, len(places))
	for i, at := range places {
		refs[i] = at.Ref
	}
	link, err := d.Archive(q, refs, until)
	if err != nil {
		return err
	}
	links := slices.Repeat([]string{link}, len(places))
	d.take(q, places, links, func(_ int, not error) { err = not })
	if err != nil {
		return err
	}
	for _, ref := range refs {
		if ref.Share != nil {
			ref.Share.Granted = true // what is in the archive is looked up when it is made
		}
	}
	return desk.OK(q, wire.FileURLs{URLs: []wire.FileURL{{URL: link}}, Expires: until})
}

func (d *Door) link(q *desk.Call, at desk.Place, in wire.CreateURLRequest, until time.Time) (string, error) {
	var want *core.VersionID
	if in.Entity != "" {
		id, err := d.VersionID(in.Entity)
		if err != nil {
			return "", errs.Newf(errs.NotFound, errs.VersionMissing, "Entity not exist").Because(err)
		}
		want = &id
	}
	n, version, err := d.Catalog.Choose(q.Ctx(), q.Actor, at.Ref, want)
	if err != nil {
		return "", err
	}
	if at.Ref.Share == nil && !in.Relay { // what a share gives out ends with it, so it is read from here
		kind, inline := contentType(n.Name)
		link, err := d.Straight(q.Ctx(), version, blob.LinkOptions{Name: n.Name, Attachment: in.Download || !inline, MIME: kind}, until)
		if err != nil || link != "" {
			return link, err
		}
	}
	entity, query, through := d.EntityID(version), url.Values{}, ""
	if in.Download {
		query.Set("download", "true")
	}
	if at.Ref.Share != nil {
		through = d.IDs.Encode(core.TagShare, int64(at.Ref.Share.ID))
		query.Set("share", through)
	}
	query.Set("sign", d.Signer.Sign(signedContent(entity, n.Name, through, in.Download), until))
	return d.Origin(q.R) + desk.Prefix + "/file/content/" + entity + "/0/" + url.PathEscape(n.Name) + "?" + query.Encode(), nil
}

// signedContent is what the signature of a content address covers; through is the
// share that it was given out by, if one was.
func signedContent(entity, name, through string, download bool) auth.Message {
	disposition := "inline"
	if download {
		disposition = "attachment"
	}
	parts := []string{"content", entity, disposition, url.PathEscape(name)}
	if through != "" {
		parts = append(parts, "share", url.PathEscape(through))
	}
	return auth.Message{Method: http.MethodGet, Path: strings.Join(parts, "/")}
}

// corsContent opens an answer to pages of other origins: the address itself is
// the permission, and there are no cookies.
func corsContent(q *desk.Call) {
	if q.R.Header.Get("Origin") == "" {
		return
	}
	h := q.W.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Content-Range,Accept-Ranges,Content-Length,Content-Disposition,Etag,Repr-Digest")
}

func (d *Door) optionsContent(q *desk.Call) error {
	corsContent(q)
	h := q.W.Header()
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Range, If-Range, If-None-Match, If-Match")
	h.Set("Access-Control-Max-Age", "86400")
	q.W.WriteHeader(http.StatusNoContent)
	return nil
}

func (d *Door) getContent(q *desk.Call) error {
	entity, name := q.R.PathValue("entity"), q.R.PathValue("name")
	query := q.R.URL.Query()
	download := query.Get("download") == "true"
	sign := query.Get("sign")
	if sign == "" {
		return errs.Newf(errs.Forbidden, errs.NoPermission, "expire timestamp is missing")
	}
	if err := d.Signer.Check(signedContent(entity, name, query.Get("share"), download), sign, d.Clock()); err != nil {
		return err
	}
	switch err := d.StillShared(q, d.Catalog, query.Get("share")); {
	case errs.Is(err, errs.NotFound):
		q.Note(err)
		http.Error(q.W, "The share link does not open anything any more.", http.StatusNotFound)
		return nil
	case err != nil:
		return err
	}
	id, err := d.VersionID(entity)
	if err != nil {
		return errs.Newf(errs.NotFound, errs.VersionMissing, "Entity not exist").Because(err)
	}
	corsContent(q)
	body, err := d.Catalog.OpenVersion(q.Ctx(), id)
	switch {
	case errs.Has(err, errs.VersionMissing), errs.Has(err, errs.RecoverNeeded):
		if errs.Has(err, errs.RecoverNeeded) {
			d.Log.Error("stored bytes are missing", "op", "getContent", "request", q.ID, "err", err.Error())
		}
		http.Error(q.W, "Entity data does not exist.", http.StatusNotFound)
		return nil
	case err != nil:
		return err
	}
	d.send(q, body, name, download, "private, max-age=86400")
	return body.Close()
}

// maxRanges is how many ranges of one request are answered as such; more get
// the whole (RFC 9110 §14.2 lets a server ignore Range).
const maxRanges = 16

// emptySuffix is the last 0 bytes, which net/http answers with a Content-Range
// that ends before it begins.
var emptySuffix = regexp.MustCompile(`[=,\s]-0+\s*(,|$)`)

// SendLasting answers with a content at an address that may have another one, or none,
// the next time.
func (d *Door) SendLasting(q *desk.Call, body catalog.Body, name string, download bool) {
	corsContent(q)
	d.send(q, body, name, download, "private, no-cache")
}

func (d *Door) send(q *desk.Call, body catalog.Body, name string, download bool, cache string) {
	v := body.Version
	kind, inline := contentType(name)
	h := q.W.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", disposition(name, inline && !download))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'; frame-ancestors 'self'")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // the address is the permission, see corsContent
	h.Set("Cache-Control", cache)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("ETag", `"`+d.EntityID(v.ID)+`"`)
	h.Set("Repr-Digest", desk.Digests(v.CRC64, v.SHA256))
	if ranges := q.R.Header.Get("Range"); strings.Count(ranges, ",") >= maxRanges || emptySuffix.MatchString(ranges) {
		q.R.Header.Del("Range")
	}
	// ServeContent is given the file itself where there is one: the kernel
	// sends it. It has no use for a time, the ETag is exact.
	http.ServeContent(q.W, q.R, "", time.Time{}, body.ReadSeekCloser)
}

// shown are the types that a browser may show in place: they cannot run
// anything. All else is saved.
var shown = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp",
	".avif": "image/avif", ".bmp": "image/bmp", ".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".ogg": "audio/ogg",
	".wav": "audio/wav", ".flac": "audio/flac", ".mp4": "video/mp4", ".webm": "video/webm",
	".txt": "text/plain; charset=utf-8", ".md": "text/plain; charset=utf-8", ".log": "text/plain; charset=utf-8",
}

func contentType(name string) (kind string, inline bool) {
	if kind, inline = shown[strings.ToLower(path.Ext(name))]; inline {
		return kind, true
	}
	return "application/octet-stream", false
}

// disposition builds Content-Disposition with an ASCII fall-back and the exact
// name beside it (RFC 6266, RFC 8187).
func disposition(name string, inline bool) string {
	kind := "attachment"
	if inline {
		kind = "inline"
	}
	plain := strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, name)
	if plain == name {
		return kind + `; filename="` + name + `"`
	}
	return kind + `; filename="` + plain + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}

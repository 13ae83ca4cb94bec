package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client/fail"
)

// ListOptions say how a folder is listed. The zero value is by name.
type ListOptions struct {
	OrderBy    string // name, size, updated_at or created_at
	Descending bool
	PageSize   int // 0: 500
}

// List yields what is in a folder, folders first, page after page as it is
// asked for. It ends with the first error.
func (c *Client) List(ctx context.Context, dir wire.URI, o ListOptions) iter.Seq2[wire.File, error] {
	q := url.Values{"uri": {dir.String()}, "page_size": {"500"}}
	if o.PageSize > 0 {
		q.Set("page_size", strconv.Itoa(o.PageSize))
	}
	if o.OrderBy != "" {
		q.Set("order_by", o.OrderBy)
	}
	if o.Descending {
		q.Set("order_direction", "desc")
	}
	return func(yield func(wire.File, error) bool) {
		for page := 0; ; page++ {
			q.Set("page", strconv.Itoa(page))
			list, err := retried[wire.FileList](ctx, c, request{op: "list", method: http.MethodGet, path: "/file", query: q})
			if err != nil {
				yield(wire.File{}, err)
				return
			}
			for _, f := range list.Files {
				if !yield(f, nil) {
					return
				}
			}
			p := list.Pagination
			q.Set("next_page_token", p.NextToken)
			if len(list.Files) == 0 || p.IsCursor && p.NextToken == "" || !p.IsCursor && (page+1)*p.PageSize >= p.TotalItems {
				return
			}
		}
	}
}

// Stat describes one file or folder, its versions with their digests included.
func (c *Client) Stat(ctx context.Context, uri wire.URI) (wire.File, error) {
	return retried[wire.File](ctx, c, request{
		op: "stat", method: http.MethodGet, path: "/file/info",
		query: url.Values{"uri": {uri.String()}, "extended": {"true"}},
	})
}

// Mkdir makes a folder and those it lies in. One that is there already is
// returned as if it had just been made.
func (c *Client) Mkdir(ctx context.Context, uri wire.URI) (wire.File, error) {
	return retried[wire.File](ctx, c, mkdir(uri))
}

func mkdir(uri wire.URI) request {
	return request{
		op: "mkdir", method: http.MethodPost, path: "/file/create",
		body: wire.CreateFileRequest{Type: "folder", URI: uri.String()},
	}
}

// MkdirNew makes a folder, and is an IsExists error if it is there already.
func (c *Client) MkdirNew(ctx context.Context, uri wire.URI) (wire.File, error) {
	return call[wire.File](ctx, c, request{
		op: "mkdir", method: http.MethodPost, path: "/file/create",
		body: wire.CreateFileRequest{Type: "folder", URI: uri.String(), ErrOnConflict: true},
	})
}

// Rename gives a file or folder another name in the same folder. It is not
// repeated after a lost answer, since the second try would find nothing.
func (c *Client) Rename(ctx context.Context, uri wire.URI, name string) (wire.File, error) {
	return call[wire.File](ctx, c, request{
		op: "rename", method: http.MethodPost, path: "/file/rename",
		body: wire.RenameRequest{URI: uri.String(), NewName: name},
	})
}

// MaxRemove is how many URIs one Remove may name.
const MaxRemove = 3000

// Remove deletes files and folders with all that is in them, for good. If some
// of several fail the others are gone, and Error.Items names the failures.
func (c *Client) Remove(ctx context.Context, uris ...wire.URI) error {
	return c.remove(ctx, uris, true)
}

// Trash is Remove, but the owner can restore what is gone for some days.
func (c *Client) Trash(ctx context.Context, uris ...wire.URI) error {
	return c.remove(ctx, uris, false)
}

func (c *Client) remove(ctx context.Context, uris []wire.URI, forever bool) (err error) {
	body := wire.DeleteFilesRequest{SkipSoftDelete: forever}
	for _, u := range uris {
		body.URIs = append(body.URIs, u.String())
	}
	b := c.backoff(patience, nil, nil)
	for tries := 0; err == nil && len(uris) > 0; tries++ {
		_, err = call[any](ctx, c, request{op: "remove", method: http.MethodDelete, path: "/file", body: body})
		if len(uris) == 1 {
			err = fail.Single(err)
		}
		if err == nil || tries > 0 && len(uris) == 1 && IsNotFound(err) {
			return nil // the answer to an earlier try was lost
		}
		if IsRetryable(err) {
			err = b.wait(ctx, 0, err)
		}
	}
	return err
}

// Capacity is the user's account of bytes.
func (c *Client) Capacity(ctx context.Context) (wire.Capacity, error) {
	return retried[wire.Capacity](ctx, c, request{op: "capacity", method: http.MethodGet, path: "/user/capacity"})
}

// Version is the version of the protocol that the server speaks.
func (c *Client) Version(ctx context.Context) (string, error) {
	return retried[string](ctx, c, request{op: "ping", method: http.MethodGet, path: "/site/ping", anonymous: true})
}

// Uploads are the user's unfinished uploads, begun on whatever device, newest
// first.
func (c *Client) Uploads(ctx context.Context) ([]wire.UploadProgress, error) {
	l, err := retried[wire.UploadList](ctx, c, uploadList)
	return l.Uploads, err
}

var uploadList = request{op: "uploads", method: http.MethodGet, path: "/file/upload"}

// UploadStatus tells how far an upload is, and for as long as its session would
// have lived how it ended.
func (c *Client) UploadStatus(ctx context.Context, id string) (wire.UploadProgress, error) {
	return retried[wire.UploadProgress](ctx, c, uploadStatus(id))
}

func uploadStatus(id string) request {
	return request{op: "upload status", method: http.MethodGet, path: "/file/upload/" + url.PathEscape(id)}
}

// CancelUpload ends an unfinished upload; what had arrived is dropped. One that
// is gone already is no error.
func (c *Client) CancelUpload(ctx context.Context, id string, uri wire.URI) error {
	_, err := retried[any](ctx, c, request{
		op: "cancel upload", method: http.MethodDelete, path: "/file/upload",
		body: wire.DeleteUploadRequest{ID: id, URI: uri.String()},
	})
	if IsNotFound(err) || IsSessionGone(err) {
		return nil
	}
	return err
}

// UploadTimeline tells what happened to an upload, oldest first, for as long as
// its session would have lived.
func (c *Client) UploadTimeline(ctx context.Context, id string) (wire.UploadTimeline, error) {
	return retried[wire.UploadTimeline](ctx, c, request{
		op: "upload timeline", method: http.MethodGet, path: "/file/upload/" + url.PathEscape(id) + "/timeline",
	})
}

package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/wharfinger/wharfinger/api/wire"
)

// UploadTimeline tells what happened to an upload, oldest first, for as long as
// its session would have lived.
func (c *Client) UploadTimeline(ctx context.Context, id string) (wire.UploadTimeline, error) {
	return retried[wire.UploadTimeline](ctx, c, request{
		op: "upload timeline", method: http.MethodGet, path: "/file/upload/" + url.PathEscape(id) + "/timeline",
	})
}

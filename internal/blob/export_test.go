package blob

import (
	"context"
	"io"

	"github.com/wharfinger/wharfinger/internal/core"
)

// CopyBody is CopyAt of a body of n bytes, as a driver is given it.
func CopyBody(ctx context.Context, dst io.WriterAt, body io.Reader, n int64) (int64, error) {
	in, err := newIntake(Write{Body: body, Range: core.Range{To: n}}, false)
	if err != nil {
		return 0, err
	}
	return CopyAt(ctx, dst, 0, in)
}

package event

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/core"
)

// Origin is who makes a change: one of the clients of a user, by the id that it gives
// itself. The zero Origin is nobody in particular.
type Origin struct {
	User   core.UserID
	Client string
}

// MaxClient is the length of the longest id that counts, in bytes; a UUID has 36.
const MaxClient = 64

type originKey struct{}

// With returns ctx for what is done at the request of o. It is the one value that goes
// with a context here: docs/decisions/0020-origin-of-changes.md.
func With(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o) //nolint:forbidigo // see above
}

// OriginOf returns at whose request ctx is.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}

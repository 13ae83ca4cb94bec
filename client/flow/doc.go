// Package flow moves the bytes of a transfer: bodies that are read from a file, watched so
// that a connection on which nothing moves ends, and measured on the way. The client and
// its parts come in.
//
//	ctx, w := flow.NewWatch(ctx, time.Minute)
//	defer w.Stop()
//	req.Body = &flow.Body{Ctx: ctx, Source: f, To: n, Watch: w, …}
package flow

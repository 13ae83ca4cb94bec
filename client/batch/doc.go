// Package batch puts many small files on a server in few requests (POST
// /file/batch). Whoever sends folders comes in; it stands on package client.
//
// Files are sent in the order they are given, each in one piece, and every one is
// reported when it is durable or refused. A request that breaks is repeated for
// the files that had no answer; those that were stored all the same are found to
// be the same. Requests begin below the limit of a proxy that takes 1 MiB, grow
// while that works, and shrink when it does not. Memory is bounded by two of them.
//
//	err := batch.Put(ctx, batch.Options{Client: c}, files, func(r batch.Result) { … })
//	if errors.Is(err, batch.ErrUnsupported) { … } // an older server: send them one by one
package batch

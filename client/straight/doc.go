// Package straight sends the parts of an upload straight to the store behind a server,
// with addresses that the server signs. It knows no session and no account: to the store
// goes what was signed, and nothing that is meant for the server.
//
//	u := straight.New("s3", http, fetch)
//	err := u.Put(ctx, 0, body, n)
//	err = u.Complete(ctx)
package straight

// Package client is the Go SDK: sign in, list, upload, download.
//
// What is special about it is that transfers survive. An upload asks the server
// what has arrived and sends the rest, after a lost connection, a restart of
// either side, or on another machine; a chunk that was acknowledged is never
// sent again; and nothing counts as done before the digest of what is stored is
// that of what was read. A download goes on where its partial file ends and is
// given its name only when its digest is right.
//
// Everyone may import client. It knows api/wire and nothing else of this
// module, and it keeps no files: what must outlive the process is handed to a
// [TokenStore].
//
//	c, err := client.New(client.Options{BaseURL: "https://files.example.org"})
//	if err != nil {
//		return err
//	}
//	if _, err := c.SignIn(ctx, client.Credentials{Email: email, Password: password}); err != nil {
//		return err
//	}
//	up, err := c.UploadFile(ctx, "q3.pdf", client.UploadInput{URI: wire.MyURI("reports", "q3.pdf")})
//	if client.IsExists(err) {
//		// something else of that name is there: choose Version or Rename
//	}
package client

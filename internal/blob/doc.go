// Package blob keeps bytes under opaque keys and proves what it says of them.
//
// [Bucket] is what upper rooms call. It measures every body while it passes
// (length, CRC-64/NVME, SHA-256, the client's own digests), ciphers it if the
// policy says so, and names every failure once. Below it a [Driver] does the
// storing; what a driver can do beyond the least it says by having the methods
// of [Parts], [Filer], [Spacer] or [Checker], and in no other way.
//
// Also here: the arithmetic of chunks ([ChunkSize], [ChunkRange]), the digests
// ([CombineCRC]) and the keys of enciphered files ([Cipher],
// [Keyring]).
//
// The upload engine, the catalog and the doors' download paths may come in.
// blob itself imports core and errs, and drivers import blob: localblob,
// memblob and the vendors. A driver is right when blobtest.Run says so.
//
//	b := blob.New(driver, blob.Options{Sync: blob.SyncAnswer})
//	h, err := b.Begin(ctx, key, size)
//	got, err := b.WriteAt(ctx, h, blob.Write{Range: r, Body: body}) // durable now
//	sum, err := b.Commit(ctx, h, []blob.Receipt{got}, nil)
package blob

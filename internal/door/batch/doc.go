// Package batch is the wire of many small files in one request: the manifest, the
// frames behind it, and the work of reading, storing and answering at the same
// time in bounded memory. It knows neither envelopes nor engine: door/rest, the
// only one that comes in, gives it what stores a group of files and gets lines to
// answer.
//
// The request is one line of JSON, the manifest, and then a frame for each file in
// any order: "<index> <length>\n" and that many bytes, or "<index> -\n" for a file
// that the client could not read. See docs/decisions/0010-batch-door.md.
//
//	r := bufio.NewReader(request.Body)
//	m, err := batch.ReadManifest(r)
//	err = batch.Run(ctx, r, batch.Work{Sizes: sizes, Keep: store, Refuse: refuse})
package batch

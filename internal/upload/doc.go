// Package upload is the engine: it turns chunks that arrive in any order, twice,
// late or not at all into one version of one file, exactly once.
//
// Five verbs are all that a door sees: [Engine.Create], [Engine.Write],
// [Engine.Progress], [Engine.Settle], [Engine.Abort] (and Put and Cancel, which
// are made of them). The unit is a byte range; a door turns its own chunk
// numbers or offsets into one.
//
// What must survive is a row (internal/store) or durable bytes (blob.Bucket),
// in this order: bytes, row, answer. Nothing of a session lives in memory but
// who is writing which range just now.
//
//	t, err := e.Create(ctx, who, upload.Request{Ref: ref, Size: n})
//	first := func(s upload.Session) (core.Range, error) { return blob.ChunkRange(s.Size, s.ChunkSize, 0) }
//	w, err := e.Write(ctx, who, upload.Chunk{Session: t.Session.ID, Place: first, Body: body})
package upload

// Package shelf is what the emulators of object stores have in common: objects,
// multipart uploads, CORS rules, a log of requests, and faults that a test asks
// for. It knows no vendor: signatures, words of errors and spellings are the
// emulators' own.
//
// Tests and the emulators beside it may import it. It imports the standard
// library only.
//
//	s := shelf.New(shelf.Options{Clock: clock, MinPart: 1 << 20})
//	id := s.Begin("key", "text/plain")
//	part, err := s.PutPart("key", id, 1, data)
package shelf

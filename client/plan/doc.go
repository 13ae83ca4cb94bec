// Package plan keeps which bytes of an upload are safe on the server, which are
// on their way and which are missing, and decides what is sent next.
//
// The server cuts a file into chunks. Where it says so, a chunk may be sent in
// pieces, whose size the sender chooses anew each time. Bytes that are safe are
// never given out again.
//
// Package client uses it; it knows nothing of the network.
//
//	p := plan.New(plan.Shape{Size: size, Chunk: 25 << 20, Align: 16 << 10})
//	for piece, ok := p.Take(960 << 10); ok; piece, ok = p.Take(960 << 10) {
//		send(piece)
//		p.Done(piece)
//	}
package plan

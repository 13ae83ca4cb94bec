// Package lane lets the kernel move the bytes of a request from its connection
// to a file, without a copy through this process.
//
// net/http reads a body through the connection it accepted. A [Conn] in its
// place serves those reads as ever, except for one: a read into a buffer that
// was armed with a file. Its bytes go from the socket to the file by splice(2),
// and the read says how many they were, with the buffer left as it was. So
// net/http counts every byte of the body: keep-alive, deadlines, Content-Length
// and "100 Continue" stay what they are. Bytes that net/http has read ahead, or
// the few that it reads through a buffer of its own, meet no armed buffer and
// come into the caller's as usual. Whatever has no TCP connection underneath
// (TLS, HTTP/2, tests) has no lane.
//
// app puts [Listen] around its listener; a door asks [Of] for the connection of
// its request, and calls [Conn.Move] where it would have read:
//
//	n, moved, err := conn.Move(file, off, p, body.Read)
package lane

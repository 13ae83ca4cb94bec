// Package live is the door through which other windows and devices learn at once that
// a drive has changed: server-sent events.
//
// What is sent is an occasion to look again and never the truth itself: whoever was
// away, too slow, or met another server process looks at everything anew.
//
//	d := live.New(live.Options{Desk: desk, Catalog: cat, Hub: hub})
//	desk.Mount(d.Routes())
package live

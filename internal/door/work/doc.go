// Package work is the door of what goes on behind the answers: listing one's own
// work, how far it is, and cancelling it.
//
//	d := work.New(work.Options{Desk: desk, Jobs: runner})
//	desk.Mount(d.Routes())
package work

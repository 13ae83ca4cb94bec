// Package event tells those who listen what has changed in a drive. What is told is
// only an occasion to look again: nothing is kept, a listener that was away or too
// slow looks at everything anew, and so does one that meets another server process.
//
//	hub := event.New()
//	l, err := hub.Listen(user)
//	defer l.Close()
//	<-l.Ready()
//	changes, all := l.Take()
//
// Any goroutine may call anything here.
package event

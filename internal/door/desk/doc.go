// Package desk is where every request of the v4 API comes first: it knows the
// envelope, who calls, how bodies are read and bounded, which number of the
// protocol a reason has, and how nodes and users look on the wire. It knows no
// operation: those are in the doors, one package for each subject, and each
// hands its lines of the table of routes to Mount.
//
//	desk := desk.New(desk.Options{Tokens: tok, IDs: ids, Clock: clock, Log: log, Stall: time.Minute})
//	desk.Mount(rest.New(…).Routes())
//	mux.Handle(desk.Prefix+"/", desk)
//
// An operation reads its request and answers, or returns why not:
//
//	func (d *Door) renameFile(q *desk.Call) error {
//		var in wire.RenameRequest
//		if err := desk.Bind(q, &in); err != nil {
//			return err
//		}
//		…
//		return desk.OK(q, d.File(n, at, false))
//	}
package desk

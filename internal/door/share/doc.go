// Package share is the door of share links: making, changing, listing and showing
// them, and the short addresses that people send to each other. What lies in a
// share is read by the operations on files, at `cloudreve://<id>[:<password>]@share`.
//
//	d := share.New(share.Options{Desk: desk, Links: links})
//	desk.Mount(d.Routes())
//	mux.HandleFunc("GET /s/", share.Short)
package share

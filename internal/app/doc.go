// Package app is where the house is put together: configuration, the data
// directory, wiring, the HTTP server, background work, life and death. It is
// the only package that sees everything; the commands come in.
//
//	a, err := app.Open(ctx, app.Config{Data: "./data", Listen: "127.0.0.1:5212"})
//	defer a.Close()
//	fmt.Println(a.URL(), a.SetupURL())
//	err = a.Serve(ctx) // until ctx ends
package app

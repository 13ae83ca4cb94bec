// Package fake is a server that keeps everything in memory and breaks on
// command: for tests of the SDK and the commands, without the real server. It
// obeys api/openapi.yaml as far as a client can tell, counts which chunks it
// acknowledged, and lets a test choose a fault for every single request.
//
// Tests of any package may import it; product code must not.
//
//	srv := fake.New(t)
//	srv.Break(func(r *http.Request) fake.Fault {
//		return fake.Fault{LoseAnswer: r.Method == http.MethodPost}
//	})
package fake

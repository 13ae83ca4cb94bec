// Package direct lets clients send their bytes straight to a store, and finishes
// such uploads by evidence: what a callback says is a hint to ask the store, and
// nothing more.
//
// A granted upload has a row until it has ended. Whoever finds that the store has
// all of it completes it: the callback, which may come late, twice, forged or
// never, or the reconciler, which asks for every open one, less often while
// nothing changes. An upload whose parts are all there and whose completion was
// lost is completed by us. One whose time is over is asked for once more before
// it expires.
//
// It also says where the stored bytes of a file can be read straight from the store,
// and when they must not be: [Flow.Link].
//
//	flow := direct.New(direct.Options{Engine: engine, Rows: providers.Over(st)})
//	engine.Vendor = flow
//	err := flow.Called(ctx, "s3", session, secret, nil)
package direct

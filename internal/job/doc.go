// Package job is the room of work that takes longer than a request should: it is a
// row before anybody is told of it, is taken up again after a crash, tried again
// when the machine fails, and seen and cancelled by its owner.
//
// Whoever has such work adds a Job in the transaction that makes it necessary, and
// wakes the Runner. What a kind of job does is a Handler, which other rooms have.
// A handler may run twice for one job, and never twice at the same time: it asks
// what is left to do, and does that.
//
//	r := job.New(job.Options{Store: jobs.Over(st), Clock: clock, Log: log, Holder: dir})
//	r.Handle("copy", job.Handler{Run: keeper.CopyJob, Undo: keeper.UndoCopy})
//	go r.Run(ctx)
package job

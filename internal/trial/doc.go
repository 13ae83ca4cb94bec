// Package trial tries what a storage policy needs at its vendor, as clients and
// browsers will do it, and names each defect with what mends it.
//
//	err := trial.Run(ctx, trial.Options{Bucket: b, Client: rt, Clock: time.Now, Site: site}, func(s trial.Step) { … })
package trial

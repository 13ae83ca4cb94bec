// Package core holds the words that every room uses: ids, paths, the actor,
// byte ranges, the clock, secrets. Values only: no room's rules live here.
//
// Everyone may import core; core imports errs and the standard library only.
//
//	p, err := core.ParsePath("/reports/q3.pdf")
//	p.Dir()  // /reports
//	p.Name() // q3.pdf
//
//	var have core.RangeSet
//	have = have.Add(core.Range{From: 0, To: 100})
//	have.Covers(core.Range{From: 0, To: 100}) // true
package core

// Package xmlstore is what the drivers of stores with an XML API have in common:
// requests with bounded answers, parts and pages, faults and their kinds, streams
// that let nothing wrong be stored, and the way of direct uploads. It knows no
// vendor: what a vendor calls things is a [Vendor], how it signs a [Dialect], and
// both are a leaf's.
//
// The leaves of such stores may import it, and nobody else. It imports blob, core
// and errs.
//
//	base, err := vendor.Base(config)
//	d := vendor.Open(config, base, dialect, xmlstore.Way{Transport: rt, Clock: clock})
package xmlstore

// Package vendor is the door of uploads that go past us: where clients get addresses
// of the store to send their bytes to, and where they and the stores say that an
// upload is complete. It believes nothing of that: it hands the hint on.
//
//	door := vendor.New(vendor.Options{Flow: flow})
package vendor

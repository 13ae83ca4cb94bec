// Package vendors opens the emulator of each vendor by the kind of its policies, with what a
// policy needs to find the bucket.
//
//	s, err := vendors.Open("oss", vendors.Options{Clock: time.Now})
//	server := httptest.NewServer(s)
package vendors

// Package callback is where clients and stores say that an upload which went past
// us is complete. It believes nothing: it hands the hint on.
//
//	door := callback.New(callback.Options{Flow: flow})
package callback

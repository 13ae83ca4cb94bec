// Package shares keeps share links: the rows behind share.Store, over part.Base.
// Only the wiring comes in.
//
//	links := share.New(share.Options{Store: shares.Over(st), …})
package shares

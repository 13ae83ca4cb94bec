// Package providers keeps what there is to know of bytes at a vendor: which
// group's files go there, and which uploads are to be asked for, over part.Base. Only the wiring comes in.
//
//	err := providers.Over(st).SetGroupPolicy(ctx, "User", policy)
package providers

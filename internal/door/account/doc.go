// Package account is the door of the v4 API to sign-ins and to one's own
// account: tokens, second factor, settings, picture, devices. The rules are in
// internal/account and internal/auth.
//
//	d := account.New(account.Options{Desk: front, Keeper: keeper, Catalog: cat, Setup: setup})
//	front.Mount(d.Routes())
package account

// Package accounts keeps what internal/account asks for: profiles, devices,
// second factors, passkeys and pictures.
//
//	k := account.New(account.Options{Store: accounts.New(st), …})
package accounts

// Package account is what people do with their own account: what they say about
// themselves, their password, second factor, passkeys, picture and signed-in
// devices. It also decides what a sign-in needs beside a password.
//
// It holds the rules over internal/auth, which knows passwords and tokens;
// internal/store/accounts keeps the rows behind the contracts of store.go. Secrets
// are sealed by the master key before they are kept. Doors and app come in;
// account imports auth, core and errs.
//
//	k := account.New(account.Options{Store: accounts.New(st), Accounts: st.Auth(), Tokens: tok, …})
//	in, err := k.SignIn(ctx, email, password, auth.SignIn{Agent: agent, Addr: addr})
//	if in.Ticket != "" { // a second factor is needed
//		in, err = k.SecondStep(ctx, in.Ticket, code, meta)
//	}
package account

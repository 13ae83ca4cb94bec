// Package auth says who asks: passwords, tokens, signed addresses, and the
// one-time token of the first start.
//
// It holds the rules; internal/store keeps accounts, signed-in devices and
// wrong guesses behind the contracts of store.go. Doors and app come in; auth
// imports core and errs.
//
// A device that signs in starts a family of refresh tokens. Each refresh mints
// the next pair of the family and ends the token before it; a token that comes
// back later than the grace ends the family. Pairs are minted from the row of
// the family alone, so the same row always gives the same bytes: two windows
// that refresh at once, and a client that lost its answer, get one pair.
//
//	keys := auth.DeriveKeys(master)
//	t := auth.New(auth.Options{Store: st.Auth(), Keys: keys, IDs: core.NewIDs(keys.IDs), Clock: time.Now})
//	account, err := t.Prove(ctx, email, password, addr)
//	pair, err := t.Issue(ctx, account, auth.SignIn{Agent: agent, Addr: addr})
//	actor, err := t.Verify(ctx, pair.Access.Reveal())
package auth

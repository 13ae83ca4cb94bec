// Package keep keeps on a machine what commands of one user share: the sign-in,
// and what was learned of the way to each server. Both are files in the user's
// folder for settings, or where $WHARF_CONFIG says, readable by the user alone.
//
// Any number of processes may use it at once: a [Store] is a client.TokenStore
// whose changes are made under a lock and appear whole.
//
// Commands may come in. It knows neither flags nor terminals.
//
//	store, err := keep.Open()
//	if err != nil {
//		return err
//	}
//	c, err := client.New(client.Options{BaseURL: site, Tokens: store})
package keep

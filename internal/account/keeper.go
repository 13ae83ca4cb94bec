package account

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Options are what a Keeper is made of. All are needed.
type Options struct {
	Store    Store
	Accounts auth.Accounts
	Tokens   *auth.Tokens
	Vault    *auth.Vault
	IDs      *core.IDs
	Clock    core.Clock
	Title    string // of the site, for the apps that keep codes and passkeys
}

// Keeper holds the rules. Safe for concurrent use.
type Keeper struct {
	Options
	drawing chan struct{} // a seat: one picture at a time
}

// New returns the keeper of a site's accounts.
func New(o Options) *Keeper { return &Keeper{Options: o, drawing: make(chan struct{}, 1)} }

// now has the precision in which rows are kept.
func (k *Keeper) now() time.Time { return k.Clock().UTC().Truncate(time.Microsecond) }

// Entry is what a step of a sign-in gave: a pair of tokens, or a ticket for the
// next step.
type Entry struct {
	Pair    auth.Pair
	Account auth.Account
	Ticket  string // "" when it is done
}

// ticketLife is how long the second step may take.
const ticketLife = 5 * time.Minute

// ticket is what the first step of a sign-in hands to the second, sealed. It
// dies with the epoch, as a change of the password raises it, and counts once.
type ticket struct {
	User  core.UserID
	Epoch int64
	Until int64
	ID    string
}

// SignIn takes a right password for a new device, or for a ticket if the account
// has a second factor. Failures are those of auth.Tokens.Prove.
func (k *Keeper) SignIn(ctx context.Context, email string, pw core.Secret, meta auth.SignIn) (Entry, error) {
	const op = "account.SignIn"
	acc, err := k.Tokens.Prove(ctx, email, pw, meta.Addr)
	if err != nil {
		return Entry{}, errs.Wrap(op, err)
	}
	on, err := k.HasFactor(ctx, acc.User)
	if err != nil {
		return Entry{}, errs.Wrap(op, err)
	}
	if on {
		text, err := k.ticketFor(acc)
		return Entry{Account: acc, Ticket: text}, errs.Wrap(op, err)
	}
	pair, err := k.Tokens.Issue(ctx, acc, meta)
	return Entry{Pair: pair, Account: acc}, errs.Wrap(op, err)
}

// SecondStep takes the code for the ticket, of the app or for recovery.
//
//   - Unauthenticated/ticket_gone: sign in anew;
//   - Unauthenticated/factor_wrong: another code, for the same ticket;
//   - Transient/too_many_guesses.
func (k *Keeper) SecondStep(ctx context.Context, text, code string, meta auth.SignIn) (Entry, error) {
	const op = "account.SecondStep"
	t, acc, err := k.holds(ctx, text)
	if err != nil {
		return Entry{}, errs.Wrap(op, err)
	}
	if _, err := k.proveFactor(ctx, acc.User, code, meta.Addr); err != nil {
		if errs.Has(err, errs.FactorMissing) { // taken away since
			err = gone().Because(err)
		}
		return Entry{}, errs.Wrap(op, err)
	}
	fresh, err := k.Store.Spend(ctx, "ticket:"+t.ID, k.now(), time.Unix(t.Until, 0))
	if err != nil {
		return Entry{}, errs.Wrap(op, err)
	}
	if !fresh {
		return Entry{}, gone().At(op)
	}
	pair, err := k.Tokens.Issue(ctx, acc, meta)
	return Entry{Pair: pair, Account: acc}, errs.Wrap(op, err)
}

func gone() *errs.Error { return errs.New(errs.Unauthenticated, errs.TicketGone) }

const aboutTicket = "ticket"

func (k *Keeper) ticketFor(acc auth.Account) (string, error) {
	text, err := json.Marshal(ticket{
		User: acc.User, Epoch: acc.Epoch, Until: k.now().Add(ticketLife).Unix(), ID: core.NewUUID(),
	})
	return base64.RawURLEncoding.EncodeToString(k.Vault.Seal(aboutTicket, text)), err
}

// holds reads a ticket and the account that it is for.
func (k *Keeper) holds(ctx context.Context, text string) (t ticket, acc auth.Account, err error) {
	const op = "account.holds"
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return t, acc, gone().At(op).Because(err)
	}
	plain, err := k.Vault.Open(aboutTicket, sealed)
	if err == nil {
		err = json.Unmarshal(plain, &t)
	}
	if err != nil || k.now().Unix() >= t.Until {
		return t, acc, gone().At(op).Because(err)
	}
	acc, err = k.Accounts.Account(ctx, t.User)
	switch {
	case errs.Is(err, errs.NotFound):
		return t, acc, gone().At(op).Because(err)
	case err != nil:
		return t, acc, errs.Wrap(op, err)
	case acc.Epoch != t.Epoch:
		return t, acc, gone().At(op)
	}
	return t, acc, errs.Wrap(op, acc.Refused())
}

// about names what is sealed and whose it is.
func about(what string, user core.UserID) string {
	return what + ":" + strconv.FormatInt(int64(user), 10)
}

package admin

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Options are what an Admin is made of. All are needed.
type Options struct {
	Store Store
	Names catalog.Store
	Clock core.Clock
	// Changed is told of an account whose sign-ins may not count any more.
	Changed func(core.UserID)
	// Abort ends an upload of a user.
	Abort func(ctx context.Context, owner core.Actor, id core.SessionID) error
	// Local returns the configuration of a new local policy, whose bytes are then
	// where those of no other policy are.
	Local func(core.PolicyID) string
	// Vendors know the policies whose bytes are elsewhere.
	Vendors Vendors
	// Defaults are the settings as long as nobody has changed them.
	Defaults Settings
}

// Admin has the rules. It is safe for use by many goroutines.
type Admin struct {
	Options
	settings settings

	counting sync.Mutex // what counts holds is being made
	counts   *Counts
}

// New returns the rules over o. Load reads the settings.
func New(o Options) *Admin {
	a := &Admin{Options: o}
	a.settings.now.Store(&o.Defaults)
	return a
}

// By is who makes a change, and in which request.
type By struct {
	Actor   core.Actor
	Request string
}

// change runs fn, one at a time of the whole site, and keeps a line of the trail for
// each that fn returns, up to most.
func (a *Admin) change(ctx context.Context, by By, most int, fn func(tx Tx) ([]Line, error)) error {
	ids := make([]int64, most)
	for i := range ids {
		var err error
		if ids[i], err = a.Names.MintID(ctx); err != nil {
			return err
		}
	}
	return a.Store.InTx(ctx, func(tx Tx) error {
		if err := tx.Hold(ctx); err != nil {
			return err
		}
		lines, err := fn(tx)
		if err != nil {
			return err
		}
		for i, l := range lines {
			l.ID, l.At, l.Who, l.Request = ids[i], a.Clock(), by.Actor.User, by.Request
			if err := tx.Note(ctx, l); err != nil {
				return err
			}
		}
		return nil
	})
}

// keepAdmin refuses to leave the site without anybody who administers it.
func keepAdmin(ctx context.Context, tx Tx) error {
	left, err := tx.Admins(ctx, 1)
	if err == nil && len(left) == 0 {
		err = errs.New(errs.Conflict, errs.LastAdmin)
	}
	return err
}

// notes collects what a change does, for the trail.
type notes []string

// edit sets a field that was given, and notes its name when that changes it.
func edit[T comparable](n *notes, name string, field, value *T) {
	if value != nil && *value != *field {
		*field = *value
		*n = append(*n, name)
	}
}

// editList is edit for lists.
func editList(n *notes, name string, field, value *[]string) {
	if value != nil && !slices.Equal(*value, *field) {
		*field = *value
		*n = append(*n, name)
	}
}

func (n notes) String() string { return strings.Join(n, ", ") }

// bad is a field that is out of its range.
func bad(op, format string, args ...any) error {
	return errs.Newf(errs.Invalid, errs.BadParam, format, args...).At(op)
}

// checkName takes what may name a group, a policy or a person.
func checkName(op, what string, name *string) error {
	if name == nil {
		return nil
	}
	*name = strings.TrimSpace(*name)
	if *name == "" || len(*name) > 255 || strings.ContainsFunc(*name, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) {
		return bad(op, "The name of a %s has 1 to 255 bytes and no control characters.", what)
	}
	return nil
}

// within takes what is in a range.
func within(op, what string, v *int64, least, most int64) error {
	if v != nil && (*v < least || *v > most) {
		return bad(op, "%s is from %d to %d.", what, least, most)
	}
	return nil
}

// firstOf returns the first error.
func firstOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// stamps says when a thing was made and changed, born if it came with the site.
func (a *Admin) stamps(ctx context.Context, k Kind, subject string, born time.Time) (Span, error) {
	first, last, err := a.Store.Span(ctx, k, subject)
	s := Span{Created: born, Updated: last}
	if !first.IsZero() && born.IsZero() {
		s.Created = first
	}
	if s.Updated.Before(s.Created) {
		s.Updated = s.Created
	}
	return s, err
}

// Span is when a thing was made, and last changed here.
type Span struct{ Created, Updated time.Time }

// birth is when the site had its first user; the zero time before.
func (a *Admin) birth(ctx context.Context) (time.Time, error) {
	first, err := a.Names.Users(ctx, 0, 1)
	if err != nil || len(first) == 0 {
		return time.Time{}, err
	}
	return first[0].Created, nil
}

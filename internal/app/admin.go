package app

import (
	"context"
	"regexp"
	"strings"

	"github.com/wharfinger/wharfinger/internal/admin"
	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/accounts"
)

// The built-in groups, as the migrations insert them.
const (
	adminGroup core.GroupID = 1
	userGroup  core.GroupID = 2
)

// GroupQuota leaves a user's quota to the group.
const GroupQuota int64 = -1

// NewUser is an account to be made.
type NewUser struct {
	Email    string
	Password core.Secret
	Admin    bool
	Quota    int64 // bytes; GroupQuota: as the group has it
}

var address = regexp.MustCompile(`^[^\s@"<>]{1,64}@[^\s@"<>]{1,255}$`)

// AddUser makes an account; Exists/name_taken when the address has one.
func (b *Base) AddUser(ctx context.Context, n NewUser) (catalog.User, error) {
	const op = "app.AddUser"
	n.Email = strings.TrimSpace(n.Email)
	if !address.MatchString(n.Email) {
		return catalog.User{}, errs.Newf(errs.Invalid, errs.BadParam, "%q is not an e-mail address.", n.Email).At(op)
	}
	hash, err := auth.Hash(ctx, n.Password)
	if err != nil {
		return catalog.User{}, errs.Wrap(op, err)
	}
	st := b.store.Catalog()
	id, err := st.MintID(ctx)
	if err != nil {
		return catalog.User{}, errs.Wrap(op, err)
	}
	root, err := st.MintID(ctx)
	if err != nil {
		return catalog.User{}, errs.Wrap(op, err)
	}
	nick, _, _ := strings.Cut(n.Email, "@")
	u := catalog.User{
		ID: core.UserID(id), Email: n.Email, Nick: nick, Password: hash, Group: userGroup,
		Status: catalog.Active, Quota: n.Quota, Language: "en-US", Created: b.cfg.Clock(),
	}
	if n.Admin {
		u.Group = adminGroup
	}
	if err := st.AddUser(ctx, u, core.NodeID(root)); err != nil {
		if errs.Is(err, errs.Exists) {
			err = errs.Newf(errs.Exists, errs.NameTaken, "%s has an account already.", n.Email).Because(err)
		}
		return catalog.User{}, errs.Wrap(op, err)
	}
	return u, nil
}

// UserLine is one user of a listing.
type UserLine struct {
	User     catalog.User
	Group    catalog.Group
	Capacity catalog.Capacity
}

// Users returns all accounts in order of their making.
func (b *Base) Users(ctx context.Context) ([]UserLine, error) {
	const op = "app.Users"
	var out []UserLine
	st := b.store.Catalog()
	for after := core.UserID(0); ; {
		page, err := st.Users(ctx, after, 500)
		if err != nil {
			return nil, errs.Wrap(op, err)
		}
		for _, u := range page {
			l := UserLine{User: u}
			if l.Group, err = st.Group(ctx, u.Group); err != nil {
				return nil, errs.Wrap(op, err)
			}
			if l.Capacity, err = st.Capacity(ctx, u.ID); err != nil {
				return nil, errs.Wrap(op, err)
			}
			out = append(out, l)
			after = u.ID
		}
		if len(page) == 0 {
			return out, nil
		}
	}
}

// SetPassword gives an account another password and ends all its sign-ins; alone:
// no second factor is asked for any more.
func (b *Base) SetPassword(ctx context.Context, email string, password core.Secret, alone bool) error {
	const op = "app.SetPassword"
	hash, err := auth.Hash(ctx, password)
	if err != nil {
		return errs.Wrap(op, err)
	}
	var id core.UserID
	err = b.store.Catalog().InTx(ctx, func(tx catalog.Tx) error {
		u, err := tx.UserByEmail(ctx, email)
		if err != nil {
			return err
		}
		id = u.ID
		u.Password = hash
		u.Epoch++
		return tx.UpdateUser(ctx, u)
	})
	if err == nil && alone {
		err = accounts.New(b.store).DropFactor(ctx, id)
	}
	return errs.Wrap(op, err)
}

// PolicyPatch is what SetPolicy changes; nil leaves a field as it is.
type PolicyPatch struct {
	ChunkSize *int64 // bytes; 0: whole files in one request
	MaxSize   *int64 // bytes; 0: no limit
	Encrypt   *bool
	SHA256    *bool
	Sync      *blob.Sync
	Downloads *bool // come straight from the vendor
}

// minChunk is the smallest chunk size but 0: below it a file is mostly
// requests.
const minChunk = 1 << 10

// SetPolicy changes a storage policy. New uploads follow it; open ones go on as
// they began.
func (b *Base) SetPolicy(ctx context.Context, name string, patch PolicyPatch) (catalog.Policy, error) {
	const op = "app.SetPolicy"
	if c := patch.ChunkSize; c != nil && *c != 0 && (*c < minChunk || *c > blob.MaxChunk) {
		return catalog.Policy{}, errs.Newf(errs.Invalid, errs.BadParam, "A chunk size is 0 or from 1 KiB to 5 GiB.").At(op)
	}
	if m := patch.MaxSize; m != nil && (*m < 0 || *m > blob.MaxSize) {
		return catalog.Policy{}, errs.Newf(errs.Invalid, errs.BadParam, "A size limit is 0 (none) or up to 8 PiB.").At(op)
	}
	if s := patch.Sync; s != nil && *s != blob.SyncAnswer && *s != blob.SyncComplete && *s != blob.SyncNever {
		return catalog.Policy{}, errs.Newf(errs.Invalid, errs.BadParam, "A sync level is answer, complete or never.").At(op)
	}
	var p catalog.Policy
	err := b.store.Catalog().InTx(ctx, func(tx catalog.Tx) error {
		var err error
		if p, err = findPolicy(ctx, tx, name); err != nil {
			return err
		}
		set(&p.ChunkSize, patch.ChunkSize)
		set(&p.MaxSize, patch.MaxSize)
		set(&p.Encrypt, patch.Encrypt)
		set(&p.SHA256, patch.SHA256)
		set(&p.Sync, patch.Sync)
		if patch.Downloads != nil && p.Type == "local" {
			return errs.Newf(errs.Invalid, errs.PolicyUse, "Storage policy %q keeps its files on this machine: they are read from here.", p.Name).At(op)
		}
		if patch.Downloads != nil {
			if p.Config, err = b.buckets.far.Place(ctx, p.Type, p.Config, admin.Place{Downloads: patch.Downloads}); err != nil {
				return err
			}
		}
		if err := tx.SetPolicy(ctx, p, p.Rev); err != nil {
			return err
		}
		p.Rev++
		return nil
	})
	return p, errs.Wrap(op, err)
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// Policies returns all storage policies.
func (b *Base) Policies(ctx context.Context) ([]catalog.Policy, error) {
	ps, err := b.store.Catalog().Policies(ctx)
	return ps, errs.Wrap("app.Policies", err)
}

// findPolicy looks by name, by the beginning of a name in any case, or by type,
// as long as that means one policy.
func findPolicy(ctx context.Context, tx catalog.Policies, name string) (catalog.Policy, error) {
	p, err := tx.PolicyByName(ctx, name)
	if err == nil || !errs.Is(err, errs.NotFound) {
		return p, err
	}
	all, err := tx.Policies(ctx)
	if err != nil {
		return catalog.Policy{}, err
	}
	var found []catalog.Policy
	var names []string
	want := strings.ToLower(name)
	for _, p := range all {
		names = append(names, p.Name)
		if want != "" && (strings.HasPrefix(strings.ToLower(p.Name), want) || p.Type == want) {
			found = append(found, p)
		}
	}
	if len(found) != 1 {
		return catalog.Policy{}, errs.Newf(errs.NotFound, errs.PolicyMissing,
			"No storage policy is meant by %q. There are: %s.", name, strings.Join(names, ", "))
	}
	return found[0], nil
}

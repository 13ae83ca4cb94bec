package admin

import (
	"context"
	"regexp"
	"strings"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// DefaultPolicy is the policy that comes with the site.
const DefaultPolicy core.PolicyID = 1

// PolicyEdit is what of a storage policy is set; nil leaves a field as it is.
type PolicyEdit struct {
	Name          *string
	ChunkSize     *int64 // bytes; 0: whole files in one request
	MaxSize       *int64 // bytes; 0: no limit
	AllowedSuffix *[]string
	DeniedSuffix  *[]string
	AllowedName   *string // RE2
	DeniedName    *string // RE2
	Encrypt       *bool
	SHA256        *bool
	Relay         *bool
	Sync          *blob.Sync
	Concurrency   *int64
	Place         Place
}

// minChunk is the smallest chunk size but 0: below it a file is mostly requests.
const minChunk = 1 << 10

func (e *PolicyEdit) check(op string) error {
	if c := e.ChunkSize; c != nil && *c != 0 && (*c < minChunk || *c > blob.MaxChunk) {
		return bad(op, "A chunk size is 0 or from 1 KiB to 5 GiB.")
	}
	if s := e.Sync; s != nil && *s != blob.SyncAnswer && *s != blob.SyncComplete && *s != blob.SyncNever {
		return bad(op, "A sync level is answer, complete or never.")
	}
	for _, list := range []*[]string{e.AllowedSuffix, e.DeniedSuffix} {
		if err := checkSuffixes(op, list); err != nil {
			return err
		}
	}
	for _, text := range []*string{e.AllowedName, e.DeniedName} {
		if text == nil {
			continue
		}
		if _, err := regexp.Compile(*text); err != nil || len(*text) > 1000 {
			return bad(op, "A rule for names is a regular expression of up to 1000 bytes in RE2's syntax.")
		}
	}
	return firstOf(
		checkName(op, "policy", e.Name),
		within(op, "A size limit", e.MaxSize, 0, blob.MaxSize),
		within(op, "The number of chunks at once", e.Concurrency, 1, 64),
	)
}

// checkSuffixes spells a list of suffixes as they are compared.
func checkSuffixes(op string, list *[]string) error {
	if list == nil {
		return nil
	}
	if len(*list) > 500 {
		return bad(op, "A list has at most 500 suffixes.")
	}
	var out []string
	for _, s := range *list {
		s = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(s), "."))
		if s == "" || len(s) > 64 || strings.ContainsAny(s, `./\`) {
			return bad(op, "%q is no suffix: jpg is one.", s)
		}
		out = append(out, s)
	}
	*list = out
	return nil
}

func (e *PolicyEdit) apply(p *catalog.Policy) notes {
	var done notes
	edit(&done, "name", &p.Name, e.Name)
	edit(&done, "chunk size", &p.ChunkSize, e.ChunkSize)
	edit(&done, "size limit", &p.MaxSize, e.MaxSize)
	editList(&done, "allowed suffixes", &p.AllowedSuffix, e.AllowedSuffix)
	editList(&done, "denied suffixes", &p.DeniedSuffix, e.DeniedSuffix)
	edit(&done, "allowed names", &p.AllowedName, e.AllowedName)
	edit(&done, "denied names", &p.DeniedName, e.DeniedName)
	edit(&done, "encrypt", &p.Encrypt, e.Encrypt)
	edit(&done, "sha256", &p.SHA256, e.SHA256)
	edit(&done, "relay", &p.Relay, e.Relay)
	edit(&done, "sync", &p.Sync, e.Sync)
	edit(&done, "chunks at once", &p.Concurrency, e.Concurrency)
	return done
}

// AddPolicy makes a policy: a local one in a place of its own, or one at a vendor,
// which is asked nothing yet. Exists/name_taken; Unsupported/policy_use for an unknown
// kind.
func (a *Admin) AddPolicy(ctx context.Context, by By, kind string, e PolicyEdit) (catalog.Policy, error) {
	const op = "admin.AddPolicy"
	if e.Name == nil {
		return catalog.Policy{}, bad(op, "A new policy needs a name.")
	}
	if err := e.check(op); err != nil {
		return catalog.Policy{}, err
	}
	all, err := a.Names.Policies(ctx)
	if err != nil {
		return catalog.Policy{}, errs.Wrap(op, err)
	}
	if len(all) >= mostGroups {
		return catalog.Policy{}, errs.Newf(errs.Invalid, errs.TooMany, "There are %d policies; delete one first.", mostGroups).At(op)
	}
	id, err := a.Names.MintID(ctx)
	if err != nil {
		return catalog.Policy{}, errs.Wrap(op, err)
	}
	p := catalog.Policy{ID: core.PolicyID(id), Type: kind, ChunkSize: 25 << 20, Sync: blob.SyncAnswer, Concurrency: 4}
	if !Far(kind) {
		p.Config = a.Local(p.ID)
	}
	e.apply(&p)
	if _, err := a.place(ctx, op, &p, e); err != nil {
		return catalog.Policy{}, errs.Wrap(op, err)
	}
	err = a.change(ctx, by, 1, func(tx Tx) ([]Line, error) {
		return []Line{{Action: Added, Kind: OfPolicy, Subject: ID(p.ID), Note: p.Name}}, tx.SetPolicy(ctx, p, 0)
	})
	p.Rev = 1
	return p, errs.Wrap(op, err)
}

// EditPolicy changes a policy: new uploads follow it, open ones go on as they began.
// NotFound/policy_missing; Exists/name_taken; Conflict/changed.
func (a *Admin) EditPolicy(ctx context.Context, by By, id core.PolicyID, e PolicyEdit) (catalog.Policy, error) {
	const op = "admin.EditPolicy"
	if err := e.check(op); err != nil {
		return catalog.Policy{}, err
	}
	var p catalog.Policy
	err := a.change(ctx, by, 1, func(tx Tx) (_ []Line, err error) {
		if p, err = tx.Policy(ctx, id); err != nil {
			return nil, err
		}
		done := e.apply(&p)
		placed, err := a.place(ctx, op, &p, e)
		if err != nil {
			return nil, err
		}
		if done = append(done, placed...); len(done) == 0 {
			return nil, nil
		}
		if err := tx.SetPolicy(ctx, p, p.Rev); err != nil {
			return nil, err
		}
		p.Rev++
		return []Line{{Action: Changed, Kind: OfPolicy, Subject: ID(id), Note: done.String()}}, nil
	})
	return p, errs.Wrap(op, err)
}

// RemovePolicy removes a policy that nothing is in and nobody uploads to. Where it
// kept bytes stays. NotFound/policy_missing; Forbidden/policy_default;
// Conflict/policy_in_use.
func (a *Admin) RemovePolicy(ctx context.Context, by By, id core.PolicyID) error {
	const op = "admin.RemovePolicy"
	if id == DefaultPolicy {
		return errs.New(errs.Forbidden, errs.PolicyDefault).At(op)
	}
	return errs.Wrap(op, a.change(ctx, by, 1, func(tx Tx) ([]Line, error) {
		p, err := tx.Policy(ctx, id)
		if err != nil {
			return nil, err
		}
		use, err := tx.UseOf(ctx, id)
		if err != nil {
			return nil, err
		}
		if why := use.why(); why != "" {
			return nil, errs.Newf(errs.Conflict, errs.PolicyInUse, "%s", why)
		}
		return []Line{{Action: Removed, Kind: OfPolicy, Subject: ID(id), Note: p.Name}}, tx.RemovePolicy(ctx, id)
	}))
}

func (u Use) why() string {
	switch {
	case u.Group != "":
		return "The group " + u.Group + " uploads to this policy. Give it another one first."
	case u.Versions:
		return "There are files in this policy."
	case u.Uploads:
		return "Uploads to this policy are under way."
	case u.Doomed:
		return "Bytes of deleted files in this policy are being removed. Try again later."
	}
	return ""
}

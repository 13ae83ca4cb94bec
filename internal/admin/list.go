package admin

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// windowRows is how many rows a list looks at.
const windowRows = 10_000

// mostOnPage bounds a page.
const mostOnPage = 200

// Query asks for a page of a window. Conditions that are zero are none.
type Query struct {
	Page int // from 0
	Size int // 1 to 200
	Up   bool
	Past int64 // the window begins behind that id; 0: at the end of the table

	Words  string // in a name, a nick or an address, whatever its case
	Owner  core.UserID
	Policy core.PolicyID
	Group  core.GroupID
	Status catalog.Status
	Broken bool // only what is known to be damaged
}

// Page is what a query found. Total counts what there is of it in the window; Next is
// where the next window begins, 0 when this one reached the end.
type Page[T any] struct {
	Items []T
	Total int
	Next  int64
}

func (q Query) window() Window {
	w := Window{Up: q.Up, Past: q.Past, Limit: windowRows}
	if !q.Up && q.Past == 0 {
		w.Past = math.MaxInt64
	}
	return w
}

func (q Query) takes(r Row) bool {
	switch {
	case q.Owner != 0 && r.Owner != q.Owner,
		q.Policy != 0 && r.Policy != q.Policy,
		q.Group != 0 && r.Group != q.Group,
		q.Status != "" && r.Status != q.Status,
		q.Broken && !r.Broken:
		return false
	case q.Words == "":
		return true
	}
	words := strings.ToLower(q.Words)
	return slices.ContainsFunc(r.Text, func(text string) bool { return strings.Contains(text, words) })
}

// cut sorts what the window has and cuts the page out.
func cut[T any](q Query, rows []T, id func(T) int64, takes func(T) bool) Page[T] {
	slices.SortFunc(rows, func(x, y T) int {
		if q.Up {
			return cmp.Compare(id(x), id(y))
		}
		return cmp.Compare(id(y), id(x))
	})
	var p Page[T]
	if len(rows) == windowRows {
		p.Next = id(rows[len(rows)-1])
	}
	rows = slices.DeleteFunc(rows, func(r T) bool { return !takes(r) })
	p.Total = len(rows)
	size := min(max(q.Size, 1), mostOnPage)
	from := min(max(q.Page, 0), windowRows) * size
	p.Items = rows[min(from, len(rows)):min(from+size, len(rows))]
	return p
}

// fill turns the rows of a page into what they stand for. What is gone meanwhile is
// left out.
func fill[R, T any](p Page[R], op string, look func(R) (T, error)) (Page[T], error) {
	out := Page[T]{Total: p.Total, Next: p.Next, Items: make([]T, 0, len(p.Items))}
	for _, r := range p.Items {
		v, err := look(r)
		switch {
		case errs.Is(err, errs.NotFound):
			out.Total--
		case err != nil:
			return Page[T]{}, errs.Wrap(op, err)
		default:
			out.Items = append(out.Items, v)
		}
	}
	return out, nil
}

// memo asks once for each id.
func memo[K comparable, V any](ask func(K) (V, error)) func(K) (V, error) {
	known := map[K]V{}
	return func(k K) (V, error) {
		if v, ok := known[k]; ok {
			return v, nil
		}
		v, err := ask(k)
		if err == nil {
			known[k] = v
		}
		return v, err
	}
}

func rowID(r Row) int64 { return r.ID }

// UserLine is a user of a list.
type UserLine struct {
	User     catalog.User
	Group    catalog.Group
	Capacity catalog.Capacity
	Span     Span
}

// Users lists accounts, by q.Words, Group and Status.
func (a *Admin) Users(ctx context.Context, q Query) (Page[UserLine], error) {
	const op = "admin.Users"
	rows, err := a.Store.Users(ctx, q.window())
	if err != nil {
		return Page[UserLine]{}, errs.Wrap(op, err)
	}
	return fill(cut(q, rows, rowID, q.takes), op, func(r Row) (UserLine, error) { return a.user(ctx, core.UserID(r.ID)) })
}

// User returns one; NotFound/user_unknown.
func (a *Admin) User(ctx context.Context, id core.UserID) (UserLine, error) {
	l, err := a.user(ctx, id)
	return l, errs.Wrap("admin.User", err)
}

func (a *Admin) user(ctx context.Context, id core.UserID) (l UserLine, err error) {
	if l.User, err = a.Names.User(ctx, id); err != nil {
		return l, err
	}
	if l.Group, err = a.Names.Group(ctx, l.User.Group); err != nil {
		return l, err
	}
	if l.Capacity, err = a.Names.Capacity(ctx, id); err != nil {
		return l, err
	}
	l.Span, err = a.stamps(ctx, OfUser, ID(id), l.User.Created)
	return l, err
}

// FileLine is a file of a list.
type FileLine struct {
	File     catalog.Node
	Owner    catalog.User
	Versions []Content
}

// Content is a version, and how many have its bytes, itself included: copies share
// them.
type Content struct {
	catalog.Version
	Sharing int64
}

func (a *Admin) content(ctx context.Context, v catalog.Version) (c Content, err error) {
	c = Content{Version: v, Sharing: 1}
	if v.Blob != "" {
		c.Sharing, err = a.Store.Sharing(ctx, v.Policy, v.Blob)
	}
	return c, err
}

// Files lists files of all users, by q.Words and Owner.
func (a *Admin) Files(ctx context.Context, q Query) (Page[FileLine], error) {
	const op = "admin.Files"
	rows, err := a.Store.Files(ctx, q.window())
	if err != nil {
		return Page[FileLine]{}, errs.Wrap(op, err)
	}
	owner := memo(func(id core.UserID) (catalog.User, error) { return a.Names.User(ctx, id) })
	page := cut(q, rows, rowID, func(r Row) bool { return !r.Folder && q.takes(r) })
	return fill(page, op, func(r Row) (l FileLine, err error) {
		if l.File, err = a.Names.Node(ctx, core.NodeID(r.ID)); err != nil {
			return l, err
		}
		if l.Owner, err = owner(l.File.Owner); err != nil {
			return l, err
		}
		versions, err := a.Names.VersionsOf(ctx, l.File.ID)
		for _, v := range versions {
			c, cerr := a.content(ctx, v)
			l.Versions, err = append(l.Versions, c), errors.Join(err, cerr)
		}
		return l, err
	})
}

// VersionLine is a version of a list.
type VersionLine struct {
	Version Content
	Owner   catalog.User
	Policy  catalog.Policy
}

// Versions lists the contents of all files, by q.Owner, Policy and Broken.
func (a *Admin) Versions(ctx context.Context, q Query) (Page[VersionLine], error) {
	const op = "admin.Versions"
	rows, err := a.Store.Versions(ctx, q.window())
	if err != nil {
		return Page[VersionLine]{}, errs.Wrap(op, err)
	}
	owner := memo(func(id core.UserID) (catalog.User, error) { return a.Names.User(ctx, id) })
	policy := memo(func(id core.PolicyID) (catalog.Policy, error) { return a.Names.Policy(ctx, id) })
	return fill(cut(q, rows, rowID, q.takes), op, func(r Row) (l VersionLine, err error) {
		v, err := a.Names.Version(ctx, core.VersionID(r.ID))
		if err != nil {
			return l, err
		}
		if l.Version, err = a.content(ctx, v); err != nil {
			return l, err
		}
		if l.Owner, err = owner(l.Version.Owner); err != nil {
			return l, err
		}
		l.Policy, err = policy(l.Version.Policy)
		return l, err
	})
}

// ShareLine is a share of a list. Node is zero when what it opened is gone.
type ShareLine struct {
	Share Share
	Owner catalog.User
	Node  catalog.Node
}

// Shares lists the links of all users, by q.Words and Owner.
func (a *Admin) Shares(ctx context.Context, q Query) (Page[ShareLine], error) {
	const op = "admin.Shares"
	rows, err := a.Store.Shares(ctx, q.window())
	if err != nil {
		return Page[ShareLine]{}, errs.Wrap(op, err)
	}
	owner := memo(func(id core.UserID) (catalog.User, error) { return a.Names.User(ctx, id) })
	page := cut(q, rows, func(s Share) int64 { return int64(s.ID) }, func(s Share) bool {
		return q.takes(Row{Owner: s.Owner, Text: []string{strings.ToLower(s.Name)}})
	})
	return fill(page, op, func(s Share) (ShareLine, error) {
		u, err := owner(s.Owner)
		if err != nil {
			return ShareLine{}, err
		}
		n, err := a.Names.Node(ctx, s.Node)
		if errs.Is(err, errs.NotFound) {
			err = nil
		}
		return ShareLine{Share: s, Owner: u, Node: n}, err
	})
}

// UploadLine is an upload of a list.
type UploadLine struct {
	Upload Upload
	Owner  catalog.User
}

// Uploads lists uploads of all users that have not ended, the newest first, by
// q.Owner and Policy.
func (a *Admin) Uploads(ctx context.Context, q Query) (Page[UploadLine], error) {
	const op = "admin.Uploads"
	rows, err := a.Store.Uploads(ctx, windowRows)
	if err != nil {
		return Page[UploadLine]{}, errs.Wrap(op, err)
	}
	owner := memo(func(id core.UserID) (catalog.User, error) { return a.Names.User(ctx, id) })
	page := cut(q, rows, func(u Upload) int64 { return u.Created.UnixMicro() }, func(u Upload) bool {
		return q.takes(Row{Owner: u.Owner, Policy: u.Policy, Text: []string{strings.ToLower(u.URI)}})
	})
	page.Next = 0 // they come by their owners: there is no window behind
	return fill(page, op, func(u Upload) (UploadLine, error) {
		o, err := owner(u.Owner)
		return UploadLine{Upload: u, Owner: o}, err
	})
}

// Lines lists the changes that administrators made.
func (a *Admin) Lines(ctx context.Context, q Query) (Page[Line], error) {
	rows, err := a.Store.Lines(ctx, q.window())
	if err != nil {
		return Page[Line]{}, errs.Wrap("admin.Lines", err)
	}
	return cut(q, rows, func(l Line) int64 { return l.ID }, func(l Line) bool {
		return q.takes(Row{Owner: l.Who, Text: []string{strings.ToLower(l.Note), strings.ToLower(l.Subject)}})
	}), nil
}

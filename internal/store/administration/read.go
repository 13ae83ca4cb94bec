package administration

import (
	"context"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/admin"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
	"github.com/wharfinger/wharfinger/internal/store/part"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

// Base is a store whose transactions reach the rows of the catalog too.
type Base interface {
	part.Base
	Both(ctx context.Context, fn func(catalog.Tx, part.Turn) error) error
}

// Administration implements admin.Store.
type Administration struct{ base Base }

var _ admin.Store = (*Administration)(nil)

// New returns the administration of a store.
func New(b Base) *Administration { return &Administration{base: b} }

func up(w admin.Window) int64 {
	if w.Up {
		return 1
	}
	return 0
}

// fold is how words are compared.
func fold(s string) string { return strings.ToLower(s) }

// list runs a statement on the readers and turns its rows.
func list[R, V any](t part.Turn, op string, rows []R, err error, turn func(R) V) ([]V, error) {
	if err != nil {
		return nil, t.Fail(op, err)
	}
	out := make([]V, len(rows))
	for i, r := range rows {
		out[i] = turn(r)
	}
	return out, nil
}

// Users implements admin.Windows.
func (a *Administration) Users(ctx context.Context, w admin.Window) ([]admin.Row, error) {
	t := a.base.Read()
	rows, err := t.WindowUsers(ctx, query.WindowUsersParams{Up: up(w), Past: w.Past, Lim: int64(w.Limit)})
	return list(t, "administration.Users", rows, err, func(r query.WindowUsersRow) admin.Row {
		return admin.Row{
			ID: r.ID, Owner: core.UserID(r.ID), Group: core.GroupID(r.GroupID), Status: catalog.Status(r.Status),
			Text: []string{fold(r.EmailKey), fold(r.Nick)},
		}
	})
}

// Files implements admin.Windows.
func (a *Administration) Files(ctx context.Context, w admin.Window) ([]admin.Row, error) {
	t := a.base.Read()
	rows, err := t.WindowFiles(ctx, query.WindowFilesParams{Up: up(w), Past: w.Past, Lim: int64(w.Limit)})
	return list(t, "administration.Files", rows, err, func(r query.WindowFilesRow) admin.Row {
		return admin.Row{
			ID: r.ID, Owner: core.UserID(r.Owner), Folder: catalog.Kind(r.Kind) == catalog.Folder, Text: []string{fold(r.NameKey)},
		}
	})
}

// Versions implements admin.Windows.
func (a *Administration) Versions(ctx context.Context, w admin.Window) ([]admin.Row, error) {
	t := a.base.Read()
	rows, err := t.WindowVersions(ctx, query.WindowVersionsParams{Up: up(w), Past: w.Past, Lim: int64(w.Limit)})
	return list(t, "administration.Versions", rows, err, func(r query.WindowVersionsRow) admin.Row {
		return admin.Row{ID: r.ID, Owner: core.UserID(r.Owner), Policy: core.PolicyID(r.Policy), Broken: r.Damage != ""}
	})
}

// Shares implements admin.Windows.
func (a *Administration) Shares(ctx context.Context, w admin.Window) ([]admin.Share, error) {
	t := a.base.Read()
	rows, err := t.WindowShares(ctx, query.WindowSharesParams{Up: up(w), Past: w.Past, Lim: int64(w.Limit)})
	return list(t, "administration.Shares", rows, err, func(r query.Share) admin.Share {
		return admin.Share{
			ID: core.ShareID(r.ID), Owner: core.UserID(r.Owner), Node: core.NodeID(r.Node), Name: r.Name,
			Folder: catalog.Kind(r.Kind) == catalog.Folder, Sealed: len(r.Sealed) > 0, Visited: r.Visited, Downloaded: r.Downloaded,
			Created: core.FromMicros(r.CreatedUs), Expires: core.FromMicros(r.ExpiresUs),
		}
	})
}

// Lines implements admin.Windows.
func (a *Administration) Lines(ctx context.Context, w admin.Window) ([]admin.Line, error) {
	t := a.base.Read()
	rows, err := t.WindowTrail(ctx, query.WindowTrailParams{Up: up(w), Past: w.Past, Lim: int64(w.Limit)})
	return list(t, "administration.Lines", rows, err, func(r query.AdminTrail) admin.Line {
		return admin.Line{
			ID: r.ID, At: core.FromMicros(r.AtUs), Who: core.UserID(r.Who), Request: r.Request,
			Action: admin.Action(r.Action), Kind: admin.Kind(r.Kind), Subject: r.Subject, Note: r.Note,
		}
	})
}

// Uploads implements admin.Windows.
func (a *Administration) Uploads(ctx context.Context, limit int) ([]admin.Upload, error) {
	t := a.base.Read()
	rows, err := t.LiveUploads(ctx, int64(limit))
	return list(t, "administration.Uploads", rows, err, func(r query.LiveUploadsRow) admin.Upload {
		return admin.Upload{
			ID: core.SessionID(r.ID), Owner: core.UserID(r.Owner), Node: core.NodeID(r.Node), Policy: core.PolicyID(r.Policy),
			URI: r.URI, Size: r.Size, Received: r.Received, Sealing: r.State == "sealing",
			Created: core.FromMicros(r.CreatedUs), Touched: core.FromMicros(r.TouchedUs), Expires: core.FromMicros(r.ExpiresUs),
		}
	})
}

func toGroup(r query.Group) catalog.Group {
	return catalog.Group{
		ID: core.GroupID(r.ID), Name: r.Name, Permissions: r.Permissions, Quota: r.Quota,
		Policy: core.PolicyID(r.Policy), MaxSessions: r.MaxSessions, MaxVersions: r.MaxVersions,
		TrashFor: time.Duration(r.TrashSeconds) * time.Second,
	}
}

// Groups implements admin.Windows.
func (a *Administration) Groups(ctx context.Context, limit int) ([]catalog.Group, error) {
	t := a.base.Read()
	rows, err := t.Groups(ctx, int64(limit))
	return list(t, "administration.Groups", rows, err, toGroup)
}

// UploadsOf implements admin.Facts.
func (a *Administration) UploadsOf(ctx context.Context, u core.UserID, limit int) ([]core.SessionID, error) {
	t := a.base.Read()
	rows, err := t.LiveUploadsOf(ctx, query.LiveUploadsOfParams{Owner: int64(u), Lim: int64(limit)})
	return list(t, "administration.UploadsOf", rows, err, func(id string) core.SessionID { return core.SessionID(id) })
}

// OwnerOf implements admin.Facts.
func (a *Administration) OwnerOf(ctx context.Context, id core.SessionID) (core.UserID, error) {
	t := a.base.Read()
	owner, err := t.LiveUploadOwner(ctx, string(id))
	if err != nil {
		return 0, t.Found("administration.OwnerOf", err, errs.SessionGone)
	}
	return core.UserID(owner), nil
}

// Span implements admin.Facts.
func (a *Administration) Span(ctx context.Context, k admin.Kind, subject string) (first, last time.Time, err error) {
	t := a.base.Read()
	r, err := t.TrailOf(ctx, query.TrailOfParams{Kind: string(k), Subject: subject})
	return core.FromMicros(r.FirstUs), core.FromMicros(r.LastUs), t.Fail("administration.Span", err)
}

// Doomed implements admin.Facts.
func (a *Administration) Doomed(ctx context.Context, limit int) (int64, error) {
	t := a.base.Read()
	n, err := t.CountDoomed(ctx, int64(limit))
	return n, t.Fail("administration.Doomed", err)
}

// Sharing implements admin.Facts.
func (a *Administration) Sharing(ctx context.Context, p core.PolicyID, blob string) (int64, error) {
	t := a.base.Read()
	n, err := t.CountSharing(ctx, query.CountSharingParams{Policy: int64(p), Blob: blob})
	return n, t.Fail("administration.Sharing", err)
}

// Totals implements admin.Facts.
func (a *Administration) Totals(ctx context.Context) (admin.Totals, error) {
	t := a.base.Read()
	r, err := t.Totals(ctx)
	return admin.Totals{Users: r.Users, Files: r.Files, Versions: r.Versions, Shares: r.Shares}, t.Fail("administration.Totals", err)
}

// settingKey keeps settings apart from other facts about the site.
func settingKey(name string) string { return "setting:" + name }

// Setting implements admin.Facts.
func (a *Administration) Setting(ctx context.Context, name string) (string, error) {
	t := a.base.Read()
	v, err := t.Site(ctx, settingKey(name))
	if dialect.IsNoRows(err) {
		return "", nil
	}
	return v, t.Fail("administration.Setting", err)
}

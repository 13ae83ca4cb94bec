package admin

import (
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	rules "github.com/wharfinger/wharfinger/internal/admin"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
)

func (d *Door) userID(id core.UserID) string { return d.IDs.Encode(core.TagUser, int64(id)) }

// user without the group, as others show it.
func user(u catalog.User, s rules.Span) wire.AdminUser {
	return wire.AdminUser{
		ID: int64(u.ID), CreatedAt: s.Created, UpdatedAt: s.Updated, Email: u.Email, Nick: u.Nick, Status: string(u.Status),
		Settings:   wire.AdminUserSettings{VersionRetention: true, VersionRetentionMax: int(u.Profile.MaxVersions), EmailLanguage: u.Language},
		GroupUsers: int64(u.Group), Quota: u.Quota,
	}
}

// owner is a user as the owner of something.
func owner(u catalog.User) *wire.AdminUser {
	out := user(u, rules.Span{Created: u.Created, Updated: u.Created})
	return &out
}

func (d *Door) user(l rules.UserLine) wire.AdminUser {
	out := user(l.User, l.Span)
	most := l.User.Profile.MaxVersions
	if most == 0 || most > l.Group.MaxVersions {
		most = l.Group.MaxVersions
	}
	out.Settings.VersionRetention, out.Settings.VersionRetentionMax = most > 1, int(most)
	out.Storage, out.Capacity = l.Capacity.Used+l.Capacity.Reserved, l.Capacity.Total
	out.HashID = d.userID(l.User.ID)
	g := group(l.Group, l.Span)
	out.Edges.Group = &g
	return out
}

// group without its policy, as others show it.
func group(g catalog.Group, s rules.Span) wire.AdminGroup {
	return wire.AdminGroup{
		ID: int64(g.ID), CreatedAt: s.Created, UpdatedAt: s.Updated, Name: g.Name, MaxStorage: g.Quota,
		Permissions: wire.Bits(g.Permissions).String(), StoragePolicyID: int64(g.Policy),
		Settings: wire.AdminGroupSettings{
			TrashRetention: int64(g.TrashFor / time.Second), MaxOpenUploads: g.MaxSessions, MaxVersions: g.MaxVersions,
		},
	}
}

func groupLine(l rules.GroupLine) wire.AdminGroup {
	out := group(l.Group, l.Span)
	p := policy(l.Policy, l.Span)
	out.Edges.StoragePolicies = &p
	return out
}

// policy without its groups and its place.
func policy(p catalog.Policy, s rules.Span) wire.AdminPolicy {
	return wire.AdminPolicy{
		ID: int64(p.ID), CreatedAt: s.Created, UpdatedAt: s.Updated, Name: p.Name, Type: p.Type, MaxSize: p.MaxSize,
		Settings: wire.AdminPolicySettings{
			FileType: p.AllowedSuffix, ChunkSize: p.ChunkSize, PreAllocate: true, DeniedFileType: p.DeniedSuffix,
			NameRegexp: p.AllowedName, DeniedNameRegexp: p.DeniedName, ChunkConcurrency: p.Concurrency,
			Encryption: p.Encrypt, Sha256: p.SHA256, Relay: p.Relay, Sync: string(p.Sync),
		},
	}
}

func policyLine(l rules.PolicyLine) wire.AdminPolicy {
	out := policy(l.Policy, l.Span)
	show(&out.Server, l.Place.Endpoint)
	show(&out.BucketName, l.Place.Bucket)
	show(&out.AccessKey, l.Place.AccessKey)
	show(&out.Settings.Region, l.Place.Region)
	show(&out.Settings.PublicEndpoint, l.Place.Public)
	show(&out.Settings.S3PathStyle, l.Place.PathStyle)
	show(&out.Settings.DirectDownload, l.Place.Downloads)
	out.Edges.Groups = each(l.Groups, func(g rules.GroupLine) wire.AdminGroup { return group(g.Group, g.Span) })
	return out
}

// show sets a field to what is known of it.
func show[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

func (d *Door) file(l rules.FileLine) wire.AdminFile {
	out := node(l.File)
	out.Edges = wire.AdminFileEdges{Owner: owner(l.Owner), Entities: each(l.Versions, entity)}
	for _, v := range l.Versions {
		if v.ID == l.File.Version {
			out.StoragePolicyFiles = int64(v.Policy)
		}
	}
	out.UserHashID, out.FileHashID = d.userID(l.File.Owner), d.IDs.Encode(core.TagFile, int64(l.File.ID))
	return out
}

func node(n catalog.Node) wire.AdminFile {
	return wire.AdminFile{
		Type: int(n.Kind), ID: int64(n.ID), CreatedAt: n.Created, UpdatedAt: n.Updated, Name: n.Name, OwnerID: int64(n.Owner),
		Size: n.Size, PrimaryEntity: int64(n.Version), FileChildren: int64(n.Parent),
	}
}

func entity(v rules.Content) wire.AdminEntity {
	return wire.AdminEntity{
		ID: int64(v.ID), CreatedAt: v.Created, UpdatedAt: v.Created, Source: v.Blob, Size: v.Size, Type: int(v.Kind),
		ReferenceCount: int(v.Sharing), StoragePolicyEntities: int64(v.Policy), CreatedBy: int64(v.Creator), Damaged: v.Damage,
	}
}

func (d *Door) entity(l rules.VersionLine) wire.AdminEntity {
	out := entity(l.Version)
	p := policy(l.Policy, rules.Span{})
	out.Edges = wire.AdminEntityEdges{User: owner(l.Owner), StoragePolicy: &p}
	out.UserHashID = d.userID(l.Version.Owner)
	return out
}

func (d *Door) share(l rules.ShareLine, origin string) wire.AdminShare {
	s := l.Share
	out := wire.AdminShare{
		ID: int64(s.ID), CreatedAt: s.Created, UpdatedAt: s.Created, Views: s.Visited, Downloads: s.Downloaded,
		Props: map[string]any{}, Edges: wire.AdminShareEdges{User: owner(l.Owner)}, UserHashID: d.userID(s.Owner),
		ShareLink: origin + "/s/" + d.IDs.Encode(core.TagShare, int64(s.ID)),
	}
	if !s.Expires.IsZero() {
		out.Expires = &s.Expires
	}
	if l.Node.ID != 0 {
		n := node(l.Node)
		out.Edges.File = &n
	}
	return out
}

func (d *Door) upload(l rules.UploadLine) wire.AdminUpload {
	u := l.Upload
	o := owner(l.Owner)
	o.HashID = d.userID(l.Owner.ID)
	return wire.AdminUpload{
		ID: string(u.ID), Owner: *o, URI: u.URI, Size: u.Size, Received: u.Received, Completing: u.Sealing,
		CreatedAt: u.Created, TouchedAt: u.Touched, Expires: u.Expires,
	}
}

func trailLine(l rules.Line) wire.AdminTrailLine {
	return wire.AdminTrailLine{
		ID: l.ID, At: l.At, Who: int64(l.Who), Request: l.Request, Action: wire.AdminTrailLineAction(l.Action),
		Kind: wire.AdminTrailLineKind(l.Kind), Subject: l.Subject, Note: l.Note,
	}
}

package desk

import (
	"encoding/base64"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
)

// URIOf is the address of a path in a user's own drive, as listings show it.
func URIOf(p core.Path) string { return wire.MyURI(p.Names()...).String() }

// File turns a node into what clients see. full: with its metadata; without,
// they read null, "not loaded".
func (d *Desk) File(n catalog.Node, at core.Path, full bool) wire.File {
	f := wire.File{
		Type: wire.FileType(n.Kind), ID: d.IDs.Encode(core.TagFile, int64(n.ID)), Name: n.Name,
		CreatedAt: n.Created, UpdatedAt: n.Updated, Size: n.Size, Path: URIOf(at),
		Capability: wire.OwnDrive.String(), Owned: true, PrimaryEntity: d.EntityID(n.Version),
	}
	if full {
		f.Metadata = n.Shown()
	}
	return f
}

// Trashed is File for what is in the trash, at a path of that.
func (d *Desk) Trashed(n catalog.Node, at core.Path) wire.File {
	f := d.File(n, at, true)
	f.Path, f.Capability = wire.URI{FS: wire.FSTrash, Path: at.Names()}.String(), wire.TrashDrive.String()
	if from, err := core.ParsePath(n.Meta[catalog.RestoreKey]); err == nil && !from.IsRoot() {
		f.Metadata[catalog.RestoreKey] = URIOf(from)
	}
	return f
}

// EntityID of 0 is the constant id of a file without content.
func (d *Desk) EntityID(id core.VersionID) string { return d.IDs.Encode(core.TagVersion, int64(id)) }

// VersionID reads what EntityID wrote.
func (d *Desk) VersionID(public string) (core.VersionID, error) {
	id, err := d.IDs.Decode(core.TagVersion, public)
	return core.VersionID(id), err
}

// Policy is a storage policy as clients need it.
func (d *Desk) Policy(p catalog.Policy) wire.StoragePolicy {
	return wire.StoragePolicy{
		ID: d.IDs.Encode(core.TagPolicy, int64(p.ID)), Name: p.Name, Type: p.Type, MaxSize: p.MaxSize,
		AllowedSuffix: p.AllowedSuffix, DeniedSuffix: p.DeniedSuffix,
		AllowedNameRegexp: p.AllowedName, DeniedNameRegexp: p.DeniedName,
		ChunkConcurrency: int(p.Concurrency), Encryption: p.Encrypt, Relay: p.Relay,
		Sync: wire.StoragePolicySync(p.Sync),
	}
}

// User is a user as the user may see it.
func (d *Desk) User(h catalog.Home) wire.User {
	g := d.Group(h.Group)
	return wire.User{
		ID: d.IDs.Encode(core.TagUser, int64(h.User.ID)), Email: h.User.Email, Nickname: h.User.Nick,
		Status: string(h.User.Status), CreatedAt: h.User.Created, Language: h.User.Language, Group: &g,
		Avatar: h.User.Profile.Avatar, PreferredTheme: h.User.Profile.Theme, DisableViewSync: h.User.Profile.ViewAlone,
		Pined: pins(h.Pins),
	}
}

func pins(all []catalog.Pin) []wire.Pin {
	out := make([]wire.Pin, len(all))
	for i, p := range all {
		out[i] = wire.Pin{URI: p.URI, Name: p.Name}
	}
	return out
}

// MaxLinks is how many direct links one request may ask for.
const MaxLinks = 1000

// Group is a group as its users see it.
func (d *Desk) Group(g catalog.Group) wire.Group {
	out := wire.Group{
		ID: d.IDs.Encode(core.TagGroup, int64(g.ID)), Name: g.Name,
		Permission:     wire.Bits(g.Permissions &^ (1 << catalog.PermDirectLink)).String(),
		TrashRetention: int64(g.TrashFor / time.Second),
	}
	if g.May(catalog.PermDirectLink) {
		out.DirectLinkBatchSize = MaxLinks
	}
	return out
}

func locks(held []catalog.Held) []wire.LockInfo {
	out := make([]wire.LockInfo, len(held))
	for i, h := range held {
		out[i] = wire.LockInfo{
			Path: URIOf(h.Path), Token: h.Lock.Token, Type: wire.FileType(h.Kind),
			Owner: wire.LockOwner{Application: wire.LockApplication{Type: h.Lock.Application}},
		}
	}
	return out
}

// Keys spells out the cipher for the client that must apply it.
func Keys(c *blob.Cipher) *wire.EncryptMetadata {
	if c == nil {
		return nil
	}
	return &wire.EncryptMetadata{
		Algorithm:    blob.CipherName,
		KeyPlainText: base64.StdEncoding.EncodeToString(c.Key[:]),
		Iv:           base64.StdEncoding.EncodeToString(c.IV[:]),
	}
}

// Digests writes the digests of a content as RFC 9530 §2 does.
func Digests(crc uint64, sha []byte) string {
	ds := []wire.Digest{{Algorithm: wire.CRC64NVME, Sum: blob.CRC(crc).Value}}
	if sha != nil {
		ds = append(ds, wire.Digest{Algorithm: wire.SHA256, Sum: sha})
	}
	return wire.FormatDigests(ds...)
}

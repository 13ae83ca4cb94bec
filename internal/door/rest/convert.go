package rest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// uriOf is the address of a path in a user's own drive, as listings show it.
func uriOf(p core.Path) string { return wire.MyURI(p.Names()...).String() }

// file turns a node into what clients see. full: with its metadata; without,
// they read null, "not loaded".
func (d *Door) file(n catalog.Node, at core.Path, full bool) wire.File {
	f := wire.File{
		Type: wire.FileType(n.Kind), ID: d.IDs.Encode(core.TagFile, int64(n.ID)), Name: n.Name,
		CreatedAt: n.Created, UpdatedAt: n.Updated, Size: n.Size, Path: uriOf(at),
		Capability: wire.OwnDrive.String(), Owned: true, PrimaryEntity: d.entityID(n.Version),
	}
	if full {
		f.Metadata = n.Shown()
	}
	return f
}

// entityID of 0 is the constant id of a file without content.
func (d *Door) entityID(id core.VersionID) string { return d.IDs.Encode(core.TagVersion, int64(id)) }

func (d *Door) versionID(public string) (core.VersionID, error) {
	id, err := d.IDs.Decode(core.TagVersion, public)
	return core.VersionID(id), err
}

func (d *Door) policy(p catalog.Policy) wire.StoragePolicy {
	return wire.StoragePolicy{
		ID: d.IDs.Encode(core.TagPolicy, int64(p.ID)), Name: p.Name, Type: p.Type, MaxSize: p.MaxSize,
		AllowedSuffix: p.AllowedSuffix, DeniedSuffix: p.DeniedSuffix,
		AllowedNameRegexp: p.AllowedName, DeniedNameRegexp: p.DeniedName,
		ChunkConcurrency: int(p.Concurrency), Encryption: p.Encrypt, Relay: p.Relay,
		Sync: wire.StoragePolicySync(p.Sync),
	}
}

func (d *Door) user(h catalog.Home) wire.User {
	g := d.group(h.Group)
	return wire.User{
		ID: d.IDs.Encode(core.TagUser, int64(h.User.ID)), Email: h.User.Email, Nickname: h.User.Nick,
		Status: string(h.User.Status), CreatedAt: h.User.Created, Language: h.User.Language, Group: &g,
	}
}

func (d *Door) group(g catalog.Group) wire.Group {
	return wire.Group{
		ID: d.IDs.Encode(core.TagGroup, int64(g.ID)), Name: g.Name, Permission: wire.Bits(g.Permissions).String(),
	}
}

// anonymous is who a caller without a token is. Group 3 is the built-in one.
func (d *Door) anonymous() wire.User {
	const group = 3
	return wire.User{
		ID: d.IDs.Encode(core.TagUser, 0), Anonymous: true,
		Group: &wire.Group{
			ID: d.IDs.Encode(core.TagGroup, group), Name: "Anonymous",
			Permission: wire.BitsOf(wire.GroupAnonymous, wire.GroupShareDownload).String(),
		},
	}
}

func locks(held []catalog.Held) []wire.LockInfo {
	out := make([]wire.LockInfo, len(held))
	for i, h := range held {
		out[i] = wire.LockInfo{
			Path: uriOf(h.Path), Token: h.Lock.Token, Type: wire.FileType(h.Kind),
			Owner: wire.LockOwner{Application: wire.LockApplication{Type: h.Lock.Application}},
		}
	}
	return out
}

// keys spells out the cipher for the client that must apply it.
func keys(c *blob.Cipher) *wire.EncryptMetadata {
	if c == nil {
		return nil
	}
	return &wire.EncryptMetadata{
		Algorithm:    blob.CipherName,
		KeyPlainText: base64.StdEncoding.EncodeToString(c.Key[:]),
		Iv:           base64.StdEncoding.EncodeToString(c.IV[:]),
	}
}

func digests(crc uint64, sha []byte) string {
	ds := []wire.Digest{{Algorithm: wire.CRC64NVME, Sum: blob.CRC(crc).Value}}
	if sha != nil {
		ds = append(ds, wire.Digest{Algorithm: wire.SHA256, Sum: sha})
	}
	return wire.FormatDigests(ds...)
}

func (d *Door) progress(p upload.Progress) wire.UploadProgress {
	s := p.Session
	out := wire.UploadProgress{
		SessionID: string(s.ID), URI: s.URI, Size: s.Size, ChunkSize: s.ChunkSize, PieceAlign: s.PieceAlign(),
		Received: [][2]int64{}, ReceivedBytes: s.Received, State: wire.UploadState(s.State),
		Expires: s.Expires.Unix(), CreatedAt: s.Created, UpdatedAt: s.Touched,
		StoragePolicy: d.policy(p.Policy), EncryptMetadata: keys(p.Cipher),
	}
	if !s.Modified.IsZero() {
		out.LastModified = s.Modified.UnixMilli()
	}
	for _, r := range p.Received {
		out.Received = append(out.Received, [2]int64{r.From, r.To})
	}
	for _, part := range p.Samples {
		out.Samples = append(out.Samples, wire.UploadSample{Bytes: [2]int64{part.Range.From, part.Range.To}, Digest: digests(part.CRC64, nil)})
	}
	if s.State == upload.Done {
		out.ReprDigest = digests(s.Ending.CRC64, s.Ending.SHA256)
		out.PrimaryEntity = d.entityID(s.Version)
	}
	return out
}

// view is how a folder is shown, if its owner ever said.
func view(n catalog.Node) *wire.View {
	var v wire.View
	if n.View() == "" || json.Unmarshal([]byte(n.View()), &v) != nil {
		return nil
	}
	return &v
}

func (d *Door) extended(ctx context.Context, n catalog.Node, h catalog.Home) (*wire.ExtendedInfo, error) {
	versions, err := d.Catalog.VersionsOf(ctx, n)
	if err != nil {
		return nil, err
	}
	policy := d.policy(h.Policy)
	x := &wire.ExtendedInfo{StoragePolicy: &policy, Entities: []wire.Entity{}, View: view(n)}
	for _, v := range versions {
		e := wire.Entity{
			ID: d.entityID(v.ID), Size: v.Size, Type: int(v.Kind), CreatedAt: v.Created, StoragePolicy: &policy,
			CreatedBy:  &wire.User{ID: d.IDs.Encode(core.TagUser, int64(v.Creator)), Nickname: h.User.Nick, CreatedAt: h.User.Created},
			ReprDigest: digests(v.CRC64, v.SHA256), Damaged: v.Damage != "",
		}
		if v.Cipher != nil {
			e.EncryptedWith = v.Cipher.Algorithm
		}
		x.Entities = append(x.Entities, e)
		x.StorageUsed += v.Size
	}
	return x, nil
}

func (d *Door) summary(s catalog.Summary, now time.Time) *wire.FolderSummary {
	return &wire.FolderSummary{Size: s.Bytes, Files: s.Files, Folders: s.Folders, Completed: true, CalculatedAt: now}
}

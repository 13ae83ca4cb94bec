package rest

import (
	"context"
	"encoding/json"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/upload"
)

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

func (d *Door) progress(p upload.Progress) wire.UploadProgress {
	s := p.Session
	out := wire.UploadProgress{
		SessionID: string(s.ID), URI: s.URI, Size: s.Size, ChunkSize: s.ChunkSize, PieceAlign: s.PieceAlign(),
		Received: [][2]int64{}, ReceivedBytes: s.Received, State: wire.UploadState(s.State),
		Expires: s.Expires.Unix(), CreatedAt: s.Created, UpdatedAt: s.Touched,
		StoragePolicy: d.Policy(p.Policy), EncryptMetadata: desk.Keys(p.Cipher),
	}
	if !s.Modified.IsZero() {
		out.LastModified = s.Modified.UnixMilli()
	}
	for _, r := range p.Received {
		out.Received = append(out.Received, [2]int64{r.From, r.To})
	}
	for _, part := range p.Samples {
		out.Samples = append(out.Samples, wire.UploadSample{Bytes: [2]int64{part.Range.From, part.Range.To}, Digest: desk.Digests(part.CRC64, nil)})
	}
	if s.State == upload.Done {
		out.ReprDigest = desk.Digests(s.Ending.CRC64, s.Ending.SHA256)
		out.PrimaryEntity = d.EntityID(s.Version)
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
	policy := d.Policy(h.Policy)
	x := &wire.ExtendedInfo{StoragePolicy: &policy, Entities: []wire.Entity{}, View: view(n)}
	for _, v := range versions {
		e := wire.Entity{
			ID: d.EntityID(v.ID), Size: v.Size, Type: int(v.Kind), CreatedAt: v.Created, StoragePolicy: &policy,
			CreatedBy:  &wire.User{ID: d.IDs.Encode(core.TagUser, int64(v.Creator)), Nickname: h.User.Nick, CreatedAt: h.User.Created},
			ReprDigest: desk.Digests(v.CRC64, v.SHA256), Damaged: v.Damage != "",
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

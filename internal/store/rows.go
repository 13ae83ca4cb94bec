package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/store/query"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// micros is core.Micros with the zero time as 0, which core.FromMicros reverses.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return core.Micros(t)
}

// toJSON keeps nothing as "", so that an empty map and an empty list read back
// as nil.
func toJSON[T map[string]string | []string](v T) string {
	if len(v) == 0 {
		return ""
	}
	b, _ := json.Marshal(v) // strings cannot fail
	return string(b)
}

func fromJSON[T map[string]string | []string](text string) (v T, err error) {
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return nil, fmt.Errorf("a row holds JSON that does not parse: %w", err)
	}
	return v, nil
}

// bytesOrNil reads an empty BLOB as the nil that was written.
func bytesOrNil(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

func toNode(r query.Node) (catalog.Node, error) {
	meta, err := fromJSON[map[string]string](r.Meta)
	return catalog.Node{
		ID: core.NodeID(r.ID), Owner: core.UserID(r.Owner), Parent: core.NodeID(r.Parent.Int64),
		Name: r.Name, Key: r.NameKey, Kind: catalog.Kind(r.Kind), Size: r.Size, Version: core.VersionID(r.Version),
		Created: core.FromMicros(r.CreatedUs), Updated: core.FromMicros(r.UpdatedUs), Meta: meta,
		Session: core.SessionID(r.Session), Rev: core.Rev(r.Rev),
	}, err
}

// fromParent keeps a root's missing parent as NULL.
func fromParent(id core.NodeID) sql.NullInt64 {
	return sql.NullInt64{Int64: int64(id), Valid: id != 0}
}

func toVersion(r query.Version) catalog.Version {
	return catalog.Version{
		ID: core.VersionID(r.ID), Node: core.NodeID(r.Node), Owner: core.UserID(r.Owner),
		Kind: catalog.VersionKind(r.Kind), Size: r.Size, Policy: core.PolicyID(r.Policy), Blob: r.Blob,
		CRC64: uint64(r.CRC64), SHA256: bytesOrNil(r.SHA256), Cipher: toCipher(r.Cipher, r.SealedKey, r.IV),
		Created: core.FromMicros(r.CreatedUs), Creator: core.UserID(r.Creator), Damage: r.Damage,
	}
}

func fromVersion(v catalog.Version) query.Version {
	c := fromCipher(v.Cipher)
	return query.Version{
		ID: int64(v.ID), Node: int64(v.Node), Owner: int64(v.Owner), Kind: int64(v.Kind), Size: v.Size,
		Policy: int64(v.Policy), Blob: v.Blob, CRC64: int64(v.CRC64), SHA256: v.SHA256,
		Cipher: c.Algorithm, SealedKey: c.SealedKey, IV: c.IV, CreatedUs: micros(v.Created), Creator: int64(v.Creator),
		Damage: v.Damage,
	}
}

func toCipher(algorithm string, key, iv []byte) *catalog.Encryption {
	if algorithm == "" {
		return nil
	}
	return &catalog.Encryption{Algorithm: algorithm, SealedKey: key, IV: iv}
}

func fromCipher(c *catalog.Encryption) catalog.Encryption {
	if c == nil {
		return catalog.Encryption{}
	}
	return *c
}

func toUser(r query.User) catalog.User {
	return catalog.User{
		ID: core.UserID(r.ID), Email: r.Email, Nick: r.Nick, Password: core.Secret(r.Password),
		Group: core.GroupID(r.GroupID), Status: catalog.Status(r.Status), Quota: r.Quota, Epoch: r.Epoch,
		Language: r.Language, Created: core.FromMicros(r.CreatedUs),
		Profile: catalog.Profile{
			Theme: r.Theme, Avatar: r.Avatar, ViewAlone: r.ViewAlone, ShareLinks: r.ShareLinks, MaxVersions: r.MaxVersions,
			KeepExt: extensions(r.KeepExt),
		},
	}
}

// extensions reads what accounts.SaveProfile joins; nil for none.
func extensions(joined string) []string {
	if joined == "" {
		return nil
	}
	return strings.Split(joined, "/")
}

func toGroup(r query.Group) catalog.Group {
	return catalog.Group{
		ID: core.GroupID(r.ID), Name: r.Name, Permissions: r.Permissions, Quota: r.Quota,
		Policy: core.PolicyID(r.Policy), MaxSessions: r.MaxSessions, MaxVersions: r.MaxVersions,
		TrashFor: time.Duration(r.TrashSeconds) * time.Second,
	}
}

func toPolicy(r query.Policy) (catalog.Policy, error) {
	allowed, err := fromJSON[[]string](r.AllowedSuffix)
	if err != nil {
		return catalog.Policy{}, err
	}
	denied, err := fromJSON[[]string](r.DeniedSuffix)
	return catalog.Policy{
		ID: core.PolicyID(r.ID), Rev: core.Rev(r.Rev), Name: r.Name, Type: r.Type, Config: r.Config,
		ChunkSize: r.ChunkSize, MaxSize: r.MaxSize, AllowedSuffix: allowed, DeniedSuffix: denied,
		AllowedName: r.AllowedName, DeniedName: r.DeniedName, Encrypt: r.Encrypt, Sync: blob.Sync(r.Sync),
		SHA256: r.SHA256, Concurrency: r.Concurrency, Relay: r.Relay,
	}, err
}

func toLock(r query.LockOfRow) catalog.Lock {
	return catalog.Lock{
		Token: r.LockToken, Node: core.NodeID(r.Node), Owner: core.UserID(r.Owner), Application: "upload",
		Session: core.SessionID(r.ID), Created: core.FromMicros(r.CreatedUs),
	}
}

func toSession(r query.Session, locked bool) (upload.Session, error) {
	meta, err := fromJSON[map[string]string](r.Meta)
	return upload.Session{
		ID: core.SessionID(r.ID), Owner: core.UserID(r.Owner), Node: core.NodeID(r.Node),
		Version: core.VersionID(r.Version), Policy: core.PolicyID(r.Policy), PolicyRev: core.Rev(r.PolicyRev),
		URI: r.URI, Size: r.Size, ChunkSize: r.ChunkSize, Received: r.Received, State: upload.State(r.State),
		Fresh: r.Fresh, Kind: catalog.VersionKind(r.Kind), Modified: core.FromMicros(r.ModifiedUs), MIME: r.MIME,
		Meta: meta, Blob: r.Blob, VendorID: r.VendorID, Cipher: toCipher(r.Cipher, r.SealedKey, r.IV), Sealed: r.Sealed,
		Lock: r.LockToken, Locked: locked, Secret: bytesOrNil(r.Secret), Created: core.FromMicros(r.CreatedUs),
		Touched: core.FromMicros(r.TouchedUs), Expires: core.FromMicros(r.ExpiresUs),
		Ending: upload.Ending{
			At: core.FromMicros(r.EndedUs), CRC64: uint64(r.EndCRC64), SHA256: bytesOrNil(r.EndSHA256),
		},
	}, err
}

func toPart(r query.Part) upload.Part {
	return upload.Part{
		Range: core.Range{From: r.Start, To: r.Stop}, CRC64: uint64(r.CRC64), SHA256: bytesOrNil(r.SHA256),
		At: core.FromMicros(r.AtUs),
	}
}

// each turns rows into values, and stops at the first that does not turn.
func each[R, V any](rows []R, turn func(R) (V, error)) ([]V, error) {
	out := make([]V, 0, len(rows))
	for _, r := range rows {
		v, err := turn(r)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// sound is turn for rows that always turn.
func sound[R, V any](turn func(R) V) func(R) (V, error) {
	return func(r R) (V, error) { return turn(r), nil }
}

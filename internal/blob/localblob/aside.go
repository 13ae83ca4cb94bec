package localblob

import (
	"context"
	"path"

	"github.com/wharfinger/wharfinger/internal/blob"
)

// quarantine keeps what audits set aside, a folder for each day.
const quarantine = "quarantine"

func (d *driver) SetAside(ctx context.Context, key, folder string) (string, error) {
	if err := d.ready(ctx); err != nil {
		return "", err
	}
	if blob.PackName(key) != "" {
		f, err := d.settled(key)
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }()
	}
	from := pathOf(key)
	dir := path.Join(quarantine, folder)
	if err := d.mkdir(dir, true); err != nil {
		return "", err
	}
	to := path.Join(dir, path.Base(from))
	if err := d.fs.Rename(from, to); err != nil {
		return "", err
	}
	// The new name first: a cut leaves the file under one name or both.
	if err := d.syncDir(dir); err != nil {
		return "", err
	}
	return to, d.syncDir(path.Dir(from))
}

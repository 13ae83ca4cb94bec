package relayblob

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

var _ blob.Shelf = (*driver)(nil)

// SetAside copies an object to a prefix of its own beside ours, where no audit looks,
// and removes it when the copy is there. What was copied before a crash is taken for
// the copy.
func (d *driver) SetAside(ctx context.Context, key, folder string) (string, error) {
	here := d.there(key)
	there := strings.TrimSuffix(d.prefix, "/") + "-quarantine/" + folder + "/" + key
	info, err := d.far.Stat(ctx, here)
	if err != nil {
		return "", from(d.far, err)
	}
	err = d.again(ctx, here, there, info.Size)
	if err != nil && (d.far.Classify(err) != errs.Exists || !d.copied(ctx, there, info.Size)) {
		return "", from(d.far, err)
	}
	failed, err := d.far.Delete(ctx, []string{here})
	if err == nil && len(failed) > 0 {
		err = failed[0].Err
	}
	return there, from(d.far, err)
}

// again stores an object under another key: inside the store, if it does that for one of
// that size, else through us.
func (d *driver) again(ctx context.Context, here, there string, size int64) error {
	if c, able := d.far.(blob.Copier); able && size <= blob.MaxCopy {
		_, err := c.Copy(ctx, here, there)
		if kind := d.far.Classify(err); err == nil || kind == errs.Exists || kind == errs.Transient || ctx.Err() != nil {
			return err
		} // it may be allowed to read and to write, and not to copy
	}
	src := &stored{ctx: ctx, far: d.far, key: here, size: size}
	defer src.close()
	_, err := d.far.Put(ctx, there, src, blob.PutOptions{Sync: blob.SyncAnswer})
	return err
}

func (d *driver) copied(ctx context.Context, key string, size int64) bool {
	info, err := d.far.Stat(ctx, key)
	return err == nil && info.Size == size
}

// stored is an object of the store that is to be stored again.
type stored struct {
	ctx  context.Context //nolint:containedctx // the reads of one call
	far  blob.Driver
	key  string
	size int64
	body io.ReadCloser
}

func (s *stored) Size() int64 { return s.size }

func (s *stored) Read(p []byte) (int, error) {
	if s.size == 0 {
		return 0, io.EOF
	}
	if s.body == nil {
		body, err := s.far.Open(s.ctx, s.key, core.Range{To: s.size})
		if err != nil {
			return 0, fmt.Errorf("read what is to be set aside: %w", err)
		}
		s.body = body
	}
	return s.body.Read(p)
}

func (s *stored) Rewind() error {
	s.close()
	return nil
}

func (s *stored) close() {
	if s.body != nil {
		_ = s.body.Close() // read only
		s.body = nil
	}
}

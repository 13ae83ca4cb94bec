package xmlstore

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"

	"github.com/wharfinger/wharfinger/internal/blob"
)

// Copy implements blob.Copier. The status of the answer says nothing: it is sent before
// the copy is made, and an ETag in the body says that it was.
// https://cloud.tencent.com/document/product/436/10881,
// https://support.huaweicloud.com/intl/en-us/api-obs/obs_04_0082.html,
// https://help.aliyun.com/document_detail/31979.html
func (s *Store) Copy(ctx context.Context, from, to string) (blob.Info, error) {
	if err := s.vacant(ctx, to); err != nil {
		return blob.Info{}, err
	}
	source := "/" + s.bucket + "/" + EncodePath(from)
	if s.ByHost {
		source = s.base.Host + "/" + EncodePath(from)
	}
	var out struct {
		XMLName xml.Name
		ETag    string
	}
	doing := "copy " + from
	_, err := s.ask(ctx, call{
		doing: doing, method: http.MethodPut, key: to, header: []Pair{{s.header("copy-source"), source}},
	}, &out)
	if err == nil && out.ETag == "" {
		err = fmt.Errorf(s.Name+": %w: %s: no ETag", ErrAnswer, doing)
	}
	if err != nil && !errors.Is(err, ErrAnswer) {
		return blob.Info{}, err
	}
	// After an answer that was lost the objects themselves say what became of it.
	was, sums, _, herr := s.head(ctx, from)
	if herr != nil {
		return blob.Info{}, errors.Join(err, herr)
	}
	info, copied, _, herr := s.head(ctx, to)
	switch {
	case herr != nil:
		return blob.Info{}, errors.Join(err, herr)
	case info.Size != was.Size, len(sums) == 1 && !has(copied, sums[0].Value):
		return blob.Info{}, errors.Join(err, fmt.Errorf("%s: %w: %s: the copy is another", s.Name, errSum, doing))
	}
	return info, nil
}

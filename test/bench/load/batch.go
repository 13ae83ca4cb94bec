//go:build linux

package load

import (
	"errors"
	"net/http"
)

const batchPath = "/api/v4/file/batch"

// Batch sends many small files in one request, where the server has a door for it.
func (r Run) Batch() Result {
	out := r.result("batch")
	t, ok := r.Target.(*v4)
	if !ok {
		return out.failed(errors.New("the batch door is measured over v4 only"))
	}
	if err := t.setup(r.Dir); err != nil {
		return out.failed(err)
	}
	k, err := dial(r.Addr)
	if err != nil {
		return out.failed(err)
	}
	defer k.close()
	got, err := k.do(request{method: http.MethodPost, path: batchPath, header: t.auth})
	if err != nil {
		return out.failed(err)
	}
	if got.status == http.StatusNotFound {
		out.Skip = "POST " + batchPath + " answers 404: this server has no batch door"
		return out
	}
	return out.failed(errors.New("the server has a batch door, and this generator does not speak it"))
}

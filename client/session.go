package client

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client/plan"
	"github.com/wharfinger/wharfinger/client/seal"
)

// session is an upload session as one call of Upload knows it.
type session struct {
	*plan.Plan
	id   string
	size int64
	seal *seal.Seal // nil: in clear
	far  *far       // nil: the bytes go through the server
	// atOnce: the file went over in one request, which proved its digest.
	atOnce atomic.Bool
}

func newSession(id string, shape plan.Shape, m *wire.EncryptMetadata) (*session, error) {
	p, err := plan.New(shape)
	if id == "" {
		err = errors.New("without an id")
	}
	if err != nil {
		return nil, fmt.Errorf("begin upload: the server answered a session %q: %w", id, err)
	}
	key, err := seal.New(m)
	if err != nil {
		return nil, err
	}
	return &session{Plan: p, id: id, size: shape.Size, seal: key}, nil
}

// complete reports that the server needs no more bytes.
func complete(p wire.UploadProgress) bool {
	return p.State == wire.StateDone || p.State == wire.StateSealing
}

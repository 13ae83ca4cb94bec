package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client/fail"
	"github.com/wharfinger/wharfinger/client/flow"
)

// Stream posts a body of its own kind to an API path and returns the answer as it
// comes, to be closed by the caller. An answer that is a refusal of the whole is an
// *Error. If nothing moves in either direction for Options.StallAfter, it ends.
func (c *Client) Stream(ctx context.Context, op, path, kind string, body []byte) (io.ReadCloser, error) {
	bearer, err := c.auth.bearer(ctx, "")
	if err != nil {
		return nil, err
	}
	out, err := c.stream(ctx, op, bearer, path, kind, body)
	if bearer == "" || !fail.HasCode(err, wire.CodeLoginRequired, wire.CodeCredentialInvalid) && !fail.HasStatus(err, http.StatusUnauthorized) {
		return out, err
	}
	if bearer, err = c.auth.bearer(ctx, bearer); err != nil {
		return nil, err
	}
	return c.stream(ctx, op, bearer, path, kind, body)
}

func (c *Client) stream(ctx context.Context, op, bearer, path, kind string, body []byte) (io.ReadCloser, error) {
	watched, watch := flow.NewWatch(ctx, c.stall)
	req, err := http.NewRequestWithContext(watched, http.MethodPost, c.endpoint(path, nil), &flow.Moving{Reader: bytes.NewReader(body), Watch: watch})
	if err != nil {
		watch.Stop()
		return nil, err
	}
	id := newUUID()
	req.ContentLength = int64(len(body))
	req.Header.Set("Content-Type", kind)
	req.Header.Set(headerCorrelation, id)
	req.Header.Set("User-Agent", c.agent)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	fault := func(err error) error {
		if errors.Is(context.Cause(watched), flow.ErrStalled) {
			err = flow.ErrStalled
		}
		return noAnswer(ctx, op, id, err)
	}
	resp, err := c.http.Do(req) //nolint:bodyclose // closed by the caller, or below
	if err != nil {
		err = fault(err)
		watch.Stop()
		return nil, err
	}
	in := &flow.Moving{Reader: resp.Body, Closer: resp.Body, Watch: watch, Fault: fault}
	if resp.StatusCode < http.StatusMultipleChoices && !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return in, nil
	}
	defer func() { _ = in.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(in, maxAnswer))
	if err != nil {
		return nil, err
	}
	if _, err = decode[wire.None](op, resp, text); err == nil {
		err = notOurs(op, resp, text)
	}
	return nil, err
}

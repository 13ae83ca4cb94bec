package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/wharfinger/wharfinger/api/wire"
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
	if bearer == "" || !hasCode(err, wire.CodeLoginRequired, wire.CodeCredentialInvalid) && !hasStatus(err, http.StatusUnauthorized) {
		return out, err
	}
	if bearer, err = c.auth.bearer(ctx, bearer); err != nil {
		return nil, err
	}
	return c.stream(ctx, op, bearer, path, kind, body)
}

func (c *Client) stream(ctx context.Context, op, bearer, path, kind string, body []byte) (io.ReadCloser, error) {
	watched, watch := newWatch(ctx, c.stall)
	req, err := http.NewRequestWithContext(watched, http.MethodPost, c.endpoint(path, nil), &moving{r: bytes.NewReader(body), watch: watch})
	if err != nil {
		watch.stop()
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
		if errors.Is(context.Cause(watched), errStalled) {
			err = errStalled
		}
		return noAnswer(ctx, op, id, err)
	}
	resp, err := c.http.Do(req) //nolint:bodyclose // closed by the caller, or below
	if err != nil {
		err = fault(err)
		watch.stop()
		return nil, err
	}
	in := &moving{r: resp.Body, c: resp.Body, watch: watch, fault: fault}
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

// moving tells the watch of every byte.
type moving struct {
	r     io.Reader
	c     io.Closer // nil: a request body, which has nothing to close
	watch *watch
	fault func(error) error // names an error; nil: it stays
}

func (m *moving) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if n > 0 {
		m.watch.moved(1)
	}
	if err != nil && !errors.Is(err, io.EOF) && m.fault != nil {
		err = m.fault(err)
	}
	return n, err
}

// Close ends the answer.
func (m *moving) Close() error {
	if m.c == nil {
		return nil
	}
	m.watch.stop()
	return m.c.Close()
}

package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client/fail"
	"github.com/wharfinger/wharfinger/client/straight"
)

// Answers are read up to here; none that is real comes near.
const maxAnswer = 64 << 20

const headerCorrelation = "X-Cr-Correlation-Id"

// request is one call of the JSON API.
type request struct {
	op        string
	method    string
	path      string // below /api/v4, escaped
	query     url.Values
	body      any  // JSON; nil: none
	anonymous bool // without a token, as signing in is
}

// call sends q once, and once more with a new token if the old one is refused.
func call[T any](ctx context.Context, c *Client, q request) (T, error) {
	var body []byte
	if q.body != nil {
		var err error
		if body, err = json.Marshal(q.body); err != nil {
			return *new(T), fmt.Errorf("%s: %w", q.op, err)
		}
	}
	build := func(ctx context.Context) (*http.Request, error) {
		req, err := http.NewRequestWithContext(ctx, q.method, c.endpoint(q.path, q.query), bytes.NewReader(body))
		if err == nil && body != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		return req, err
	}
	if q.anonymous {
		return once[T](ctx, c, q.op, "", build)
	}
	return authorised[T](ctx, c, q.op, build)
}

type buildFunc func(context.Context) (*http.Request, error)

func authorised[T any](ctx context.Context, c *Client, op string, build buildFunc) (T, error) {
	bearer, err := c.auth.bearer(ctx, "")
	if err != nil {
		return *new(T), err
	}
	data, err := once[T](ctx, c, op, bearer, build)
	if bearer == "" || !fail.HasCode(err, wire.CodeLoginRequired, wire.CodeCredentialInvalid) && !fail.HasStatus(err, http.StatusUnauthorized) {
		return data, err
	}
	if bearer, err = c.auth.bearer(ctx, bearer); err != nil {
		return data, err
	}
	return once[T](ctx, c, op, bearer, build)
}

// patience is how long an ordinary call is repeated: nobody wants to look at a
// list for ten minutes before it says that the server is away.
const patience = 8 * time.Second

// retried repeats a call that may be repeated while its failure may pass.
func retried[T any](ctx context.Context, c *Client, q request) (T, error) {
	b := c.backoff(patience, nil, nil)
	for {
		data, err := call[T](ctx, c, q)
		if err == nil || !IsRetryable(err) {
			return data, err
		}
		if err := b.wait(ctx, 0, err); err != nil {
			return data, err
		}
	}
}

func once[T any](ctx context.Context, c *Client, op, bearer string, build buildFunc) (T, error) {
	var none T
	req, err := build(ctx)
	if err != nil {
		return none, fmt.Errorf("%s: %w", op, err)
	}
	id := newUUID()
	req.Header.Set(headerCorrelation, id)
	req.Header.Set("User-Agent", c.agent)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return none, noAnswer(ctx, op, id, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return none, noAnswer(ctx, op, id, err)
	}
	data, err := decode[T](op, resp, text)
	if e, ok := errors.AsType[*Error](err); ok && e.CorrelationID == "" {
		e.CorrelationID = id
	}
	return data, err
}

// noAnswer keeps a cancellation what it is: it is the caller's wish, not a
// failure of the network.
func noAnswer(ctx context.Context, op, id string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", op, context.Cause(ctx))
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // its text repeats the address, which may hold a signature
	}
	return &Error{Op: op, CorrelationID: id, Message: broken(err), Err: err}
}

// broken says in few words how a request came to no answer.
func broken(err error) string {
	root := err
	for next := errors.Unwrap(root); next != nil; next = errors.Unwrap(root) {
		root = next
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" && op.Addr != nil {
		return fmt.Sprintf("no connection to %s: %v", op.Addr, root)
	}
	if errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "no answer from the server: the connection ended"
	}
	return "no answer from the server: " + root.Error()
}

func decode[T any](op string, resp *http.Response, text []byte) (T, error) {
	var r wire.Reply[T]
	if err := json.Unmarshal(text, &r); err != nil || !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return *new(T), notOurs(op, resp, text)
	}
	if r.Code != wire.CodeOK || resp.StatusCode >= 300 {
		return *new(T), &Error{
			Op: op, Code: r.Code, Message: r.Msg, CorrelationID: r.CorrelationID, HTTPStatus: resp.StatusCode,
			RetryAfter: straight.RetryAfter(resp.Header, time.Now()), Locks: r.Locks(), Items: r.AggregatedError, Detail: r.Detail,
		}
	}
	if r.Data == nil {
		return *new(T), nil
	}
	return *r.Data, nil
}

// notOurs describes an answer that is not an envelope: a proxy's, mostly.
func notOurs(op string, resp *http.Response, text []byte) error {
	e := &Error{Op: op, HTTPStatus: resp.StatusCode, RetryAfter: straight.RetryAfter(resp.Header, time.Now()), Server: fail.Excerpt([]byte(resp.Header.Get("Server")))}
	switch {
	case resp.StatusCode == http.StatusRequestEntityTooLarge:
		e.Message = "a proxy in front of the server refuses bodies of this size; its limit must be raised"
	case resp.StatusCode == http.StatusNotFound:
		e.Message = "the server does not know this call; is this the address of the site?"
	case resp.StatusCode < 300:
		e.Message = "the answer is not one of this API; is this the address of the site?"
		e.Err = errors.New(fail.Excerpt(text))
	default:
		e.Message = strings.TrimSpace(fmt.Sprintf("%s: %s", resp.Status, fail.Excerpt(text)))
	}
	return e
}

// newUUID is a version 4 UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

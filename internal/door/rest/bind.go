package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// malformed is a request that could not be read: code 40001 without a
// correlation id, as the contract has it.
type malformed struct {
	msg    string
	status int // HTTP status; 0 is 200
}

func (m *malformed) Error() string { return m.msg }

func isMalformed(err error) bool {
	var m *malformed
	return errors.As(err, &m)
}

func bad(msg string) error { return &malformed{msg: msg} }

func tooLarge() error {
	return &malformed{msg: "The request is larger than 1 MiB", status: http.StatusRequestEntityTooLarge}
}

// The texts of envelope.md 1.9.
const (
	notJSON   = "Parameter error"
	wrongType = "JSON marshall error"
)

// bind reads the JSON body into v. Unknown keys are passed over; a key given
// twice, trailing data and a null number are refused, because readers differ in
// what they make of them.
func bind(q *request, v any) error {
	data, err := io.ReadAll(q.r.Body)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return tooLarge()
	}
	if err != nil {
		return errs.As("rest.bind", errs.Canceled, errs.IOFailed, err)
	}
	if depth(data) > maxDepth {
		return bad(notJSON)
	}
	if err := checkTop(data); err != nil {
		return err
	}
	err = json.Unmarshal(data, v)
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) {
		return bad(wrongType)
	}
	if err != nil {
		return bad(notJSON)
	}
	return nil
}

// numbers are the keys of request bodies whose value is a number: null is not 0.
var numbers = map[string]bool{"size": true, "last_modified": true}

// maxDepth is how deep arrays and objects of a request may lie in each other.
const maxDepth = 64

// depth returns how deep the brackets of data lie in each other, as far as
// maxDepth+1. Text that is not JSON has some depth too.
func depth(data []byte) int {
	var now, most int
	var quoted, escaped bool
	for _, c := range data {
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			if now++; now > most {
				most = now
			}
			if most > maxDepth {
				return most
			}
		case c == '}', c == ']':
			now--
		}
	}
	return most
}

// fold spells a key as encoding/json compares it: it takes "\u017fize" (a long
// s) for "size" too.
func fold(key string) string { return strings.ToLower(strings.ToUpper(key)) }

// checkTop walks the top level of a JSON object.
func checkTop(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		if err == nil {
			return bad(wrongType)
		}
		return bad(notJSON)
	}
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return bad(notJSON)
		}
		key, isText := t.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); !isText || err != nil {
			return bad(notJSON)
		}
		if key = fold(key); seen[key] {
			return bad("The key " + key + " is given twice")
		}
		seen[key] = true
		if numbers[key] && string(value) == "null" {
			return bad(wrongType)
		}
	}
	if _, err := dec.Token(); err != nil {
		return bad(notJSON)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return bad(notJSON)
	}
	return nil
}

// place is a file URI as the catalog needs it.
type place struct {
	uri wire.URI
	ref catalog.Ref
}

// where reads a file URI. The order of its checks is the contract's: syntax,
// file system, whose.
func (d *Door) where(text string) (place, error) {
	const op = "rest.where"
	u, err := wire.ParseURI(text)
	if err != nil {
		// net/url repeats the address, which may hold the password of a share.
		if whole := (*url.Error)(nil); errors.As(err, &whole) {
			err = whole.Err
		}
		return place{}, errs.Newf(errs.Invalid, errs.BadURI, "unknown uri").At(op).Because(err)
	}
	switch u.FS {
	case wire.FSMy:
	case wire.FSShare, wire.FSTrash, wire.FSShared:
		return place{}, errs.Newf(errs.Unsupported, errs.NoPermission, "Not supported action").At(op)
	default:
		return place{}, errs.New(errs.Invalid, errs.UnknownFS).At(op)
	}
	p, err := core.JoinPath(u.Path)
	if err != nil {
		return place{}, errs.Wrap(op, err)
	}
	at := place{uri: u, ref: catalog.At(p)}
	if u.User != "" {
		id, err := d.IDs.Decode(core.TagUser, u.User)
		if err != nil {
			return place{}, errs.Newf(errs.NotFound, errs.PathMissing, "Path not exist").At(op)
		}
		at.ref.Owner = core.UserID(id)
	}
	return at, nil
}

// needURI is where, for a field that must be there.
func (d *Door) needURI(text string) (place, error) {
	if text == "" {
		return place{}, bad("Uri cannot be empty")
	}
	return d.where(text)
}

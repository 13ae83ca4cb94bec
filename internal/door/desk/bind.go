package desk

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

// Malformed is a request that could not be read: code 40001 without a
// correlation id, as the contract has it.
type Malformed struct {
	Msg    string
	Status int // HTTP status; 0 is 200
}

// Error implements error.
func (m *Malformed) Error() string { return m.Msg }

func isMalformed(err error) bool {
	var m *Malformed
	return errors.As(err, &m)
}

// Bad is a request that could not be read, and why.
func Bad(msg string) error { return &Malformed{Msg: msg} }

func tooLarge() error {
	return &Malformed{Msg: "The request is larger than 1 MiB", Status: http.StatusRequestEntityTooLarge}
}

// The texts of envelope.md 1.9.
const (
	NotJSON   = "Parameter error"
	wrongType = "JSON marshall error"
)

// Bind reads the JSON body into v. Unknown keys are passed over; a key given
// twice, trailing data and a null number are refused, because readers differ in
// what they make of them.
func Bind(q *Call, v any) error {
	data, err := io.ReadAll(q.R.Body)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return tooLarge()
	}
	if err != nil {
		return errs.As("desk.bind", errs.Canceled, errs.IOFailed, err)
	}
	if depth(data) > maxDepth {
		return Bad(NotJSON)
	}
	if err := checkTop(data); err != nil {
		return err
	}
	err = json.Unmarshal(data, v)
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) {
		return Bad(wrongType)
	}
	if err != nil {
		return Bad(NotJSON)
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
			return Bad(wrongType)
		}
		return Bad(NotJSON)
	}
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return Bad(NotJSON)
		}
		key, isText := t.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); !isText || err != nil {
			return Bad(NotJSON)
		}
		if key = fold(key); seen[key] {
			return Bad("The key " + key + " is given twice")
		}
		seen[key] = true
		if numbers[key] && string(value) == "null" {
			return Bad(wrongType)
		}
	}
	if _, err := dec.Token(); err != nil {
		return Bad(NotJSON)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Bad(NotJSON)
	}
	return nil
}

// Place is a file URI as the catalog needs it.
type Place struct {
	URI wire.URI
	Ref catalog.Ref
}

// Where reads a file URI. The order of its checks is the contract's: syntax,
// file system, whose.
func (d *Desk) Where(text string) (Place, error) {
	const op = "desk.where"
	u, err := wire.ParseURI(text)
	if err != nil {
		// net/url repeats the address, which may hold the password of a share.
		if whole := (*url.Error)(nil); errors.As(err, &whole) {
			err = whole.Err
		}
		return Place{}, errs.Newf(errs.Invalid, errs.BadURI, "unknown uri").At(op).Because(err)
	}
	switch u.FS {
	case wire.FSMy:
	case wire.FSTrash:
	case wire.FSShare, wire.FSShared:
		return Place{}, errs.Newf(errs.Unsupported, errs.NoPermission, "Not supported action").At(op)
	default:
		return Place{}, errs.New(errs.Invalid, errs.UnknownFS).At(op)
	}
	p, err := core.JoinPath(u.Path)
	if err != nil {
		return Place{}, errs.Wrap(op, err)
	}
	at := Place{URI: u, Ref: catalog.Ref{Path: p, Trash: u.FS == wire.FSTrash}}
	if u.User != "" {
		id, err := d.IDs.Decode(core.TagUser, u.User)
		if err != nil {
			return Place{}, errs.Newf(errs.NotFound, errs.PathMissing, "Path not exist").At(op)
		}
		at.Ref.Owner = core.UserID(id)
	}
	return at, nil
}

// NeedURI is Where, for a field that must be there.
func (d *Desk) NeedURI(text string) (Place, error) {
	if text == "" {
		return Place{}, Bad("Uri cannot be empty")
	}
	return d.Where(text)
}

// MaxBatch is how many URIs one request may name (contract: 40074 above).
const MaxBatch = 3000

// Places reads the URIs of a batch; one bad URI refuses the whole.
func (d *Desk) Places(uris []string) ([]Place, error) { return places(uris, d.Where) }

func places(uris []string, where func(string) (Place, error)) ([]Place, error) {
	switch {
	case len(uris) == 0:
		return nil, Bad("Uris too short")
	case len(uris) > MaxBatch:
		return nil, errs.Newf(errs.Invalid, errs.TooMany, "At most %d items in one request", MaxBatch)
	}
	out := make([]Place, len(uris))
	for i, text := range uris {
		at, err := where(text)
		if err != nil {
			return nil, err
		}
		out[i] = at
	}
	return out, nil
}

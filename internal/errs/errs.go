package errs

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Kind says what a program should do about an error. The set is closed: it is
// sent between servers and nodes and never changes its meaning.
type Kind uint8

// The kinds. Zero is Internal, so an error nobody named is never taken for
// something harmless.
const (
	Internal        Kind = iota // a defect or a broken machine; the log has the chain
	Invalid                     // the request can never succeed as it is
	Unauthenticated             // say who you are, then try again
	Forbidden                   // known, and not allowed
	NotFound                    // no such thing, or not yours to know of
	Exists                      // the name is taken
	Conflict                    // somebody else changed or holds it
	Gone                        // it was there and will not come back
	TooLarge                    // over a limit that was set on purpose
	NoSpace                     // quota or disk is full
	Unsupported                 // this policy or door cannot do that
	Transient                   // try the same thing again later
	Canceled                    // the caller went away
)

var kindNames = [...]string{
	"internal", "invalid", "unauthenticated", "forbidden", "not_found", "exists", "conflict",
	"gone", "too_large", "no_space", "unsupported", "transient", "canceled",
}

// String returns the stable name of k, as sent between servers and nodes.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "internal"
}

// Error is an error with all that its reader needs.
type Error struct {
	Op     string // "room.Method" that named it; joined outward by Wrap
	Kind   Kind
	Reason Reason
	Note   string // for the person: what happened in this case; may be empty
	Detail any    // typed data a door may show, for example the locks in the way
	Err    error  // the cause, for the log only
}

// New returns an error of that kind and reason, without a cause.
func New(k Kind, r Reason) *Error { return &Error{Kind: k, Reason: r} }

// Newf is New with a note for the person who reads the answer.
func Newf(k Kind, r Reason, format string, args ...any) *Error {
	return &Error{Kind: k, Reason: r, Note: fmt.Sprintf(format, args...)}
}

// At returns e with op as the place where it was named.
func (e *Error) At(op string) *Error {
	e.Op = op
	return e
}

// Because returns e with err as its cause.
func (e *Error) Because(err error) *Error {
	e.Err = err
	return e
}

// With returns e with detail for the door to show.
func (e *Error) With(detail any) *Error {
	e.Detail = detail
	return e
}

// Wrap names op as a station of err. It keeps kind, reason, note and detail of
// the innermost *Error; other errors become Internal, context errors Canceled.
// Wrap(op, nil) is nil.
func Wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return &Error{Op: op, Kind: e.Kind, Reason: e.Reason, Note: e.Note, Detail: e.Detail, Err: err}
	}
	return &Error{Op: op, Kind: kindOfForeign(err), Err: err}
}

// As names op as a station of a foreign err and gives it a kind and reason.
// An err that already is an *Error keeps its own.
func As(op string, k Kind, r Reason, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return Wrap(op, err)
	}
	if kindOfForeign(err) == Canceled {
		k = Canceled
	}
	return &Error{Op: op, Kind: k, Reason: r, Err: err}
}

func kindOfForeign(err error) Kind {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Canceled
	}
	return Internal
}

// Error prints the stations outward to inward and the cause, for the log.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op + ": ")
	}
	var inner *Error
	if e.Err != nil && errors.As(e.Err, &inner) {
		b.WriteString(e.Err.Error())
		return b.String()
	}
	b.WriteString(e.Kind.String())
	if e.Reason != "" {
		b.WriteString(" (" + string(e.Reason) + ")")
	}
	if e.Note != "" {
		b.WriteString(": " + e.Note)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of err: Internal for a foreign error, Canceled for a
// context error.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return kindOfForeign(err)
}

// ReasonOf returns the reason of err, "" if it has none.
func ReasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

// Is reports whether err is of kind k.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }

// Has reports whether err carries reason r.
func Has(err error, r Reason) bool { return err != nil && ReasonOf(err) == r }

package fail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client/pace"
)

// Error is why a call failed: the server's refusal, an answer that is not the
// server's, or no answer at all. Ask it through the predicates of this package.
type Error struct {
	Op            string        // what was tried: "upload.chunk", "list", …
	Code          wire.Code     // 0 when the server did not say
	Message       string        // for people
	CorrelationID string        // finds the call in the server's log
	HTTPStatus    int           // 0 when there was no answer
	RetryAfter    time.Duration // what the server asked for; 0: nothing
	Server        string        // what answered instead of the server, if it said
	Locks         []wire.LockInfo
	Items         map[string]wire.Failure // of a batch, by URI
	Detail        json.RawMessage         // what else the refusal says; nil: nothing
	Err           error                   // the cause, when there was no answer
}

// Error prints one line that ends with the id of the request.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op + ": ")
	switch {
	case e.Message != "":
		b.WriteString(e.Message)
	case e.Err != nil:
		b.WriteString(e.Err.Error())
	case e.Code != 0:
		b.WriteString("refused by the server")
	default:
		b.WriteString(http.StatusText(e.HTTPStatus))
	}
	var facts []string
	if e.Code != 0 {
		facts = append(facts, fmt.Sprintf("code %d", e.Code))
	}
	if e.HTTPStatus != 0 && e.HTTPStatus != http.StatusOK {
		facts = append(facts, fmt.Sprintf("HTTP %d", e.HTTPStatus))
	}
	if e.CorrelationID != "" {
		facts = append(facts, "request "+e.CorrelationID)
	}
	if len(facts) > 0 {
		b.WriteString(" (" + strings.Join(facts, ", ") + ")")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// These are failures that only this side can see.
var (
	// ErrDigest: what is stored is not what was read, or the other way round.
	ErrDigest = errors.New("the digest of the transferred bytes is wrong")
	// ErrLocalExists: something is in the way of a download.
	ErrLocalExists = errors.New("a local file of that name exists")
	// ErrNotRegular: only files and folders can be transferred.
	ErrNotRegular = errors.New("not a regular file")
)

// CodeOf is the server's code in err, or CodeOK when there is none.
func CodeOf(err error) wire.Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return wire.CodeOK
}

// HasCode reports that the server refused with one of these codes.
func HasCode(err error, codes ...wire.Code) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code != wire.CodeOK && slices.Contains(codes, e.Code)
}

// HasStatus reports that the answer had one of these HTTP statuses.
func HasStatus(err error, status ...int) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && slices.Contains(status, e.HTTPStatus)
}

// Single unwraps the failure of a batch of one, which is that item's failure.
func Single(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != wire.CodeBatchPartlyFailed || len(e.Items) != 1 {
		return err
	}
	for _, item := range e.Items {
		e.Code, e.Items = item.Code, nil
		if item.Msg != "" {
			e.Message = item.Msg
		}
		if item.CorrelationID != "" {
			e.CorrelationID = item.CorrelationID
		}
	}
	return err
}

// IsExists reports that something of that name is there, here or on the server.
func IsExists(err error) bool {
	return HasCode(err, wire.CodeObjectExists) || errors.Is(err, ErrLocalExists)
}

// IsNotFound reports that there is nothing at that path.
func IsNotFound(err error) bool {
	return HasCode(err, wire.CodePathNotFound, wire.CodeNotFound, wire.CodeFileNotFound, wire.CodeEntityNotFound)
}

// IsAuth reports that one must sign in, or sign in again.
func IsAuth(err error) bool {
	return HasCode(err, wire.CodeLoginRequired, wire.CodeCredentialInvalid, wire.CodeLoginWrong,
		wire.CodeUserBanned, wire.CodeUserInactive, wire.CodeCaptchaWrong, wire.CodeMoreNeeded, wire.CodeScopeMissing) ||
		HasStatus(err, http.StatusUnauthorized)
}

// IsForbidden reports that this user may not do that.
func IsForbidden(err error) bool {
	return HasCode(err, wire.CodeForbidden, wire.CodeOwnerOnly, wire.CodeGroupMayNot, wire.CodeAdminOnly)
}

// IsQuota reports that the account has no room left.
func IsQuota(err error) bool { return HasCode(err, wire.CodeNoCapacity) }

// IsTooLarge reports that a limit of the policy, or of a proxy in between, is
// below the size of what was sent.
func IsTooLarge(err error) bool {
	return HasCode(err, wire.CodeFileTooLarge) || HasStatus(err, http.StatusRequestEntityTooLarge)
}

// IsLocked reports that somebody else is changing the file; see Error.Locks.
func IsLocked(err error) bool { return HasCode(err, wire.CodeLockConflict) }

// IsSessionGone reports that the upload session ended or is not the caller's.
func IsSessionGone(err error) bool { return HasCode(err, wire.CodeUploadSessionGone) }

// IsRetryable reports that the same call may well succeed a little later.
func IsRetryable(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok || errors.Is(err, context.Canceled) {
		return false
	}
	switch {
	case e.Code != wire.CodeOK:
		return HasCode(err, wire.CodeIOFailed, wire.CodeDatabaseFailed, wire.CodeCacheFailed,
			wire.CodeCallbackFailed, wire.CodeNodeOffline)
	case e.HTTPStatus != 0:
		return e.HTTPStatus >= 500 && e.HTTPStatus != http.StatusNotImplemented ||
			e.HTTPStatus == http.StatusTooManyRequests || e.HTTPStatus == http.StatusRequestTimeout
	}
	return pace.Passing(e.Err)
}

// Excerpt is the beginning of what answered instead of the server, on one line.
func Excerpt(text []byte) string {
	const most = 120
	s := strings.Join(strings.Fields(string(text[:min(len(text), 4*most)])), " ")
	if strings.HasPrefix(s, "<") {
		return "a web page"
	}
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "")
}

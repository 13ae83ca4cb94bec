package client

import (
	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client/fail"
	"github.com/wharfinger/wharfinger/client/flow"
)

// Error is why a call failed: the server's refusal, an answer that is not the
// server's, or no answer at all. Ask it through the predicates of this package.
type Error = fail.Error

// These are failures that only this side can see.
var (
	ErrSourceChanged = flow.ErrSourceChanged // the local file changed while it was sent
	ErrDigest        = fail.ErrDigest        // what is stored is not what was read, or the other way round
	ErrLocalExists   = fail.ErrLocalExists   // something is in the way of a download
	ErrNotRegular    = fail.ErrNotRegular    // only files and folders can be transferred
)

// CodeOf is the server's code in err, or CodeOK when there is none.
func CodeOf(err error) wire.Code { return fail.CodeOf(err) }

// IsExists reports that something of that name is there, here or on the server.
func IsExists(err error) bool { return fail.IsExists(err) }

// IsNotFound reports that there is nothing at that path.
func IsNotFound(err error) bool { return fail.IsNotFound(err) }

// IsAuth reports that one must sign in, or sign in again.
func IsAuth(err error) bool { return fail.IsAuth(err) }

// IsForbidden reports that this user may not do that.
func IsForbidden(err error) bool { return fail.IsForbidden(err) }

// IsQuota reports that the account has no room left.
func IsQuota(err error) bool { return fail.IsQuota(err) }

// IsTooLarge reports that a limit of the policy, or of a proxy in between, is
// below the size of what was sent.
func IsTooLarge(err error) bool { return fail.IsTooLarge(err) }

// IsLocked reports that somebody else is changing the file; see Error.Locks.
func IsLocked(err error) bool { return fail.IsLocked(err) }

// IsSessionGone reports that the upload session ended or is not the caller's.
func IsSessionGone(err error) bool { return fail.IsSessionGone(err) }

// IsRetryable reports that the same call may well succeed a little later.
func IsRetryable(err error) bool { return fail.IsRetryable(err) }

package errs

// Reason tells a client why, as a short stable word. Only a door knows which
// number its protocol has for it (door/desk/codes.go).
type Reason string

// Parameters and names.
const (
	BadParam     Reason = "bad_param"     // a field is missing, of the wrong type or out of its range
	BadURI       Reason = "bad_uri"       // not a file URI
	UnknownFS    Reason = "unknown_fs"    // the URI names a file system that does not exist
	BadID        Reason = "bad_id"        // a public id that does not decode
	NameRejected Reason = "name_rejected" // the name is not allowed, by rule or by policy
	TooMany      Reason = "too_many"      // more items in one request than allowed
)

// Who.
const (
	LoginNeeded    Reason = "login_needed"
	BadLogin       Reason = "bad_login"        // address or password wrong, never which
	BadToken       Reason = "bad_token"        // token is not ours, not of this kind or revoked
	WrongToken     Reason = "wrong_token_kind" // a token of another kind than this place takes
	TokenExpired   Reason = "token_expired"    // sign in or refresh again
	NotOwner       Reason = "not_owner"        // only the owner may
	NoPermission   Reason = "no_permission"    // another user's drive, or an action this place does not offer
	ScopeMissing   Reason = "scope_missing"    // the token was issued for less
	UserBanned     Reason = "user_banned"      // the account is closed
	UserInactive   Reason = "user_inactive"    // the account is not activated yet
	UserUnknown    Reason = "user_unknown"     // no such account
	TooManyGuesses Reason = "too_many_guesses" // wait before the next try
	SignExpired    Reason = "sign_expired"     // a signed address is too old
	SignBad        Reason = "sign_bad"         // a signed address was changed
	FeatureOff     Reason = "feature_off"      // this site does not offer it
	SetupDone      Reason = "setup_done"       // the first administrator exists already
)

// One's own account.
const (
	PasswordWrong  Reason = "password_wrong"  // the caller's present password is another
	FactorWrong    Reason = "factor_wrong"    // the code of the second factor is wrong, late or used
	FactorMissing  Reason = "factor_missing"  // no second factor is there, or was offered just now
	FactorOn       Reason = "factor_on"       // there is a second factor already
	TicketGone     Reason = "ticket_gone"     // the sign-in waited too long for its second step
	PictureMissing Reason = "picture_missing" // the user has no picture
	PictureBad     Reason = "picture_bad"     // not a picture that is taken
	PasskeyOff     Reason = "passkey_off"     // passkeys do not work at this address
	PasskeyRefused Reason = "passkey_refused" // the answer of a passkey does not hold
	PasskeyKnown   Reason = "passkey_known"   // it is registered already
	PasskeyMissing Reason = "passkey_missing" // the user has no such passkey
)

// Names and versions.
const (
	PathMissing    Reason = "path_missing"    // nothing there
	NameTaken      Reason = "name_taken"      // something of that name is there
	RootProtected  Reason = "root_protected"  // the root cannot be renamed, moved or deleted
	ParentIsFile   Reason = "parent_is_file"  // a path leads through a file
	Locked         Reason = "locked"          // somebody holds it; Detail is []catalog.Lock
	LockExpired    Reason = "lock_expired"    // the lock of this upload was taken away
	LockUnknown    Reason = "lock_unknown"    // no such lock token, or not yours
	VersionStale   Reason = "version_stale"   // it changed since you looked
	VersionMissing Reason = "version_missing" // no such version
	Changed        Reason = "changed"         // it changed between two steps of one request
	BatchFailed    Reason = "batch_failed"    // part of a batch failed; Detail is map[string]error
	RecoverNeeded  Reason = "recover_needed"  // the bytes of a version are not where its row says
	NoThumb        Reason = "no_thumb"        // no thumbnail can be made of it
)

// Shares.
const (
	ShareMissing    Reason = "share_missing"    // no such share, or not yours
	ShareExpired    Reason = "share_expired"    // too old, used up, or what it opened is gone
	SharePassword   Reason = "share_password"   // its password is wrong or was not given
	AddressMissing  Reason = "address_missing"  // no such direct link, or what it opened is gone
	AnonymousDenied Reason = "anonymous_denied" // shares open only for those who signed in
)

// Work that goes on behind the answer.
const (
	JobMissing  Reason = "job_missing"   // no such work, or not yours
	JobStays    Reason = "job_stays"     // it cannot be cancelled, or not any more
	TooManyJobs Reason = "too_many_jobs" // more than one user may have waiting
)

// Uploads.
const (
	SessionGone       Reason = "session_gone"       // no such upload, not yours, ended or expired
	SessionMismatch   Reason = "session_mismatch"   // the upload belongs to another file
	ChunkIndex        Reason = "chunk_index"        // outside the file
	ChunkLength       Reason = "chunk_length"       // announced length is not what belongs there
	ChunkShort        Reason = "chunk_short"        // the body ended early
	ChunkDiffers      Reason = "chunk_differs"      // these bytes were received before and were others
	ChunkBusy         Reason = "chunk_busy"         // the same chunk is being received now
	DigestMismatch    Reason = "digest_mismatch"    // the bytes are not those of the sent digest
	FileTooLarge      Reason = "file_too_large"     // over the limit of the policy
	QuotaFull         Reason = "quota_full"         // the account has no room left
	DiskFull          Reason = "disk_full"          // the place where bytes are kept has no room left
	PolicyMissing     Reason = "policy_missing"     // no such storage policy
	PolicyUse         Reason = "policy_use"         // this policy is not used that way
	ObjectDiffers     Reason = "object_differs"     // the store has not what the upload announced
	CallbackSecret    Reason = "callback_secret"    // a callback without the secret of its upload
	CallbackSignature Reason = "callback_signature" // a callback that the store did not sign
	TooManySessions   Reason = "too_many_sessions"  // more open uploads than a user may have
)

// Administration.
const (
	AdminOnly       Reason = "admin_only"       // the caller does not administer the site
	LastAdmin       Reason = "last_admin"       // nobody would administer the site any more
	Builtin         Reason = "builtin"          // the group belongs to the site itself
	GroupMissing    Reason = "group_missing"    // no such group
	GroupInUse      Reason = "group_in_use"     // the group has users
	PolicyInUse     Reason = "policy_in_use"    // groups upload to the policy, or bytes are in it
	PolicyDefault   Reason = "policy_default"   // the storage policy that comes with the site
	SettingReadOnly Reason = "setting_readonly" // the setting is not changed this way
)

// The machine.
const (
	StoreFailed    Reason = "store_failed"    // the database refused or is not there
	StoreStopped   Reason = "store_stopped"   // a flush of the database failed: nothing goes until a restart
	IOFailed       Reason = "io_failed"       // bytes could not be written or read
	StorageStopped Reason = "storage_stopped" // a flush of bytes failed: no writes until a restart
	CipherFailed   Reason = "cipher_failed"   // keys could not be made, sealed or opened
	Overload       Reason = "overload"        // out of descriptors, memory or time; try again
)

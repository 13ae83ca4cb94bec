package desk

//go:generate go test -count=1 -run ^TestTheListOfErrorsIsThatOfTheTable$ . -update

import (
	"errors"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// answer is what a client of the protocol is told for a reason. The text is the
// protocol's where clients compare it (clients.md 5.7), else our own.
type answer struct {
	code wire.Code
	msg  string
}

// fault is all that there is to know of a reason. docs/ERRORS.md is made of it.
type fault struct {
	answer
	whose  whose
	retry  retry
	cause  string
	remedy string
}

// whose fault it is.
type whose string

const (
	program    whose = "client program"
	user       whose = "user"
	operator   whose = "server or its operator"
	connection whose = "connection"
	nobody     whose = "nobody"
)

// retry is whether the same request may succeed.
type retry string

const (
	never   retry = "no"
	now     retry = "yes, at once"
	later   retry = "yes, later"
	changed retry = "when changed as below"
	signed  retry = "after signing in or refreshing"
)

// answers is the only place that knows the protocol's numbers. A test holds
// that every reason has a line.
var answers = withAll(map[errs.Reason]fault{
	errs.BadParam: {
		answer{wire.CodeBadParameter, "Invalid parameters."},
		program, never,
		"A field is missing, of the wrong type or out of its range.",
		"Fix the request; `msg` names the field.",
	},
	errs.BadURI: {
		answer{wire.CodeBadParameter, "unknown uri"},
		program, never,
		"The text is no file URI.",
		"Send a URI such as `cloudreve://my/folder/file`.",
	},
	errs.UnknownFS: {
		answer{wire.CodeUncoded, ""},
		program, never,
		"The URI names a file system that this server does not have.",
		"Use `cloudreve://my`.",
	},
	errs.NoThumb: {
		answer{wire.CodeUncoded, ""},
		nobody, never,
		"No thumbnail can be made of the file: it is no picture of a kind that is read, too large, or damaged.",
		"Show an icon.",
	},
	errs.BadID: {
		answer{wire.CodeBadParameter, "Failed to parse object ID"},
		program, never,
		"A public id does not decode: it was cut, changed, or is of another server or another kind of thing.",
		"Ask for the id again.",
	},
	errs.NameRejected: {
		answer{wire.CodeNameRefused, "Invalid object name"},
		user, changed,
		"The name is not allowed, by rule or by the storage policy.",
		"Choose another name; `msg` says what is wrong with this one.",
	},
	errs.TooMany: {
		answer{wire.CodeTooManyURIs, "Too many items in one request"},
		program, never,
		"The request names more items than are taken at once.",
		"Send fewer items a request.",
	},

	errs.LoginNeeded: {
		answer{wire.CodeLoginRequired, "Login required"},
		user, signed,
		"Nobody is signed in, and this needs somebody.",
		"Sign in.",
	},
	errs.BadLogin: {
		answer{wire.CodeLoginWrong, "Incorrect password or email address"},
		user, changed,
		"Address or password is wrong; never is it said which.",
		"Check both. An administrator can set a password with `wharf user passwd`.",
	},
	errs.BadToken: {
		answer{wire.CodeLoginRequired, "Login required"},
		program, signed,
		"The token is not ours, was signed out, or its account changed its password.",
		"Sign in again.",
	},
	errs.WrongToken: {
		answer{wire.CodeCredentialInvalid, "Invalid token type"},
		program, never,
		"A token of another kind was sent: a refresh token where an access token belongs, or the reverse.",
		"Send the right one.",
	},
	errs.TokenExpired: {
		answer{wire.CodeLoginRequired, "Login required"},
		program, signed,
		"The access token is too old.",
		"Refresh it, then send the same request again. Nothing of an upload is lost.",
	},
	errs.PasswordWrong: {
		answer{wire.CodeSharePasswordWrong, "Incorrect password"},
		user, changed,
		"The present password, which the change asks for, is another.",
		"Type the present password again.",
	},
	errs.FactorWrong: {
		answer{wire.CodeSecondFactorWrong, "The code is wrong"},
		user, changed,
		"The code of the second factor is wrong, too old, or was used before. Each code counts once.",
		"Wait for the next code of the app. If none is right, the clock of the phone may be off. For a lost phone there are the recovery codes, and the operator has `wharf user passwd --no-second-factor`.",
	},
	errs.FactorMissing: {
		answer{wire.CodeBadParameter, "There is no second factor"},
		user, never,
		"No second factor is there, or none was offered in the last quarter of an hour.",
		"Ask for a secret with `GET /user/setting/2fa` first.",
	},
	errs.FactorOn: {
		answer{wire.CodeBadParameter, "There is a second factor already"},
		user, never,
		"The account has a second factor.",
		"Switch it off with a code of it first.",
	},
	errs.TicketGone: {
		answer{wire.CodeLoginSessionMissing, "The sign-in took too long. Sign in again."},
		user, never,
		"The first step of the sign-in is more than five minutes ago, was used, or the password has changed since.",
		"Begin again with the password.",
	},
	errs.PictureMissing: {
		answer{wire.CodeNotFound, "This user has no picture."},
		nobody, never,
		"The user has no picture.",
		"Show something else, such as initials.",
	},
	errs.PictureBad: {
		answer{wire.CodeFileTypeRefused, "This picture is not taken"},
		user, changed,
		"It is no JPEG, PNG or GIF, it is damaged, or it has too many pixels.",
		"Send another one; `msg` says what is wrong with this.",
	},
	errs.PasskeyOff: {
		answer{wire.CodeWebAuthn40024, "Passkeys do not work at this address"},
		operator, never,
		"Browsers know passkeys at a name over HTTPS, or at localhost; not at a number or without encryption.",
		"Open the site by its name over HTTPS.",
	},
	errs.PasskeyRefused: {
		answer{wire.CodeWebAuthn40025, "The passkey was refused"},
		user, changed,
		"The answer of the passkey does not hold: it is not registered here, of another site, too late, used before, or a copy.",
		"Try again. Sign in with the password if it stays so, and look at the passkeys of the account.",
	},
	errs.PasskeyKnown: {
		answer{wire.CodeWebAuthn40025, "This passkey is registered already"},
		user, never,
		"The passkey is registered already.",
		"Nothing needs to be done.",
	},
	errs.PasskeyMissing: {
		answer{wire.CodeNotFound, "There is no such passkey"},
		program, never,
		"The user has no passkey of that id.",
		"Ask for the list again.",
	},
	errs.NotOwner: {
		answer{wire.CodeOwnerOnly, "Only the owner may do this"},
		user, never,
		"Only the owner may do this.",
		"Ask the owner.",
	},
	errs.NoPermission: {
		answer{wire.CodeForbidden, "Permission denied"},
		user, never,
		"It is in the drive of another user, or an action that this place does not offer.",
		"Sign in as somebody who may.",
	},
	errs.ScopeMissing: {
		answer{wire.CodeScopeMissing, "Insufficient scope"},
		program, never,
		"The token was issued for less.",
		"Ask for a token with the scope that is needed.",
	},
	errs.UserBanned: {
		answer{wire.CodeUserBanned, "This account is closed"},
		operator, never,
		"The account is closed.",
		"Ask the administrator.",
	},
	errs.UserInactive: {
		answer{wire.CodeUserInactive, "This account is not activated yet"},
		operator, never,
		"The account is not activated yet.",
		"Ask the administrator.",
	},
	errs.UserUnknown: {
		answer{wire.CodeUserNotFound, "User not found"},
		program, never,
		"There is no such account.",
		"Check the id or the address.",
	},
	errs.TooManyGuesses: {
		answer{wire.CodeForbidden, "Too many wrong tries. Wait a few minutes, then try again."},
		user, later,
		"Too many wrong passwords or codes came from this address or for this account.",
		"Wait a few minutes.",
	},
	errs.SignExpired: {
		answer{wire.CodeSignatureExpired, "signature expired"},
		program, changed,
		"The signed address is too old.",
		"Ask for a new address with `POST /file/url`.",
	},
	errs.SignBad: {
		answer{wire.CodeSignatureInvalid, "invalid signature"},
		program, never,
		"The signed address was changed, or signed with another key.",
		"Ask for a new address with `POST /file/url`.",
	},
	errs.FeatureOff: {
		answer{wire.CodeFeatureDisabled, "This site does not offer that"},
		operator, never,
		"The site does not offer what was asked for; `msg` names it.",
		"Use another way; the settings of the site say what it offers.",
	},
	errs.SetupDone: {
		answer{wire.CodeForbidden, "This set-up link is not valid any more. Start the server again for a new one, or sign in."},
		user, never,
		"The first administrator exists already, or the one-time link is used up.",
		"Sign in, or start the server again for a new link.",
	},

	errs.PathMissing: {
		answer{wire.CodePathNotFound, "Path not exist"},
		user, never,
		"There is nothing of that name, or not any more.",
		"Look at the folder again.",
	},
	errs.NameTaken: {
		answer{wire.CodeObjectExists, "Object existed"},
		user, changed,
		"Something of that name is there. A running upload holds its name too.",
		"Choose another name, or upload a new version.",
	},
	errs.RootProtected: {
		answer{wire.CodeForbidden, "Not supported action"},
		program, never,
		"The root of a drive cannot be renamed, moved or deleted.",
		"Name something inside it.",
	},
	errs.ParentIsFile: {
		answer{wire.CodeForbidden, "Not supported action"},
		user, never,
		"The path leads through a file.",
		"Choose a path through folders.",
	},
	errs.Locked: {
		answer{wire.CodeLockConflict, "Lock conflict"},
		user, later,
		"Somebody holds the object or something in it, mostly an upload; `data` lists the locks.",
		"Wait until the upload is done, discard it, or take the lock away with `DELETE /file/lock`.",
	},
	errs.LockExpired: {
		answer{wire.CodeLockConflict, "Lock expired"},
		user, never,
		"The owner took the lock of this upload away.",
		"Begin a new upload.",
	},
	errs.LockUnknown: {
		answer{wire.CodeBadParameter, "failed to unlock file"},
		program, never,
		"There is no such lock, or it is not yours.",
		"List again what is locked.",
	},
	errs.VersionStale: {
		answer{wire.CodeStaleVersion, "File is updated during your edit"},
		user, changed,
		"The file has a newer version than the one that the client saw.",
		"Look at the file again, then decide.",
	},
	errs.VersionMissing: {
		answer{wire.CodeEntityNotFound, "Entity not exist"},
		user, never,
		"The file has no such version.",
		"List the versions again.",
	},
	errs.Changed: {
		answer{wire.CodeObjectChanged, "Object conflict"},
		nobody, now,
		"Two requests changed the same thing at once, and this one came second.",
		"Send the same request again.",
	},
	errs.BatchFailed: {
		answer{wire.CodeBatchPartlyFailed, "One or more operation failed"},
		user, changed,
		"Some items of a batch failed; `aggregated_error` has an answer for each.",
		"Read them; the other items are done.",
	},
	errs.RecoverNeeded: {
		answer{wire.CodeIOFailed, "The stored bytes of this file are missing or damaged"},
		operator, never,
		"The stored bytes of the version are missing or others than those that were received. They are not served.",
		"Restore the blob from a backup, then run `wharf doctor --fix --read-data 1/1`. The log and `wharf doctor` name it.",
	},

	errs.ShareMissing: {
		answer{wire.CodeNotFound, "Share not found"},
		user, never,
		"There is no such share link, or it is not yours.",
		"Ask whoever gave you the link for a new one.",
	},
	errs.ShareExpired: {
		answer{wire.CodeNotFound, "Share link expired"},
		user, never,
		"The link is too old, its downloads are used up, what it opened is gone, or its owner may not share any more.",
		"Ask whoever gave you the link for a new one.",
	},
	errs.AddressMissing: {
		answer{wire.CodeNotFound, "This direct link does not open anything"},
		user, never,
		"There is no such direct link, it is not yours, its file is gone or in the trash, or its owner may not give out direct links any more.",
		"Ask whoever gave you the link for a new one.",
	},
	errs.SharePassword: {
		answer{wire.CodeSharePasswordWrong, "Incorrect share password"},
		user, changed,
		"The password of the link is wrong or was not given.",
		"Give the password: `cloudreve://<id>:<password>@share/…`.",
	},
	errs.AnonymousDenied: {
		answer{wire.CodeAnonymousShareDenied, "Sign in to open this share"},
		user, signed,
		"Share links of this site open only for those who signed in.",
		"Sign in.",
	},

	errs.SessionGone: {
		answer{wire.CodeUploadSessionGone, ""},
		user, never,
		"There is no such upload, or it is not yours, or it was completed, discarded or left alone until it expired.",
		"Begin a new upload.",
	},
	errs.SessionMismatch: {
		answer{wire.CodeNotFound, "Upload session not found"},
		program, never,
		"The upload belongs to another file than the one named.",
		"Send the URI that its creation answered.",
	},
	errs.ChunkIndex: {
		answer{wire.CodeChunkIndexInvalid, "Chunk offset cannot be greater than file size"},
		program, never,
		"The chunk lies outside the file.",
		"Use the `chunk_size` that the creation answered.",
	},
	errs.ChunkLength: {
		answer{wire.CodeContentLengthWrong, "Invalid Content-Length"},
		program, never,
		"The length of the body is not what belongs at that place.",
		"Use the `chunk_size` that the creation answered; only the last chunk is shorter.",
	},
	errs.ChunkShort: {
		answer{wire.CodeIOFailed, "Failed to upload file: the body ended early. Send this chunk again."},
		connection, now,
		"The body ended early.",
		"Send this chunk again. All others are kept.",
	},
	errs.ChunkDiffers: {
		answer{wire.CodeObjectChanged, "Other bytes were received for this chunk before"},
		user, never,
		"Other bytes were received for this chunk before: the file changed while it was sent. Those received first are kept.",
		"Begin a new upload.",
	},
	errs.ChunkBusy: {
		answer{wire.CodeIOFailed, "Failed to upload file: this chunk is being received on another connection"},
		connection, later,
		"The same chunk is being received on another connection, perhaps one that is dead and not known to be.",
		"Send it again in a few seconds.",
	},
	errs.DigestMismatch: {
		answer{wire.CodeIOFailed, "Failed to upload file: the bytes do not match their Content-Digest. Send this chunk again."},
		connection, now,
		"The bytes that arrived are not those of the digest that was sent with them. Nothing of the chunk was kept.",
		"Send this chunk again. If it fails again, check the memory of both machines and the proxies between them.",
	},
	errs.FileTooLarge: {
		answer{wire.CodeFileTooLarge, "File is too large"},
		user, never,
		"The file is over the limit of its storage policy or of this way to send it.",
		"Ask the administrator to raise `wharf policy set --max-size`, or use an upload session.",
	},
	errs.QuotaFull: {
		answer{wire.CodeNoCapacity, "Insufficient capacity"},
		user, changed,
		"The account has no room left. Unfinished uploads have reserved theirs.",
		"Delete something, discard unfinished uploads, or ask the administrator for more.",
	},
	errs.DiskFull: {
		answer{wire.CodeIOFailed, "The disk of the server is full. What was sent so far is kept; try again when there is room."},
		operator, later,
		"The place where bytes are kept has no room left.",
		"Make room on the server. What was acknowledged is kept; the upload goes on from there.",
	},
	errs.PolicyMissing: {
		answer{wire.CodeDatabaseFailed, "Storage policy not found"},
		operator, never,
		"The account belongs to a storage policy that does not exist.",
		"Look at `wharf policy list`.",
	},
	errs.PolicyUse: {
		answer{wire.CodePolicyUnsuitable, "The storage policy cannot be used in this way"},
		operator, never,
		"The storage policy is not used that way, or its settings are wrong.",
		"Look at `wharf policy list` and the log.",
	},
	errs.ObjectDiffers: {
		answer{wire.CodeObjectDiffers, "File size not match"},
		program, changed,
		"The storage was asked, and has not all bytes of the upload, or other than were announced.",
		"Send the parts that are missing, then end the upload again. `wharf uploads show ID` has what the storage said.",
	},
	errs.CallbackSecret: {
		answer{wire.CodeCredentialInvalid, "Invalid callback secret"},
		program, never,
		"Somebody said that an upload is complete, without the secret that was given to its client.",
		"Nothing: the upload goes on.",
	},
	errs.CallbackSignature: {
		answer{wire.CodeCredentialInvalid, "Failed to verify callback request."},
		program, never,
		"Somebody called as a store does when an upload is complete, and the call does not have the store's signature.",
		"Nothing, if it was not the store: the upload goes on. If all of them fail, a proxy changes the path or the body of requests on their way to the server.",
	},
	errs.TooManySessions: {
		answer{wire.CodeUploadFailed, "Too many unfinished uploads"},
		user, changed,
		"The account has as many unfinished uploads as it may.",
		"Finish or discard some; see `wharf uploads`.",
	},

	errs.StoreFailed: {
		answer{wire.CodeDatabaseFailed, "The database did not answer. Nothing was changed; try again."},
		operator, later,
		"The database refused, was locked for too long, or does not answer. Nothing was changed.",
		"Send the same request again. If it stays, the log has the cause.",
	},
	errs.StoreStopped: {
		answer{wire.CodeDatabaseFailed, "The disk of the server refused to flush the database. The server stops; its operator must check the disk and restart it. Look whether this request had its effect before you repeat it."},
		operator, later,
		"The disk refused to flush the database, so that nobody can say what of the last changes is on it. Nothing is written or read any more, and the process ends with a failure for its supervisor to start it anew. Everything acknowledged is kept; what was not answered may have had its effect.",
		"The operator checks the disk (`dmesg`, SMART) and the log, and restarts the server if no supervisor does; the start decides. Then look before repeating what was not answered. Uploads go on from what was acknowledged.",
	},
	errs.IOFailed: {
		answer{wire.CodeIOFailed, "Failed to upload file: the storage did not take the bytes. Try again."},
		operator, later,
		"The storage did not take or give the bytes.",
		"Send the same request again. If it stays, check the disk; the log has the cause.",
	},
	errs.StorageStopped: {
		answer{wire.CodeIOFailed, "The disk of the server refused to flush uploaded bytes, so its storage is read-only. Repeating does not help: the operator must check the disk, then restart the server. What was acknowledged is kept."},
		operator, never,
		"The disk refused to flush uploaded bytes. A second flush could succeed without them, so the storage takes no writes until the server is started again. The chunk that failed does not count; everything acknowledged is kept and can be read.",
		"The operator checks the disk (`dmesg`, SMART), then restarts the server. After that the upload goes on from what was acknowledged.",
	},
	errs.CipherFailed: {
		answer{wire.CodeSettingFailed, "The file key could not be made or opened"},
		operator, never,
		"A file key could not be made, sealed or opened: the master key is not the one that sealed it.",
		"Give the data directory its own `master.key` back.",
	},
	errs.Overload: {
		answer{wire.CodeIOFailed, "The server is busy. Try again in a moment."},
		operator, later,
		"The server is out of descriptors, memory or time.",
		"Send the same request again in a moment.",
	},
}, administration, behind)

// byKind answers errors without a reason.
var byKind = map[errs.Kind]answer{
	errs.Transient: {wire.CodeIOFailed, "Try again in a moment."},
	errs.Canceled:  {wire.CodeIOFailed, "The request was given up."},
}

// Told returns the number and the text of a reason, for a list of what happened.
func Told(r errs.Reason) (code int, msg string) {
	a := answerTo(errs.New(errs.Internal, r))
	return int(a.code), a.msg
}

// answerTo returns what to tell for err.
func answerTo(err error) answer {
	var m *Malformed
	if errors.As(err, &m) {
		return answer{wire.CodeBadParameter, m.Msg}
	}
	f, known := answers[errs.ReasonOf(err)]
	a := f.answer
	if !known {
		a, known = byKind[errs.KindOf(err)]
	}
	if !known {
		a = answer{wire.CodeUncoded, "Something failed inside the server. Its log has the cause under the request id."}
	}
	var e *errs.Error
	// The cause of an internal failure is for the log, never for the client.
	if errors.As(err, &e) && e.Note != "" && e.Kind != errs.Internal {
		a.msg = e.Note
	}
	return a
}

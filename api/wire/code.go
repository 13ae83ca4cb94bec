package wire

// Code is the outcome of a call, as the envelope carries it. Clients branch on
// the code and never on the text beside it. The numbers are fixed by existing
// clients; a code, once given, never changes its meaning.
type Code int

// The codes of the v4 protocol. The description lists the same set, see the
// schema Code; a test keeps the two equal.
const (
	// CodeOK is 0: success.
	CodeOK Code = 0

	// CodeUncoded is -1: a failure without a code of its own, for example an unknown file
	// system name in a URI.
	CodeUncoded Code = -1

	// CodeMoreNeeded is 203: the step worked but more input is needed; data says what (a login
	// session id for the second factor).
	CodeMoreNeeded Code = 203

	// CodeLoginRequired is 401: the caller must be signed in.
	CodeLoginRequired Code = 401

	// CodeForbidden is 403: the caller may not do this, or this place does not support it.
	CodeForbidden Code = 403

	// CodeNotFound is 404: no such thing, in the general sense: user, share, upload session.
	CodeNotFound Code = 404

	// CodeObjectChanged is 409: the object changed between being looked up and being locked,
	// or a received chunk was sent again with other bytes.
	CodeObjectChanged Code = 409

	// CodeBadParameter is 40001: a parameter, the body or a URI is malformed.
	CodeBadParameter Code = 40001

	// CodeUploadFailed is 40002: the upload failed.
	CodeUploadFailed Code = 40002

	// CodeFolderCreationFailed is 40003: the folder could not be created.
	CodeFolderCreationFailed Code = 40003

	// CodeObjectExists is 40004: an object of that name exists.
	CodeObjectExists Code = 40004

	// CodeSignatureExpired is 40005: the signature of a URL or credential has expired.
	CodeSignatureExpired Code = 40005

	// CodePolicyUnsuitable is 40006: the storage policy cannot be used in this way.
	CodePolicyUnsuitable Code = 40006

	// CodeGroupMayNot is 40007: the caller's group may not do this.
	CodeGroupMayNot Code = 40007

	// CodeAdminOnly is 40008: only an administrator may do this.
	CodeAdminOnly Code = 40008

	// CodeMasterUnknown is 40009: the calling master is not registered on this node.
	CodeMasterUnknown Code = 40009

	// CodePhoneNeeded is 40010: a phone number must be linked first.
	CodePhoneNeeded Code = 40010

	// CodeUploadSessionGone is 40011: the upload session is unknown, over, or not the
	// caller's.
	CodeUploadSessionGone Code = 40011

	// CodeChunkIndexInvalid is 40012: the chunk index does not fit the session.
	CodeChunkIndexInvalid Code = 40012

	// CodeContentLengthWrong is 40013: the announced body length is not the expected one.
	CodeContentLengthWrong Code = 40013

	// CodeBatchTooLarge is 40014: the batch of source links is too large.
	CodeBatchTooLarge Code = 40014

	// CodeBatchDownloadTooLarge is 40015: the batch of remote downloads is too large.
	CodeBatchDownloadTooLarge Code = 40015

	// CodePathNotFound is 40016: nothing is at this path, or its parent is missing.
	CodePathNotFound Code = 40016

	// CodeUserBanned is 40017: the account is banned.
	CodeUserBanned Code = 40017

	// CodeUserInactive is 40018: the account is not activated.
	CodeUserInactive Code = 40018

	// CodeFeatureDisabled is 40019: the feature is switched off on this site.
	CodeFeatureDisabled Code = 40019

	// CodeCredentialInvalid is 40020: a token or callback secret is of the wrong kind, revoked
	// or forged.
	CodeCredentialInvalid Code = 40020

	// CodeUserNotFound is 40021: no such user.
	CodeUserNotFound Code = 40021

	// CodeSecondFactorWrong is 40022: the second-factor code is wrong.
	CodeSecondFactorWrong Code = 40022

	// CodeLoginSessionMissing is 40023: the login session of the second factor is gone.
	CodeLoginSessionMissing Code = 40023

	// CodeWebAuthn40024 is 40024: a passkey problem.
	CodeWebAuthn40024 Code = 40024

	// CodeWebAuthn40025 is 40025: a passkey problem.
	CodeWebAuthn40025 Code = 40025

	// CodeCaptchaWrong is 40026: the captcha answer is wrong or missing.
	CodeCaptchaWrong Code = 40026

	// CodeCaptchaStale is 40027: the captcha must be fetched again.
	CodeCaptchaStale Code = 40027

	// CodeMail40028 is 40028: an e-mail or temporary-link problem.
	CodeMail40028 Code = 40028

	// CodeMail40029 is 40029: an e-mail or temporary-link problem.
	CodeMail40029 Code = 40029

	// CodeMail40030 is 40030: an e-mail or temporary-link problem.
	CodeMail40030 Code = 40030

	// CodeMail40031 is 40031: an e-mail or temporary-link problem.
	CodeMail40031 Code = 40031

	// CodeMail40032 is 40032: an e-mail or temporary-link problem.
	CodeMail40032 Code = 40032

	// CodeMail40033 is 40033: an e-mail or temporary-link problem.
	CodeMail40033 Code = 40033

	// CodeMail40034 is 40034: an e-mail or temporary-link problem.
	CodeMail40034 Code = 40034

	// CodePolicyMissing is 40035: no such storage policy.
	CodePolicyMissing Code = 40035

	// CodeDefaultPolicyProtected is 40036: the default storage policy cannot be removed.
	CodeDefaultPolicyProtected Code = 40036

	// CodePolicyInUse40037 is 40037: the storage policy is still in use.
	CodePolicyInUse40037 Code = 40037

	// CodePolicyInUse40038 is 40038: the storage policy is still in use.
	CodePolicyInUse40038 Code = 40038

	// CodeAdmin40039 is 40039: a group or user administration problem.
	CodeAdmin40039 Code = 40039

	// CodeAdmin40040 is 40040: a group or user administration problem.
	CodeAdmin40040 Code = 40040

	// CodeAdmin40041 is 40041: a group or user administration problem.
	CodeAdmin40041 Code = 40041

	// CodeAdmin40042 is 40042: a group or user administration problem.
	CodeAdmin40042 Code = 40042

	// CodeAdmin40043 is 40043: a group or user administration problem.
	CodeAdmin40043 Code = 40043

	// CodeFileNotFound is 40044: the file was not found.
	CodeFileNotFound Code = 40044

	// CodeListFailed is 40045: the listing failed.
	CodeListFailed Code = 40045

	// CodeSystemNodeProtected is 40046: the system node cannot be changed.
	CodeSystemNodeProtected Code = 40046

	// CodeFileSystemFailed is 40047: the file system could not be opened.
	CodeFileSystemFailed Code = 40047

	// CodeTaskCreationFailed is 40048: the background task could not be created.
	CodeTaskCreationFailed Code = 40048

	// CodeFileTooLarge is 40049: the file is larger than the policy or the site allows.
	CodeFileTooLarge Code = 40049

	// CodeFileTypeRefused is 40050: files of this type are not allowed.
	CodeFileTypeRefused Code = 40050

	// CodeNoCapacity is 40051: the owner has not enough capacity left.
	CodeNoCapacity Code = 40051

	// CodeNameRefused is 40052: the object name is not allowed.
	CodeNameRefused Code = 40052

	// CodeRootProtected is 40053: the root cannot be changed.
	CodeRootProtected Code = 40053

	// CodeNameUploading is 40054: another upload to the same name is under way; 40073 or 40004
	// are used instead.
	CodeNameUploading Code = 40054

	// CodeObjectDiffers is 40055: the stored object differs from what was announced.
	CodeObjectDiffers Code = 40055

	// CodeArchiveType is 40056: the archive type is not supported.
	CodeArchiveType Code = 40056

	// CodePolicyChanged is 40057: the storage policy changed meanwhile.
	CodePolicyChanged Code = 40057

	// CodeShareLinkBad is 40058: the share link is not valid.
	CodeShareLinkBad Code = 40058

	// CodeOwnShare is 40059: one's own share cannot be saved.
	CodeOwnShare Code = 40059

	// CodeMasterUnreachable is 40060: the node cannot reach its master.
	CodeMasterUnreachable Code = 40060

	// CodeVersionMismatch is 40061: node and master are of different versions.
	CodeVersionMismatch Code = 40061

	// CodePro40062 is 40062: credits, groups, gift codes or OpenID; not used by this server.
	CodePro40062 Code = 40062

	// CodePro40063 is 40063: credits, groups, gift codes or OpenID; not used by this server.
	CodePro40063 Code = 40063

	// CodePro40064 is 40064: credits, groups, gift codes or OpenID; not used by this server.
	CodePro40064 Code = 40064

	// CodePro40065 is 40065: credits, groups, gift codes or OpenID; not used by this server.
	CodePro40065 Code = 40065

	// CodePro40066 is 40066: credits, groups, gift codes or OpenID; not used by this server.
	CodePro40066 Code = 40066

	// CodePro40067 is 40067: credits, groups, gift codes or OpenID; not used by this server.
	CodePro40067 Code = 40067

	// CodePro40068 is 40068: credits, groups, gift codes or OpenID; not used by this server.
	CodePro40068 Code = 40068

	// CodeSharePasswordWrong is 40069: the share password is wrong or missing.
	CodeSharePasswordWrong Code = 40069

	// CodePreviewDisabled is 40070: previews are switched off.
	CodePreviewDisabled Code = 40070

	// CodeSignatureInvalid is 40071: the signature of a URL or credential is not valid.
	CodeSignatureInvalid Code = 40071

	// CodeAdminGroupProtected is 40072: refused because it concerns an administrator group.
	CodeAdminGroupProtected Code = 40072

	// CodeLockConflict is 40073: a lock is in the way (data names it), or the session's own
	// lock was lost (data is an empty list).
	CodeLockConflict Code = 40073

	// CodeTooManyURIs is 40074: the request names too many URIs.
	CodeTooManyURIs Code = 40074

	// CodeLockExpired is 40075: a lock expired; declared by the protocol, 40073 is used
	// instead.
	CodeLockExpired Code = 40075

	// CodeStaleVersion is 40076: the file is newer than the version the caller had seen.
	CodeStaleVersion Code = 40076

	// CodeEntityNotFound is 40077: no such version of the file.
	CodeEntityNotFound Code = 40077

	// CodeDeletedMeanwhile is 40078: the object was deleted meanwhile.
	CodeDeletedMeanwhile Code = 40078

	// CodeWalkLimit is 40079: too many objects to walk through.
	CodeWalkLimit Code = 40079

	// CodeLoginWrong is 40080: e-mail or password is wrong.
	CodeLoginWrong Code = 40080

	// CodeBatchPartlyFailed is 40081: at least one item of a batch failed; aggregated_error
	// says which.
	CodeBatchPartlyFailed Code = 40081

	// CodeOwnerOnly is 40082: only the owner may do this.
	CodeOwnerOnly Code = 40082

	// CodePurchaseRequired is 40083: the share must be bought; not used by this server.
	CodePurchaseRequired Code = 40083

	// CodeLastOpenID is 40084: the last linked sign-in cannot be removed.
	CodeLastOpenID Code = 40084

	// CodeAmountTooSmall is 40085: the amount is too small; not used by this server.
	CodeAmountTooSmall Code = 40085

	// CodeNodeInUse is 40086: the node is still used by a storage policy.
	CodeNodeInUse Code = 40086

	// CodeDomainUnlicensed is 40087: the domain is not licensed; not used by this server.
	CodeDomainUnlicensed Code = 40087

	// CodeAnonymousShareDenied is 40088: anonymous callers may not open this share.
	CodeAnonymousShareDenied Code = 40088

	// CodeScopeMissing is 40089: the token lacks the scope for this.
	CodeScopeMissing Code = 40089

	// CodeDatabaseFailed is 50001: the database, or a lookup in it, failed.
	CodeDatabaseFailed Code = 50001

	// CodeEncryptionFailed is 50002: encryption failed.
	CodeEncryptionFailed Code = 50002

	// CodeIOFailed is 50004: reading or writing bytes failed, or their digest was wrong; the
	// chunk can be sent again.
	CodeIOFailed Code = 50004

	// CodeSettingFailed is 50005: a setting or the storage driver is at fault.
	CodeSettingFailed Code = 50005

	// CodeCacheFailed is 50006: the cache or the node's session is at fault.
	CodeCacheFailed Code = 50006

	// CodeCallbackFailed is 50007: the node's callback to its master failed.
	CodeCallbackFailed Code = 50007

	// CodeSettingInvalid is 50008: a setting is not valid.
	CodeSettingInvalid Code = 50008

	// CodeCORSFailed is 50009: the CORS rules of the provider could not be set.
	CodeCORSFailed Code = 50009

	// CodeNodeOffline is 50010: the node is offline.
	CodeNodeOffline Code = 50010

	// CodeMetadataQueryFailed is 50011: the metadata query failed.
	CodeMetadataQueryFailed Code = 50011
)

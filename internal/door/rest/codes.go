package rest

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// answer is what a client of the protocol is told for a reason. The text is the
// protocol's where clients compare it (clients.md 5.7), else our own.
type answer struct {
	code wire.Code
	msg  string
}

// answers is the only place that knows the protocol's numbers. A test holds
// that every reason has a line.
var answers = map[errs.Reason]answer{
	errs.BadParam:     {wire.CodeBadParameter, "Invalid parameters."},
	errs.BadURI:       {wire.CodeBadParameter, "unknown uri"},
	errs.UnknownFS:    {wire.CodeUncoded, ""},
	errs.BadID:        {wire.CodeBadParameter, "Failed to parse object ID"},
	errs.NameRejected: {wire.CodeNameRefused, "Invalid object name"},
	errs.TooMany:      {wire.CodeTooManyURIs, "Too many items in one request"},

	errs.LoginNeeded:    {wire.CodeLoginRequired, "Login required"},
	errs.BadLogin:       {wire.CodeLoginWrong, "Incorrect password or email address"},
	errs.BadToken:       {wire.CodeLoginRequired, "Login required"},
	errs.WrongToken:     {wire.CodeCredentialInvalid, "Invalid token type"},
	errs.TokenExpired:   {wire.CodeLoginRequired, "Login required"},
	errs.NotOwner:       {wire.CodeOwnerOnly, "Only the owner may do this"},
	errs.NoPermission:   {wire.CodeForbidden, "Permission denied"},
	errs.ScopeMissing:   {wire.CodeScopeMissing, "Insufficient scope"},
	errs.UserBanned:     {wire.CodeUserBanned, "This account is closed"},
	errs.UserInactive:   {wire.CodeUserInactive, "This account is not activated yet"},
	errs.UserUnknown:    {wire.CodeUserNotFound, "User not found"},
	errs.TooManyGuesses: {wire.CodeForbidden, "Too many wrong passwords. Wait a few minutes, then try again."},
	errs.SignExpired:    {wire.CodeSignatureExpired, "signature expired"},
	errs.SignBad:        {wire.CodeSignatureInvalid, "invalid signature"},
	errs.SetupDone:      {wire.CodeForbidden, "This set-up link is not valid any more. Start the server again for a new one, or sign in."},

	errs.PathMissing:    {wire.CodePathNotFound, "Path not exist"},
	errs.NameTaken:      {wire.CodeObjectExists, "Object existed"},
	errs.RootProtected:  {wire.CodeForbidden, "Not supported action"},
	errs.ParentIsFile:   {wire.CodeForbidden, "Not supported action"},
	errs.Locked:         {wire.CodeLockConflict, "Lock conflict"},
	errs.LockExpired:    {wire.CodeLockConflict, "Lock expired"},
	errs.LockUnknown:    {wire.CodeBadParameter, "failed to unlock file"},
	errs.VersionStale:   {wire.CodeStaleVersion, "File is updated during your edit"},
	errs.VersionMissing: {wire.CodeEntityNotFound, "Entity not exist"},
	errs.Changed:        {wire.CodeObjectChanged, "Object conflict"},
	errs.BatchFailed:    {wire.CodeBatchPartlyFailed, "One or more operation failed"},
	errs.RecoverNeeded:  {wire.CodeIOFailed, "The stored bytes of this file are missing or damaged"},

	errs.SessionGone:     {wire.CodeUploadSessionGone, ""},
	errs.SessionMismatch: {wire.CodeNotFound, "Upload session not found"},
	errs.ChunkIndex:      {wire.CodeChunkIndexInvalid, "Chunk offset cannot be greater than file size"},
	errs.ChunkLength:     {wire.CodeContentLengthWrong, "Invalid Content-Length"},
	errs.ChunkShort:      {wire.CodeIOFailed, "Failed to upload file: the body ended early. Send this chunk again."},
	errs.ChunkDiffers:    {wire.CodeObjectChanged, "Other bytes were received for this chunk before"},
	errs.ChunkBusy:       {wire.CodeIOFailed, "Failed to upload file: this chunk is being received on another connection"},
	errs.DigestMismatch:  {wire.CodeIOFailed, "Failed to upload file: the bytes do not match their Content-Digest. Send this chunk again."},
	errs.FileTooLarge:    {wire.CodeFileTooLarge, "File is too large"},
	errs.QuotaFull:       {wire.CodeNoCapacity, "Insufficient capacity"},
	errs.DiskFull:        {wire.CodeIOFailed, "The disk of the server is full. What was sent so far is kept; try again when there is room."},
	errs.PolicyMissing:   {wire.CodeDatabaseFailed, "Storage policy not found"},
	errs.PolicyUse:       {wire.CodePolicyUnsuitable, "The storage policy cannot be used in this way"},
	errs.TooManySessions: {wire.CodeUploadFailed, "Too many unfinished uploads"},

	errs.StoreFailed:  {wire.CodeDatabaseFailed, "The database did not answer. Nothing was changed; try again."},
	errs.IOFailed:     {wire.CodeIOFailed, "Failed to upload file: the storage did not take the bytes. Try again."},
	errs.CipherFailed: {wire.CodeSettingFailed, "The file key could not be made or opened"},
	errs.Overload:     {wire.CodeIOFailed, "The server is busy. Try again in a moment."},
}

// byKind answers errors without a reason.
var byKind = map[errs.Kind]answer{
	errs.Transient: {wire.CodeIOFailed, "Try again in a moment."},
	errs.Canceled:  {wire.CodeIOFailed, "The request was given up."},
}

// answerTo returns what to tell for err.
func answerTo(err error) answer {
	var m *malformed
	if errors.As(err, &m) {
		return answer{wire.CodeBadParameter, m.msg}
	}
	a, known := answers[errs.ReasonOf(err)]
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

// failure is the envelope of err.
func (d *Door) failure(q *request, err error) wire.Failure {
	a := answerTo(err)
	var data any
	var e *errs.Error
	switch {
	case errs.Has(err, errs.LockExpired):
		data = []wire.LockInfo{} // the web client reads a list wherever this code is
	case errs.Has(err, errs.Locked) && errors.As(err, &e):
		held, _ := e.Detail.([]catalog.Held)
		data = locks(held)
	}
	f := wire.Refuse(a.code, a.msg, data)
	f.CorrelationID = q.id
	if errs.Has(err, errs.BatchFailed) && errors.As(err, &e) {
		items, _ := e.Detail.(map[string]error)
		f.AggregatedError = make(map[string]wire.Failure, len(items))
		for uri, item := range items {
			f.AggregatedError[uri] = d.failure(q, item)
		}
	}
	return f
}

// batch joins the failures of a batch: nil for none, the one message for one.
// Where nothing but locks is in the way, they are told at the top, as clients
// that unlock and repeat expect (answers.md, delete_while_uploading).
func batch(failed map[string]error) error {
	if len(failed) == 0 {
		return nil
	}
	if held := allLocked(failed); held != nil {
		return errs.New(errs.Conflict, errs.Locked).With(held)
	}
	e := errs.New(errs.Conflict, errs.BatchFailed).With(failed)
	if len(failed) == 1 {
		for _, err := range failed {
			e.Note = answerTo(err).msg
		}
	}
	return e
}

// allLocked returns all locks in the way, nil unless every failure is one.
func allLocked(failed map[string]error) (all []catalog.Held) {
	for _, err := range failed {
		var e *errs.Error
		if !errs.Has(err, errs.Locked) || !errors.As(err, &e) {
			return nil
		}
		held, _ := e.Detail.([]catalog.Held)
		all = append(all, held...)
	}
	return all
}

// write sends an envelope.
func write(w http.ResponseWriter, status int, reply any) {
	body, err := json.Marshal(reply)
	if err != nil {
		panic(err) // wire types always marshal; the wiring recovers and logs
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away is not an event
}

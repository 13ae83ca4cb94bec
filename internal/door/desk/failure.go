package desk

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Failure is the envelope of err.
func (q *Call) Failure(err error) wire.Failure {
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
	f.CorrelationID = q.ID
	if errs.Has(err, errs.BatchFailed) && errors.As(err, &e) {
		items, _ := e.Detail.(map[string]error)
		f.AggregatedError = make(map[string]wire.Failure, len(items))
		for uri, item := range items {
			f.AggregatedError[uri] = q.Failure(item)
		}
	}
	return f
}

// Batch joins the failures of a batch: nil for none, the one message for one.
// Where nothing but locks is in the way, they are told at the top, as clients
// that unlock and repeat expect (answers.md, delete_while_uploading).
func Batch(failed map[string]error) error {
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
	var body []byte
	var err error
	if m, ok := reply.(json.Marshaler); ok { // Marshal would read again what it writes
		body, err = m.MarshalJSON()
	} else {
		body, err = json.Marshal(reply)
	}
	if err != nil {
		panic(err) // wire types always marshal; the wiring recovers and logs
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away is not an event
}

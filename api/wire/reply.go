package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Reply is the envelope of every API answer. Its keys are written in the order
// of the fields, and a key without a value is left out, as existing clients
// expect; Code and Msg are always there.
//
// A server makes one with [OK], [Done] or [Refuse] and must write it with
// encoding/json, whose HTML escaping is part of the protocol.
type Reply[T any] struct {
	// Code is CodeOK or says why not.
	Code Code
	// Data is what the call returns. It may go with a failure: the locks in the
	// way with CodeLockConflict. A pointer to an empty list is written as [],
	// nil is left out.
	Data *T
	// AggregatedError has the failure of each item of a batch by the item's URI
	// as it was requested, with CodeBatchPartlyFailed.
	AggregatedError map[string]Failure
	// Msg is for people; programs must not read it.
	Msg string
	// CorrelationID finds the call in the logs. Absent on success and on
	// failures found while the request was decoded.
	CorrelationID string

	// Detail is the data of a decoded failure as it came; see [Reply.Locks].
	Detail json.RawMessage
}

// Failure is the envelope of a call that failed.
type Failure = Reply[any]

// None is the data of a call that returns nothing.
type None = struct{}

// OK is the reply of a call that returns data.
func OK[T any](data T) Reply[T] { return Reply[T]{Data: &data} }

// Done is the reply of a call that worked and returns nothing.
func Done() Reply[None] { return Reply[None]{} }

// Refuse is the reply of a call that failed. data may be nil.
func Refuse(c Code, msg string, data any) Failure {
	f := Failure{Code: c, Msg: msg}
	if data != nil {
		f.Data = &data
	}
	return f
}

// envelope is Reply with tags, so that Reply can have its own UnmarshalJSON.
type envelope[D any] struct {
	Code            Code               `json:"code"`
	Data            D                  `json:"data,omitempty"`
	AggregatedError map[string]Failure `json:"aggregated_error,omitempty"`
	Msg             string             `json:"msg"`
	CorrelationID   string             `json:"correlation_id,omitempty"`
}

// MarshalJSON writes the envelope. HTML escaping is the encoder's.
func (r Reply[T]) MarshalJSON() ([]byte, error) {
	return json.Marshal(envelope[*T]{r.Code, r.Data, r.AggregatedError, r.Msg, r.CorrelationID})
}

// UnmarshalJSON reads the envelope. Data is read as T on success only, since a
// failure carries data of another kind: that is kept in Detail.
func (r *Reply[T]) UnmarshalJSON(b []byte) error {
	var e envelope[json.RawMessage]
	if err := json.Unmarshal(b, &e); err != nil {
		return err
	}
	*r = Reply[T]{Code: e.Code, AggregatedError: e.AggregatedError, Msg: e.Msg, CorrelationID: e.CorrelationID}
	if len(e.Data) == 0 || bytes.Equal(e.Data, []byte("null")) {
		return nil
	}
	if r.Code != CodeOK {
		r.Detail = e.Data
		return nil
	}
	r.Data = new(T)
	if err := json.Unmarshal(e.Data, r.Data); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	return nil
}

// Locks returns the locks that a decoded CodeLockConflict names. There are none
// when the session's own lock was lost.
func (r Reply[T]) Locks() []LockInfo {
	var locks []LockInfo
	if r.Code != CodeLockConflict || json.Unmarshal(r.Detail, &locks) != nil {
		return nil
	}
	return locks
}

package rest

import (
	"cmp"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/upload"
)

func (d *Door) showUploadTimeline(q *desk.Call) error {
	t, err := d.Engine.Timeline(q.Ctx(), q.Actor, core.SessionID(q.R.PathValue("sessionId")))
	if err != nil {
		return err
	}
	out := wire.UploadTimeline{
		SessionID: string(t.Session.ID), URI: t.Session.URI, Size: t.Session.Size, State: wire.UploadState(t.Session.State),
		Events: make([]wire.UploadEvent, len(t.Events)),
	}
	for i, e := range t.Events {
		out.Events[i] = event(e)
	}
	return desk.OK(q, out)
}

func event(e upload.Event) wire.UploadEvent {
	out := wire.UploadEvent{At: e.At, Kind: wire.UploadEventKind(e.Kind), Chunks: e.Chunks, Reason: string(e.Reason)}
	if !e.Until.IsZero() {
		out.Until = &e.Until
	}
	if e.Range.Len() > 0 {
		out.Bytes = []int64{e.Range.From, e.Range.To}
	}
	if e.Kind == upload.Refused || e.Kind == upload.SettleFailed {
		code, msg := desk.Told(e.Reason)
		out.Code, out.Message = code, cmp.Or(e.Note, msg)
	}
	return out
}

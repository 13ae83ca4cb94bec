package live

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/event"
)

const (
	// beat is how often something is sent, so that either side learns that the other
	// is gone, and how long a sign-in that has ended may go on listening to nothing.
	beat = 20 * time.Second
	// patience is how long a write may stand still.
	patience = 10 * time.Second
)

// Options are what a Door is made of; all are needed.
type Options struct {
	*desk.Desk
	Catalog *catalog.Catalog
	Hub     *event.Hub
}

// Door tells of changes.
type Door struct{ Options }

// New returns the door over o.
func New(o Options) *Door { return &Door{o} }

// Routes returns this door's lines of the table.
func (d *Door) Routes() []desk.Route {
	return []desk.Route{desk.Member.Asks("listenEvents", "GET /file/events", d.listenEvents)}
}

func (d *Door) listenEvents(q *desk.Call) error {
	at, err := d.NeedURI(q.R.URL.Query().Get("uri"))
	if err != nil {
		return err
	}
	if q.R.Header.Get(desk.ClientHeader) == "" {
		return desk.Bad("X-Cr-Client-Id cannot be empty")
	}
	owner, err := catalog.OwnerOf(q.Actor, at.Ref)
	if err != nil {
		return err
	}
	l, err := d.Hub.Listen(owner, event.OriginOf(q.Ctx()))
	if err != nil {
		return err
	}
	defer l.Close()
	// Listening began before the folder is looked for: nothing happens in between.
	if _, err := d.Catalog.Find(q.Ctx(), q.Actor, at.Ref); err != nil {
		return err
	}
	s := &stream{door: d, q: q, rc: http.NewResponseController(q.W), base: at.Ref.Path}
	q.W.Header().Set("Content-Type", "text/event-stream;charset=utf-8")
	q.W.Header().Set("X-Accel-Buffering", "no")
	s.run(l)
	return nil
}

// stream is one answer that does not end by itself.
type stream struct {
	door *Door
	q    *desk.Call
	rc   *http.ResponseController
	base core.Path
}

func (s *stream) run(l *event.Listener) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for sent := s.send("subscribed", "<nil>"); sent; {
		select {
		case <-s.q.Ctx().Done():
			return
		case <-l.Done():
			s.send("reconnect-required", "<nil>")
			return
		case <-tick.C:
			sent = s.signedIn() && s.send("keep-alive", "<nil>")
		case <-l.Ready():
			changes, all := l.Take()
			sent = s.signedIn() && s.changes(changes, all)
		}
	}
}

// signedIn reports whether the token still counts: it was looked at when listening
// began, and the sign-in may have ended since.
func (s *stream) signedIn() bool {
	token, _ := strings.CutPrefix(s.q.R.Header.Get("Authorization"), "Bearer ")
	_, err := s.door.Tokens.Verify(s.q.Ctx(), token)
	return err == nil
}

func (s *stream) changes(changes []event.Change, all bool) bool {
	out := make([]wire.FileEvent, 0, len(changes))
	for _, c := range changes {
		if s.holds(c.From) || s.holds(c.To) {
			all = all || c.Kind != event.Modified // the folder itself went, or came again
			continue
		}
		if e, ok := s.event(c); ok {
			out = append(out, e)
		}
	}
	if all {
		s.send("reconnect-required", "<nil>")
		return false
	}
	if len(out) == 0 {
		return true
	}
	text, err := json.Marshal(out)
	if err != nil {
		return false // texts always marshal
	}
	return s.send("event", string(text))
}

// event is c as it is seen from the folder that is listened to.
func (s *stream) event(c event.Change) (e wire.FileEvent, ok bool) {
	from, was := s.below(c.From)
	to, is := s.below(c.To)
	kind := c.Kind
	switch {
	case !was && !is:
		return e, false
	case !was:
		kind, from = event.Created, to
	case !is:
		kind, to = event.Deleted, from
	}
	return wire.FileEvent{
		Type: wire.FileEventType(kind), FileID: s.door.IDs.Encode(core.TagFile, int64(c.Node)), From: from, To: to,
	}, true
}

// holds reports whether p is the folder that is listened to, or one that it is in.
func (s *stream) holds(p core.Path) bool {
	names, base := p.Names(), s.base.Names()
	return len(names) <= len(base) && slices.Equal(names, base[:len(names)])
}

// below is p seen from the folder that is listened to, if it is in it.
func (s *stream) below(p core.Path) (string, bool) {
	names, base := p.Names(), s.base.Names()
	if len(names) <= len(base) || !slices.Equal(names[:len(base)], base) {
		return "", false
	}
	return "/" + strings.Join(names[len(base):], "/"), true
}

// send writes one event; false when nobody reads.
func (s *stream) send(name, data string) bool {
	_ = s.rc.SetWriteDeadline(s.door.Clock().Add(patience)) // not every transport has one
	if _, err := s.q.W.Write([]byte("event:" + name + "\ndata:" + data + "\n\n")); err != nil {
		return false
	}
	return s.rc.Flush() == nil
}

package account

import (
	"cmp"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	rules "github.com/wharfinger/wharfinger/internal/account"
	"github.com/wharfinger/wharfinger/internal/door/desk"
)

func passkeys(list []rules.Passkey) []wire.Passkey {
	out := make([]wire.Passkey, len(list))
	for i, p := range list {
		out[i] = passkey(p)
	}
	return out
}

func passkey(p rules.Passkey) wire.Passkey {
	out := wire.Passkey{ID: p.ID, Name: p.Name, CreatedAt: p.Created}
	if !p.Used.IsZero() {
		out.UsedAt = new(time.Time)
		*out.UsedAt = p.Used
	}
	return out
}

func (d *Door) askPasskey(q *desk.Call) error {
	ask, err := d.Keeper.AskPasskey(d.Origin(q.R))
	if err != nil {
		return err
	}
	return desk.OK(q, wire.PasskeyAsk{Options: ask.Options, SessionID: ask.ID})
}

// createTokenByPasskey needs no session_id to know what was asked, which the
// answer repeats; one that belongs to another question is a mistake of the client.
func (d *Door) createTokenByPasskey(q *desk.Call) error {
	var in wire.PasskeySignInRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	if in.Response == "" {
		return desk.Bad("Response cannot be empty")
	}
	entry, err := d.Keeper.PasskeySignIn(q.Ctx(), rules.Answer{Origin: d.Origin(q.R), ID: in.SessionID, Response: []byte(in.Response)}, from(q))
	if err != nil {
		return err
	}
	return d.signedIn(q, entry)
}

func (d *Door) offerPasskey(q *desk.Call) error {
	h, err := d.Catalog.HomeOf(q.Ctx(), q.Actor.User)
	if err != nil {
		return err
	}
	options, err := d.Keeper.OfferPasskey(q.Ctx(), q.Actor, rules.Shown{
		Origin: d.Origin(q.R), Email: h.User.Email, Nick: cmp.Or(h.User.Nick, h.User.Email),
	})
	if err != nil {
		return err
	}
	return desk.OK(q, options)
}

func (d *Door) addPasskey(q *desk.Call) error {
	var in wire.AddPasskeyRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	if in.Response == "" {
		return desk.Bad("Response cannot be empty")
	}
	name := strings.TrimSpace(cmp.Or(in.Name, in.Ua, "Passkey"))
	if len(name) > 255 || strings.ContainsFunc(name, unseen) {
		return desk.Bad("Name is not one that can be shown")
	}
	p, err := d.Keeper.AddPasskey(q.Ctx(), q.Actor, rules.Answer{Origin: d.Origin(q.R), Response: []byte(in.Response)}, name)
	if err != nil {
		return err
	}
	return desk.OK(q, passkey(p))
}

func (d *Door) deletePasskey(q *desk.Call) error {
	id := q.R.URL.Query().Get("id")
	if id == "" {
		return desk.Bad("ID cannot be empty")
	}
	if err := d.Keeper.DropPasskey(q.Ctx(), q.Actor, id); err != nil {
		return err
	}
	return q.Done()
}

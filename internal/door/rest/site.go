package rest

import (
	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/door/desk"
)

func (d *Door) getCapacity(q *desk.Call) error {
	c, err := d.Catalog.Capacity(q.Ctx(), q.Actor)
	if err != nil {
		return err
	}
	// Clients of the protocol expect open uploads among the used bytes.
	return desk.OK(q, wire.Capacity{Total: c.Total, Used: c.Used + c.Reserved, Reserved: c.Reserved})
}

func (d *Door) ping(q *desk.Call) error { return desk.OK(q, d.Site.Version) }

func (d *Door) getOpenAPI(q *desk.Call) error {
	q.W.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = q.W.Write(d.OpenAPI) // a client that went away is not an event
	return nil
}

// themes is the one theme of ours, for clients that paint themselves by it.
const themes = `{"#0f766e":{"light":{"palette":{"primary":{"main":"#0f766e"}}},"dark":{"palette":{"primary":{"main":"#2dd4bf"}}}}}`

// getSiteConfig answers what clients ask at start. Each section says truthfully
// what is not offered, so that clients hide it. An unknown section is `basic`,
// as the protocol has it.
func (d *Door) getSiteConfig(q *desk.Call) error {
	switch q.R.PathValue("section") {
	case "login":
		required, err := d.Setup.Required(q.Ctx())
		if err != nil {
			return err
		}
		return desk.OK(q, wire.SiteLogin{SetupRequired: required, Authn: d.Passkeys(d.Origin(q.R))})
	case "explorer":
		return desk.OK(q, wire.SiteExplorer{
			Icons: "[]", MapProvider: "openstreetmap", FileViewers: []wire.ViewerGroup{{Viewers: []wire.Viewer{}}},
			MaxBatchSize: desk.MaxBatch, ThumbnailWidth: 400, ThumbnailHeight: 300,
			CustomProps: []map[string]any{}, ShowEncryptionStatus: true,
		})
	case "emojis":
		return desk.OK(q, wire.SiteEmojis{EmojiPreset: "{}"})
	case "thumb":
		return desk.OK(q, wire.SiteThumb{ThumbExts: d.ThumbExts})
	case "app":
		return desk.OK(q, wire.SiteApp{})
	}
	user := d.anonymous()
	if q.Actor.Known() {
		h, err := d.Catalog.HomeOf(q.Ctx(), q.Actor.User)
		if err != nil {
			return err
		}
		user = d.User(h)
	}
	return desk.OK(q, wire.SiteBasic{
		InstanceID: d.Site.ID, Title: d.Site.TitleFunc(), Themes: themes, DefaultTheme: "#0f766e", User: user,
		Logo: "/static/img/logo.svg", LogoLight: "/static/img/logo_light.svg", CaptchaType: "normal",
	})
}

package rest

import (
	"net/http"

	"github.com/wharfinger/wharfinger/api/wire"
)

func (d *Door) getCapacity(q *request) error {
	c, err := d.Catalog.Capacity(q.ctx(), q.actor)
	if err != nil {
		return err
	}
	// Clients of the protocol expect open uploads among the used bytes.
	return ok(q, wire.Capacity{Total: c.Total, Used: c.Used + c.Reserved, Reserved: c.Reserved})
}

func (d *Door) getUserSetting(q *request) error {
	h, err := d.Catalog.HomeOf(q.ctx(), q.actor.User)
	if err != nil {
		return err
	}
	return ok(q, wire.UserSetting{
		VersionRetentionEnabled: h.Group.MaxVersions > 1, VersionRetentionMax: int(h.Group.MaxVersions),
	})
}

// getAvatar: nobody can set one yet, and clients show initials then.
func (d *Door) getAvatar(q *request) error {
	http.Error(q.w, "This user has no picture.", http.StatusNotFound)
	return nil
}

func (d *Door) ping(q *request) error { return ok(q, d.Site.Version) }

func (d *Door) getOpenAPI(q *request) error {
	q.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = q.w.Write(d.OpenAPI) // a client that went away is not an event
	return nil
}

// themes is the one theme of ours, for clients that paint themselves by it.
const themes = `{"#0f766e":{"light":{"palette":{"primary":{"main":"#0f766e"}}},"dark":{"palette":{"primary":{"main":"#2dd4bf"}}}}}`

// getSiteConfig answers what clients ask at start. Each section says truthfully
// what is not offered, so that clients hide it. An unknown section is `basic`,
// as the protocol has it.
func (d *Door) getSiteConfig(q *request) error {
	switch q.r.PathValue("section") {
	case "login":
		required, err := d.Setup.Required(q.ctx())
		if err != nil {
			return err
		}
		return ok(q, wire.SiteLogin{SetupRequired: required})
	case "explorer":
		return ok(q, wire.SiteExplorer{
			Icons: "[]", MapProvider: "openstreetmap", FileViewers: []wire.ViewerGroup{{Viewers: []wire.Viewer{}}},
			MaxBatchSize: maxBatch, ThumbnailWidth: 400, ThumbnailHeight: 300,
			CustomProps: []map[string]any{}, ShowEncryptionStatus: true,
		})
	case "emojis":
		return ok(q, wire.SiteEmojis{EmojiPreset: "{}"})
	case "thumb":
		return ok(q, wire.SiteThumb{ThumbExts: []string{}})
	case "app":
		return ok(q, wire.SiteApp{})
	}
	user := d.anonymous()
	if q.actor.Known() {
		h, err := d.Catalog.HomeOf(q.ctx(), q.actor.User)
		if err != nil {
			return err
		}
		user = d.user(h)
	}
	return ok(q, wire.SiteBasic{
		InstanceID: d.Site.ID, Title: d.Site.Title, Themes: themes, DefaultTheme: "#0f766e", User: user,
		Logo: "/static/img/logo.svg", LogoLight: "/static/img/logo_light.svg", CaptchaType: "normal",
	})
}

package app

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Config is what is needed to start. Everything else is rows.
type Config struct {
	Data          string // directory of everything we keep; made if missing
	Listen        string // host:port; port 0 takes a free one
	TLSCert       string // PEM files of the certificate chain and its key; "": plain HTTP
	TLSKey        string
	SiteURL       string      // public address; "": as each request has it
	Database      core.Secret // postgres://…; "": SQLite in Data
	AdminEmail    string      // made the first administrator if there is none
	AdminPassword core.Secret
	Title         string   // of the site; default Wharfinger
	Proxies       []string // addresses and networks whose forwarded headers are believed
	PerAddress    int      // connections of one address at once; default 512; < 0: no bound

	Vendors http.RoundTripper // the way to the stores of vendors; default: straight, or by the proxy of the environment

	Clock core.Clock   // default: the machine's
	Log   *slog.Logger // default: nothing is logged

	ScrubDays int // in how many days all that is stored is read again; 0: never

	Sweep    time.Duration // how often to look for what is due; default 1 min
	Patience time.Duration // how long an answer waits for the work behind it; default 4 s
	Grace    time.Duration // how long requests may finish at the end; default 30 s
}

func (c *Config) fill() {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Title == "" {
		c.Title = "Wharfinger"
	}
	if c.PerAddress == 0 {
		c.PerAddress = 512
	}
	if c.Sweep == 0 {
		c.Sweep = time.Minute
	}
	if c.Grace == 0 {
		c.Grace = 30 * time.Second
	}
}

// siteURL returns the parsed public address, nil if none is set.
func (c *Config) siteURL() (*url.URL, error) {
	const op = "app.Config.siteURL"
	if c.SiteURL == "" {
		return nil, nil
	}
	u, err := url.Parse(strings.TrimRight(c.SiteURL, "/"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errs.Newf(errs.Invalid, errs.BadParam,
			"The site address %q is not an http or https address. Give one such as https://files.example.com.", c.SiteURL).At(op).Because(err)
	}
	return u, nil
}

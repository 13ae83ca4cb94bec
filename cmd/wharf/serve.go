package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/wharfinger/wharfinger/cmd/wharf/human"
	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// serveCmd runs the server.
type serveCmd struct {
	dataFlags
	Listen            string   `default:"127.0.0.1:5212" env:"WHARF_LISTEN" help:"Address to listen on." placeholder:"ADDR"`
	TLSCert           string   `name:"tls-cert" env:"WHARF_TLS_CERT" type:"path" help:"PEM file of the certificate chain, to serve HTTPS; read again when it changes." placeholder:"FILE"`
	TLSKey            string   `name:"tls-key" env:"WHARF_TLS_KEY" type:"path" help:"PEM file of its private key." placeholder:"FILE"`
	SiteURL           string   `name:"site-url" env:"WHARF_SITE_URL" help:"Public address, for links. Default: as each request has it." placeholder:"URL"`
	TrustedProxy      []string `name:"trusted-proxy" env:"WHARF_TRUSTED_PROXY" help:"Addresses or networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed." placeholder:"CIDR"`
	Title             string   `default:"Wharfinger" env:"WHARF_TITLE" help:"Name of the site."`
	Log               string   `default:"info" enum:"debug,info,warn,error" env:"WHARF_LOG" help:"Least level that is logged: ${enum}."`
	LogJSON           bool     `name:"log-json" env:"WHARF_LOG_JSON" help:"Log as JSON lines."`
	ScrubDays         int      `name:"scrub-days" default:"30" env:"WHARF_SCRUB_DAYS" help:"In how many days all stored bytes are read again and compared with their digests; 0: never." placeholder:"N"`
	AdminEmail        string   `hidden:"" env:"WHARF_ADMIN_EMAIL"`
	AdminPassword     string   `hidden:"" env:"WHARF_ADMIN_PASSWORD"`
	AdminPasswordFile string   `hidden:"" env:"WHARF_ADMIN_PASSWORD_FILE" type:"path"`
}

// Help is shown below the flags.
func (serveCmd) Help() string {
	return `With WHARF_ADMIN_EMAIL and WHARF_ADMIN_PASSWORD (or WHARF_ADMIN_PASSWORD_FILE) in the
environment the first administrator is made without a click. Otherwise a one-time
link to do it in the browser is printed.`
}

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	cfg.Listen, cfg.SiteURL, cfg.Title, cfg.Proxies = c.Listen, c.SiteURL, c.Title, c.TrustedProxy
	cfg.ScrubDays, cfg.TLSCert, cfg.TLSKey = c.ScrubDays, c.TLSCert, c.TLSKey
	cfg.AdminEmail, cfg.AdminPassword = c.AdminEmail, core.Secret(c.AdminPassword)
	if c.AdminPasswordFile != "" {
		if cfg.AdminPassword, err = human.SecretFile(c.AdminPasswordFile); err != nil {
			return err
		}
	}
	if (cfg.AdminEmail == "") != (cfg.AdminPassword == "") {
		return errs.Newf(errs.Invalid, errs.BadParam, "WHARF_ADMIN_EMAIL and WHARF_ADMIN_PASSWORD go together; one of them is missing.")
	}
	cfg.Log = c.logger(os.Stderr)
	a, err := app.Open(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "Wharfinger serves %s\n", a.URL())
	if link := a.SetupURL(); link != "" {
		fmt.Fprintf(os.Stdout, "Make the first administrator here, once: %s\n", link)
	}
	err = a.Serve(ctx)
	if closed := a.Close(); err == nil {
		err = closed
	}
	return err
}

func (c *serveCmd) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Log)) // the flag takes only names of levels
	o := &slog.HandlerOptions{Level: level}
	if c.LogJSON {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

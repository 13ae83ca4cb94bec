package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/wharfinger/wharfinger/client"
)

// versionCmd shows what this is, and what a server is.
type versionCmd struct {
	URL string `env:"WHARF_URL" help:"Ask this server for the version of its protocol, too." placeholder:"URL"`
}

// Run prints versions.
func (c *versionCmd) Run(ctx context.Context, std streams) error {
	fmt.Fprintf(std.out, "wharf %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if c.URL == "" {
		return nil
	}
	cl, err := client.New(client.Options{BaseURL: c.URL, UserAgent: "wharf/" + version()})
	if err != nil {
		return &exit{exitUsage, err}
	}
	protocol, err := cl.Version(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s speaks protocol %s\n", cl.Site(), show(protocol))
	return nil
}

// version is the module's, or the revision it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}

package wire_test

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/store"
)

// The people of a server in this process, and its chunk size unless a theme
// asks for another.
const (
	adminEmail, adminPassword = "admin@example.test", "correct horse battery"
	bobEmail, bobPassword     = "bob@example.test", "staple battery horse"
	bobQuota                  = 10_000_000
	smallChunk                = "65536"
)

// process is a server in this process.
//
// Settings of themes: chunk, max_size, denied, allowed (comma-separated
// suffixes), denied_name, allowed_name, encrypt, sha256 change the one storage
// policy; setup leaves the server without an administrator.
type process struct {
	url        string
	setupToken string
	config     app.Config
	ahead      atomic.Int64 // how far its clock is ahead, in ns
	stop       func()
}

func start(t *testing.T, settings map[string]string) *process {
	t.Helper()
	p := &process{}
	p.config = app.Config{
		Data: t.TempDir(), Listen: "127.0.0.1:0", Patience: time.Minute,
		Clock: func() time.Time { return time.Now().Add(time.Duration(p.ahead.Load())) },
	}
	if _, ok := settings["setup"]; !ok {
		p.config.AdminEmail, p.config.AdminPassword = adminEmail, core.Secret(adminPassword)
	}
	base, err := app.OpenBase(t.Context(), p.config)
	if err != nil {
		t.Fatal(err)
	}
	_, err = base.AddUser(t.Context(), app.NewUser{Email: bobEmail, Password: core.Secret(bobPassword), Quota: bobQuota})
	if err != nil {
		t.Fatal(err)
	}
	if err := base.Close(); err != nil {
		t.Fatal(err)
	}
	p.setPolicy(t, settings)
	p.open(t)
	t.Cleanup(func() { p.stop() })
	return p
}

// setPolicy writes into the database what no command offers yet.
func (p *process) setPolicy(t *testing.T, settings map[string]string) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(p.config.Data, "wharf.db"), Clock: p.config.Clock})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Catalog().InTx(t.Context(), func(tx catalog.Tx) error {
		all, err := tx.Policies(t.Context())
		if err != nil {
			return err
		}
		p := all[0]
		p.ChunkSize = number(t, settings, "chunk", smallChunk)
		p.MaxSize = number(t, settings, "max_size", "0")
		p.DeniedSuffix, p.AllowedSuffix = words(settings["denied"]), words(settings["allowed"])
		p.DeniedName, p.AllowedName = settings["denied_name"], settings["allowed_name"]
		p.Encrypt = settings["encrypt"] == "true"
		p.SHA256 = settings["sha256"] == "true"
		return tx.SetPolicy(t.Context(), p, p.Rev)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func number(t *testing.T, settings map[string]string, key, otherwise string) int64 {
	t.Helper()
	text, ok := settings[key]
	if !ok {
		text = otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return n
}

func words(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// open opens the server on its data and serves until stop.
func (p *process) open(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	a, err := app.Open(ctx, p.config)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	p.url = a.URL()
	_, p.setupToken, _ = strings.Cut(a.SetupURL(), "token=")
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx) }()
	p.stop = func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}

// advance moves the clock. The server starts anew, because that is when it is
// sure to have done what is due.
func (p *process) advance(t *testing.T, d time.Duration) {
	t.Helper()
	p.ahead.Add(int64(d))
	p.restart(t)
}

func (p *process) restart(t *testing.T) {
	t.Helper()
	p.stop()
	p.open(t)
}

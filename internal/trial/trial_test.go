package trial_test

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
	"github.com/wharfinger/wharfinger/internal/blob/relayblob"
	"github.com/wharfinger/wharfinger/internal/blob/s3blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/trial"
	"github.com/wharfinger/wharfinger/test/emu/gateway"
)

// home is a bucket of a real S3 server, and what it is tried with.
type home struct {
	server *gateway.Server
	o      trial.Options
}

func open(t *testing.T, change func(*s3blob.Config)) *home {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "cargo"), 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := gateway.Start(dir, "")
	if errors.Is(err, gateway.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	h := &home{server: s, o: trial.Options{Client: http.DefaultTransport, Clock: time.Now, Site: &url.URL{Scheme: "https", Host: "192.0.2.7"}}}
	c := s3blob.Config{
		Endpoint: "http://" + s.Addr, Region: gateway.Region, Bucket: "cargo", PathStyle: true,
		AccessKey: gateway.Access, SecretKey: gateway.Secret, PartSize: 5 << 20,
	}
	if change != nil {
		change(&c)
	}
	h.o.Bucket = h.bucket(t, c)
	return h
}

func (h *home) bucket(t *testing.T, c s3blob.Config) *blob.Bucket {
	t.Helper()
	far, err := s3blob.Open(t.Context(), c, h.o.Client, h.o.Clock)
	if err != nil {
		t.Fatal(err)
	}
	near, err := localblob.Open(t.Context(), localblob.Config{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	d, err := relayblob.New(relayblob.Config{Near: near, Far: far, Part: 5 << 20, Prefix: "wharf"})
	if err != nil {
		t.Fatal(err)
	}
	b := blob.New(d, blob.Options{})
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// failures returns what the steps that failed say, by the step.
func (h *home) failures(t *testing.T) map[string]string {
	t.Helper()
	failed := map[string]string{}
	err := trial.Run(t.Context(), h.o, func(s trial.Step) {
		if s.Err != nil {
			failed[s.What] = s.Cause()
			if s.Fix == "" || s.Cause() == "" {
				t.Errorf("%s: no fix", s.What)
			}
		}
	})
	if (err != nil) != (len(failed) > 0) {
		t.Errorf("%d steps fail, and the trial says %v", len(failed), err)
	}
	return failed
}

func want(t *testing.T, got, steps map[string]string) {
	t.Helper()
	for what, text := range got {
		found := false
		for step, says := range steps {
			found = found || strings.Contains(what, step) && strings.Contains(text, says)
		}
		if !found {
			t.Errorf("%s fails: %s", what, text)
		}
	}
	if len(got) != len(steps) {
		t.Errorf("%d steps fail, want %d: %v", len(got), len(steps), got)
	}
}

func TestABucketThatLacksNothingPassesAfterItsCORSRuleIsSet(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	want(t, h.failures(t), map[string]string{"CORS": "", "ETag": ""})
	if err := h.o.Bucket.AllowOrigins(t.Context(), []string{"https://elsewhere.example.test"}); err != nil {
		t.Fatal(err)
	}
	want(t, h.failures(t), map[string]string{"CORS": "", "ETag": ""})
	for range 2 { // again changes nothing
		if err := h.o.Bucket.AllowOrigins(t.Context(), []string{"https://192.0.2.7"}); err != nil {
			t.Fatal(err)
		}
		want(t, h.failures(t), nil)
	}
}

func TestEachDefectIsNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config func(*s3blob.Config)
		change func(*trial.Options)
		steps  map[string]string
	}{
		"relay needs no browser": {nil, func(o *trial.Options) { o.Relay = true }, nil},
		"clock": {
			nil, func(o *trial.Options) {
				o.Relay, o.Clock = true, func() time.Time { return time.Now().Add(10 * time.Minute) }
			},
			map[string]string{"clock": "away from the store's"},
		},
		"no public address": {
			nil, func(o *trial.Options) { o.Site = nil },
			map[string]string{"CORS": "--site-url", "ETag": "--site-url", "address that they call": "not known"},
		},
		"an address of this machine": {
			nil, func(o *trial.Options) { o.Site = &url.URL{Scheme: "http", Host: "127.0.0.1:5212"} },
			map[string]string{"CORS": "", "ETag": "", "address that they call": "nobody outside"},
		},
		"nobody there": {
			func(c *s3blob.Config) { c.Endpoint = "http://127.0.0.1:9" }, func(*trial.Options) {},
			map[string]string{"reach": "connection refused"},
		},
		"no such bucket": {
			func(c *s3blob.Config) { c.Bucket = "other" }, func(o *trial.Options) { o.Relay = true },
			map[string]string{"store an object": "NoSuchBucket", "read it, and": "", "signed address, as": "", "three parts": "", "list": "", "abort": "", "delete": ""},
		},
		"wrong key": {
			func(c *s3blob.Config) { c.SecretKey = "another" }, func(o *trial.Options) { o.Relay = true },
			map[string]string{"store an object": "", "read it, and": "", "signed address, as": "", "three parts": "", "list": "", "abort": "", "delete": ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, c.config)
			c.change(&h.o)
			want(t, h.failures(t), c.steps)
		})
	}
}

func TestABucketOnThisMachineHasNothingToBeTried(t *testing.T) {
	t.Parallel()
	d, err := localblob.Open(t.Context(), localblob.Config{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	b := blob.New(d, blob.Options{})
	defer func() { _ = b.Close() }()
	o := trial.Options{Bucket: b, Client: http.DefaultTransport, Clock: core.Clock(time.Now)}
	if err := trial.Run(t.Context(), o, func(trial.Step) {}); !errs.Is(err, errs.Unsupported) {
		t.Errorf("a trial on this machine says %v", err)
	}
	if err := b.AllowOrigins(t.Context(), nil); !errs.Is(err, errs.Unsupported) {
		t.Errorf("CORS on this machine says %v", err)
	}
}

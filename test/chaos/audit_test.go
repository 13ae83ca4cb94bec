package chaos_test

import (
	"context"
	"regexp"
	"time"

	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
)

// audit is `wharf doctor` beside the running server: rows against bytes, both ways,
// uploads against staged bytes, ledgers against files, the database against itself. Its
// clock is seventy minutes ahead, for it leaves alone what may still be on its way: a
// quarter of an hour for strays, an hour more for deleted bytes that nobody reads. How bytes
// are stored is its business, not the judge's.
func (w *world) audit(versions int, read bool) {
	ctx := context.Background()
	ahead := func() time.Time { return time.Now().Add(70 * time.Minute) }
	b, err := app.OpenBase(ctx, app.Config{Data: w.srv.Data, Database: core.Secret(w.srv.Database), Clock: ahead})
	if err != nil {
		w.violated("the doctor cannot open the data: %v", err)
		return
	}
	defer func() { _ = b.Close() }()
	var c app.Checkup
	if read {
		c.Part, c.Of = 1, 1
	}
	d, err := b.Doctor(ctx, c)
	if left := w.between(d); left > 0 && err == nil {
		w.count("packs that a crash left between bytes and rows, set aside", left)
		c.Fix = true
		if _, err = b.Doctor(ctx, c); err == nil {
			c.Fix = false
			d, err = b.Doctor(ctx, c)
		}
	}
	if err != nil {
		w.violated("the doctor: %v", err)
		return
	}
	for _, f := range d.Findings {
		if w.stays(f) {
			continue
		}
		w.violated("the doctor finds %s: %s %s", f.Trouble, f.Message, f.Blob)
	}
	if d.Versions != int64(versions) {
		w.violated("the doctor counts %d contents, the client knows %d", d.Versions, versions)
	}
	w.count("audits by the doctor", 1)
	if read {
		w.count("audits that read every byte", 1)
	}
}

// since is where a backlog of deleted bytes says how old it is.
var since = regexp.MustCompile(`since (\S+Z) `)

// stays reports a backlog of which the oldest is not due yet: what was moved out of a
// pack stays for a quarter of an hour, and the doctor's clock is ahead of that (a world
// that has lived for more than five minutes has such); and what was in the trash a
// moment ago, when the judge emptied it.
func (w *world) stays(f catalog.Finding) bool {
	m := since.FindStringSubmatch(f.Message)
	if f.Trouble != catalog.DoomedBacklog || m == nil {
		return false
	}
	at, err := time.Parse(time.RFC3339, m[1])
	mine := !w.emptied.IsZero() && !at.Before(w.emptied.Truncate(time.Second))
	return err == nil && (mine || at.After(time.Now()))
}

// between counts packs that hold something and that no row names, if the doctor
// finds nothing else that matters: a crash came after the bytes and before their row, and the rest
// of the pack has been deleted since. The server sets them aside with its next sweep,
// within a minute; nobody waits for that here.
func (w *world) between(d app.Diagnosis) (n int) {
	for _, f := range d.Findings {
		switch {
		case f.Trouble == catalog.BlobStray && blob.PackName(f.Blob) != "":
			n++
		case !w.stays(f):
			return 0
		}
	}
	return n
}

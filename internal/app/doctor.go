package app

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/watched"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// Checkup is what the doctor is asked for. Without Fix nothing is changed.
type Checkup struct {
	Fix      bool
	Part, Of uint64 // read the bytes of the Part-th of Of parts of all contents; Of 0: of none
}

// Diagnosis is what the doctor says.
type Diagnosis struct {
	Findings []catalog.Finding `json:"findings"`
	Promises []Promise         `json:"durability"`
	catalog.Inspected
	Sessions int64 `json:"uploads"`
}

// Left counts the findings that nothing was done about.
func (d Diagnosis) Left() (n int) {
	for _, f := range d.Findings {
		if f.Fixed == "" {
			n++
		}
	}
	return n
}

// Promise is what a storage policy promises, in plain words.
type Promise struct {
	Policy string    `json:"policy"`
	Sync   blob.Sync `json:"sync"`
	Words  string    `json:"promise"`
}

var promises = map[blob.Sync]string{
	blob.SyncAnswer:   "What was acknowledged survives a power cut: every chunk and every file.",
	blob.SyncComplete: "A finished file survives a power cut. An acknowledged chunk survives a crash of the server, but not a power cut.",
	blob.SyncNever:    "Nothing is forced to the medium: a power cut can lose files that were reported as finished.",
}

// Doctor audits rows against bytes and bytes against rows, sessions against
// staged bytes, ledgers against files, and the database against itself. A server
// may run meanwhile.
func (b *Base) Doctor(ctx context.Context, c Checkup) (Diagnosis, error) {
	const op = "app.Doctor"
	d := Diagnosis{Findings: []catalog.Finding{}}
	found := func(f catalog.Finding) { d.Findings = append(d.Findings, f) }
	policies, err := b.Policies(ctx)
	if err != nil {
		return d, errs.Wrap(op, err)
	}
	for _, p := range policies {
		d.Promises = append(d.Promises, Promise{p.Name, p.Sync, promises[p.Sync]})
	}
	wrong, err := b.store.Sound(ctx)
	if err != nil {
		return d, errs.Wrap(op, err)
	}
	for _, w := range wrong {
		found(catalog.Finding{Trouble: catalog.Database, Message: w})
	}
	engine := b.newEngine()
	in := catalog.Inspection{Claimed: engine.Claims, Fix: c.Fix, Found: found, Silent: map[core.PolicyID]bool{}}
	if c.Of > 0 {
		in.Read = catalog.PartOf(c.Part, c.Of)
	}
	if d.Inspected, err = b.catalog.Inspect(ctx, in); err != nil {
		return d, errs.Wrap(op, err)
	}
	d.Sessions, err = engine.Inspect(ctx, in)
	return d, errs.Wrap(op, err)
}

func (b *Base) newEngine() *upload.Engine {
	return upload.New(upload.Options{
		Store: watched.Upload(b.store.Upload(), b.hub), Catalog: b.catalog, Buckets: b.buckets, Keyring: b.keyring, Clock: b.cfg.Clock,
	})
}

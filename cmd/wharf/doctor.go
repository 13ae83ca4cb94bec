package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/wharfinger/wharfinger/cmd/wharf/human"
	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// exitFindings says that the doctor found something that is still so.
const exitFindings = 3

// doctorCmd audits the data directory, server running or not.
type doctorCmd struct {
	Fix      bool     `help:"Set stray bytes aside, abort stray uploads in buckets, book accounts anew, mark damaged contents. No stored file is deleted."`
	JSON     bool     `name:"json" help:"One JSON object."`
	ReadData fraction `help:"Read the bytes of the N-th of T parts of all files too, such as 1/30; 1/1 for all." placeholder:"N/T"`
	dataFlags
}

// Help is shown below the flags.
func (doctorCmd) Help() string {
	return `Without --fix nothing is changed. Stray bytes are moved to quarantine/ beside the
stored files, in a bucket to a prefix that ends in -quarantine/, in a folder of the day. The exit code is 0 when all is well or was
repaired, 3 when something is left, 1 when the doctor could not finish.`
}

// Run audits.
func (c *doctorCmd) Run(ctx context.Context, std streams) error {
	if err := c.exists(); err != nil {
		return err
	}
	b, err := c.open(ctx)
	if err != nil {
		return err
	}
	d, err := b.Doctor(ctx, app.Checkup{Fix: c.Fix, Part: c.ReadData.part, Of: c.ReadData.of})
	if err = errors.Join(err, b.Close()); err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(std.out).Encode(d)
	} else {
		err = printDiagnosis(std.out, d, c.Fix)
	}
	if err == nil && d.Left() > 0 {
		err = &exit{code: exitFindings}
	}
	return err
}

// exists keeps the doctor from making what it was asked to look at.
func (c *doctorCmd) exists() error {
	if _, err := os.Stat(filepath.Join(c.Data, "master.key")); err != nil {
		return &exit{exitUsage, errs.Newf(errs.Invalid, errs.BadParam, "No server keeps its data in %s. Name the directory with --data.", c.Data)}
	}
	return nil
}

func printDiagnosis(w io.Writer, d app.Diagnosis, fix bool) error {
	for _, p := range d.Promises {
		fmt.Fprintf(w, "%s (sync %s): %s\n", show(p.Policy), p.Sync, p.Words)
	}
	fmt.Fprintf(w, "Looked at %d contents, %d stored blobs, %d packs, %d unfinished uploads; read %s.\n",
		d.Versions, d.Blobs, d.Packs, d.Sessions, human.ShowSize(d.Read))
	for _, f := range d.Findings {
		fmt.Fprintf(w, "%s: %s\n", f.Trouble, show(f.Message))
		if f.Blob != "" {
			fmt.Fprintf(w, "  blob %s\n", show(f.Blob))
		}
		if f.Fixed != "" {
			fmt.Fprintf(w, "  %s\n", show(f.Fixed))
		}
	}
	var err error
	switch n := len(d.Findings); {
	case n == 0:
		_, err = fmt.Fprintln(w, "All is well.")
	case fix:
		_, err = fmt.Fprintf(w, "%d found, %d left.\n", n, d.Left())
	default:
		_, err = fmt.Fprintf(w, "%d found; nothing was changed. See wharf doctor --help for --fix.\n", n)
	}
	return err
}

// fraction is the N-th of T parts.
type fraction struct{ part, of uint64 }

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *fraction) UnmarshalText(text []byte) error {
	n, t, ok := strings.Cut(string(text), "/")
	part, err := strconv.ParseUint(n, 10, 32)
	of, err2 := strconv.ParseUint(t, 10, 32)
	if !ok || err != nil || err2 != nil || part < 1 || part > of {
		return fmt.Errorf("%q is not N/T with N from 1 to T", text)
	}
	*f = fraction{part, of}
	return nil
}

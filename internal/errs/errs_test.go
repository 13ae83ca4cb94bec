package errs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wharfinger/wharfinger/internal/errs"
)

func TestWrapKeepsKindReasonNoteAndDetailOfTheInnermost(t *testing.T) {
	inner := errs.Newf(errs.Conflict, errs.Locked, "held by %s", "upload").At("catalog.Rename").With(42)
	err := errs.Wrap("rest.renameFile", fmt.Errorf("between: %w", inner))
	var e *errs.Error
	if !errors.As(err, &e) {
		t.Fatal("not an *Error")
	}
	if e.Kind != errs.Conflict || e.Reason != errs.Locked || e.Note != "held by upload" || e.Detail != 42 {
		t.Fatalf("lost on the way: %+v", e)
	}
	for _, want := range []string{"rest.renameFile", "catalog.Rename", "held by upload"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %q", err, want)
		}
	}
}

func TestForeignErrorsAreInternalAndContextErrorsCanceled(t *testing.T) {
	if k := errs.KindOf(errors.New("x")); k != errs.Internal {
		t.Errorf("foreign: %v", k)
	}
	if k := errs.KindOf(errs.As("op", errs.Transient, errs.IOFailed, context.Canceled)); k != errs.Canceled {
		t.Errorf("context: %v", k)
	}
	if errs.Wrap("op", nil) != nil || errs.As("op", errs.Internal, "", nil) != nil {
		t.Error("nil must stay nil")
	}
}

func TestAsDoesNotRenameAnErrorThatHasAReason(t *testing.T) {
	err := errs.As("store.Get", errs.Transient, errs.StoreFailed, errs.New(errs.NotFound, errs.PathMissing))
	if !errs.Is(err, errs.NotFound) || !errs.Has(err, errs.PathMissing) {
		t.Errorf("got %v", err)
	}
}

package human

import (
	"errors"
	"os"
	"strings"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// SecretFile reads a secret from a file, without its last line end.
func SecretFile(name string) (core.Secret, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return "", errs.Newf(errs.Invalid, errs.BadParam, "The secret cannot be read: %v", err)
	}
	return core.Secret(strings.TrimRight(string(b), "\r\n")), nil
}

// Message is what a person is told: the note where there is one, else the chain.
func Message(err error) string {
	var e *errs.Error
	if errors.As(err, &e) && e.Note != "" {
		return e.Note
	}
	return err.Error()
}

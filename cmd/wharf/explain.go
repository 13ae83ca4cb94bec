package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/cmd/wharf/human"
)

// exitCode is the class of a failure, as docs/scripting.md has it.
func exitCode(err error) int {
	switch {
	case err == nil:
		return exitOK
	case client.IsAuth(err), client.IsForbidden(err):
		return exitAuth
	case errors.Is(err, context.Canceled), client.IsRetryable(err):
		return exitAgain
	}
	return exitFailed
}

// explanation is a failure in the words of people: what happened, what is safe,
// what to do, and by which id the server's log knows it.
type explanation struct {
	What    string `json:"message"`
	Safe    string `json:"safe,omitempty"`
	Do      string `json:"advice,omitempty"`
	Code    int    `json:"code,omitempty"`
	Request string `json:"request_id,omitempty"`
}

func explain(err error) explanation {
	x := explanation{What: human.Message(err), Do: advice(err)}
	if e, ok := errors.AsType[*client.Error](err); ok {
		x.Code, x.Request = int(e.Code), e.CorrelationID
	}
	if errors.Is(err, context.Canceled) {
		x.What = "interrupted"
	}
	return x
}

// advice is what to do about it; "" if nobody can say.
func advice(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return again
	case errors.Is(err, client.ErrDigest):
		return "do not use the file; run the command again, and if that fails too check memory and disks of both machines"
	case errors.Is(err, client.ErrSourceChanged):
		return "run the command again when nothing writes to the file any more"
	case errors.Is(err, client.ErrLocalExists):
		return "use --on-conflict overwrite, rename or skip"
	case client.IsExists(err):
		return "use --on-conflict version, rename or skip"
	case client.IsAuth(err):
		return "sign in with: wharf login URL --email ADDRESS"
	case client.IsQuota(err):
		return "delete something, or ask the administrator for more room"
	case client.IsTooLarge(err):
		return "ask the administrator to raise the limit that the message names"
	case client.IsLocked(err):
		return "wait until the other one is done, or see wharf uploads"
	case client.IsRetryable(err):
		return again
	}
	return ""
}

const again = "run the same command again, a little later"

// brief is a failure that is being dealt with.
func brief(err error) string {
	if e, ok := errors.AsType[*client.Error](err); ok && e.Message != "" {
		return e.Message
	}
	return human.Message(err)
}

// complain prints a failure. about is what it was about, "" if err says so.
func complain(w io.Writer, about string, err error) {
	explainTo(w, about, explain(err))
}

func explainTo(w io.Writer, about string, x explanation) {
	if about != "" {
		about = show(about) + ": "
	}
	fmt.Fprintf(w, "wharf: %s%s\n", about, x.What)
	if x.Safe != "" {
		fmt.Fprintf(w, "  safe: %s\n", x.Safe)
	}
	if x.Do != "" {
		fmt.Fprintf(w, "  what to do: %s\n", x.Do)
	}
}

// show makes a name fit to print: what a terminal could take for a command is
// quoted.
func show(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !strconv.IsPrint(r) || r == '\uFFFD' }) {
		return strconv.Quote(name)
	}
	return name
}

package main

import (
	"sync"

	"github.com/wharfinger/wharfinger/client"
)

// tally counts how the parts of a command ended and makes one exit code of it.
type tally struct {
	mu     sync.Mutex
	ok     int
	failed int
	again  int  // of the failed, those that may pass
	auth   bool // one must sign in: nothing else will go on either
	denied bool
	usage  bool
}

func (t *tally) count(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.ok++
		return
	}
	t.failed++
	code := exitCode(err)
	if e, ok := err.(*exit); ok { //nolint:errorlint // made here, not wrapped
		code = e.code
	}
	switch code {
	case exitAgain:
		t.again++
	case exitAuth:
		t.auth = t.auth || client.IsAuth(err)
		t.denied = true
	case exitUsage:
		t.usage = true
	}
}

// exit is nil if all went well. What failed was said before.
func (t *tally) exit() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.failed == 0:
		return nil
	case t.usage && t.ok == 0:
		return &exit{code: exitUsage}
	case t.auth:
		return &exit{code: exitAuth}
	case t.again == t.failed:
		return &exit{code: exitAgain}
	case t.ok > 0:
		return &exit{code: exitPartial}
	case t.denied:
		return &exit{code: exitAuth}
	}
	return &exit{code: exitFailed}
}

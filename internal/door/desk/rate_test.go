package desk

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestARateBoundsOneCallerAndNoOther(t *testing.T) {
	t.Parallel()
	var c callers
	now := time.Unix(1000, 0)
	for i := range bounds[Guarded].burst {
		if wait := c.allow(Guarded, "a", now); wait != 0 {
			t.Fatalf("use %d waits for %v", i, wait)
		}
	}
	if wait := c.allow(Guarded, "a", now); wait != 50*time.Millisecond {
		t.Errorf("one more waits for %v", wait)
	}
	for range 100 { // to be refused costs nothing more
		c.allow(Guarded, "a", now)
	}
	for who, rate := range map[string]Rate{"b": Guarded, "a": Dear} {
		if wait := c.allow(rate, who, now); wait != 0 {
			t.Errorf("%s at %d waits for %v", who, rate, wait)
		}
	}
	if wait := c.allow(Guarded, "a", now.Add(200*time.Millisecond)); wait != 0 {
		t.Errorf("a moment later it still waits for %v", wait)
	}
	for i := range 3 * maxCallers {
		c.allow(Dear, fmt.Sprint(i), now)
	}
	if len(c.each) > maxCallers || c.seen.Len() != len(c.each) {
		t.Errorf("%d callers are remembered, %d in order", len(c.each), c.seen.Len())
	}
}

func TestWhoComesTooOftenIsToldWhenToComeAgain(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	d := New(Options{Clock: func() time.Time { return time.Unix(1, 0) }, Stall: time.Minute, Log: slog.New(slog.NewTextHandler(&log, nil))})
	d.Mount([]Route{Anyone.Asks("open", "GET /open", (*Call).Done).At(Guarded).Audited()})
	ask := func(addr string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", Prefix+"/open", nil)
		r.RemoteAddr = addr
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		return w
	}
	for i := range bounds[Guarded].burst {
		addr := fmt.Sprintf("[2001:db8::%x]:%d", i+1, 1000+i) // one network
		if w := ask(addr); !strings.Contains(w.Body.String(), `"code":0`) {
			t.Fatalf("use %d: %s", i, w.Body)
		}
	}
	w := ask("[2001:db8::ffff]:1")
	if w.Code != http.StatusOK || strings.Contains(w.Body.String(), `"code":0`) || w.Header().Get("Retry-After") != "1" {
		t.Errorf("HTTP %d, Retry-After %q: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
	if w := ask("[2001:db8:0:1::1]:1"); !strings.Contains(w.Body.String(), `"code":0`) {
		t.Errorf("another network: %s", w.Body)
	}
	if n := strings.Count(log.String(), "msg=audit"); n != bounds[Guarded].burst+1 || !strings.Contains(log.String(), "addr=2001:db8::1") {
		t.Errorf("%d entries in the audit:\n%.300s", n, log.String())
	}
}

package app

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/arrange"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/job"
)

// largeFolder makes the first user and, in the drive, a folder of many others.
func largeFolder(t *testing.T, c Config) {
	t.Helper()
	_, stop := serve(t, c)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b, err := OpenBase(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}()
	u, err := b.store.Catalog().UserByEmail(t.Context(), testEmail)
	if err != nil {
		t.Fatal(err)
	}
	who := core.Actor{User: u.ID, Via: core.ViaLocal}
	top, err := b.catalog.Create(t.Context(), who, catalog.At(core.Root.Join("src")), catalog.NewNode{Kind: catalog.Folder})
	if err != nil {
		t.Fatal(err)
	}
	ids, err := catalog.MintNodes(t.Context(), b.store.Catalog(), largeCount)
	if err != nil {
		t.Fatal(err)
	}
	err = b.store.Catalog().InTx(t.Context(), func(tx catalog.Tx) error {
		for i, id := range ids {
			f := catalog.Node{
				ID: id, Owner: u.ID, Parent: top.ID, Name: fmt.Sprint(i), Key: fmt.Sprint(i), Kind: catalog.Folder, Created: time.Unix(1, 0),
				Updated: time.Unix(1, 0), Rev: 1,
			}
			if err := tx.InsertNode(t.Context(), f); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// tasks returns what the user's list of tasks holds.
func tasks(t *testing.T, a *App, token string) []any {
	t.Helper()
	_, r, _ := ask(t, "GET", a.URL()+"/api/v4/workflow", token, "")
	data, _ := r["data"].(map[string]any)
	list, ok := data["tasks"].([]any)
	if !ok {
		t.Fatalf("the list of tasks is %v", r)
	}
	return list
}

// until waits until fn is true.
func until(t *testing.T, what string, fn func() bool) {
	t.Helper()
	for range 3000 {
		if fn() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// serveJobs is serve with copies that stand still once they have begun, until they
// are told to end.
func serveJobs(t *testing.T, c Config) (a *App, stop func()) {
	t.Helper()
	c.Listen = "127.0.0.1:0"
	a, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	whole := a.keeper.Handlers()[arrange.CopyKind]
	a.jobs.Handle(arrange.CopyKind, job.Handler{Undo: whole.Undo, Run: func(ctx context.Context, j job.Job, tell func(done, total int64)) error {
		return whole.Run(ctx, j, func(done, total int64) {
			tell(done, total)
			if done > 1 {
				<-ctx.Done()
			}
		})
	}})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx) }()
	return a, func() {
		cancel()
		if err := errors.Join(<-served, a.Close()); err != nil {
			t.Error(err)
		}
	}
}

const largeCount = 3000

// copyLarge begins a large copy and returns when that is seen to go on; the answer
// comes by the channel.
func copyLarge(t *testing.T, a *App, token string) (task map[string]any, answer chan map[string]any) {
	t.Helper()
	_, r, _ := ask(t, "POST", a.URL()+"/api/v4/file/create", token, `{"type":"folder","uri":"cloudreve://my/dst"}`)
	if r["code"] != 0.0 {
		t.Fatal(r)
	}
	answer = make(chan map[string]any, 1)
	go func() {
		_, r, _ := ask(t, "POST", a.URL()+"/api/v4/file/move", token, `{"uris":["cloudreve://my/src"],"dst":"cloudreve://my/dst","copy":true}`)
		answer <- r
	}()
	until(t, "the copy goes on", func() bool {
		list := tasks(t, a, token)
		if len(list) != 1 {
			return false
		}
		task, _ = list[0].(map[string]any)
		progress, _ := task["progress"].(map[string]any)
		return progress["current"] != 0.0 && progress["total"] == float64(largeCount+1)
	})
	return task, answer
}

// folders returns how many folders a user has, in the drive and out of sight.
func folders(t *testing.T, a *App) (n int64) {
	t.Helper()
	u, err := a.store.Catalog().UserByEmail(t.Context(), testEmail)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"", "copies", "removed"} {
		root, err := a.store.Catalog().HiddenRoot(t.Context(), u.ID, key)
		if errs.Is(err, errs.NotFound) {
			continue
		}
		s, serr := a.store.Catalog().Summary(t.Context(), root.ID)
		if err = errors.Join(err, serr); err != nil {
			t.Fatal(err)
		}
		n += s.Folders
	}
	return n
}

func TestALargeCopyIsCancelledAndLeavesNothing(t *testing.T) {
	t.Parallel()
	c := Config{Data: t.TempDir(), AdminEmail: testEmail, AdminPassword: testPassword}
	largeFolder(t, c)
	a, stop := serveJobs(t, c)
	defer stop()
	token, _ := signIn(t, a, testEmail)
	began := time.Now()
	task, answer := copyLarge(t, a, token)
	if task["status"] != "processing" || task["cancelable"] != true {
		t.Errorf("the task is %v", task)
	}
	_, r, _ := ask(t, "DELETE", fmt.Sprintf("%s/api/v4/workflow/%s", a.URL(), task["id"]), token, "")
	if r["code"] != 0.0 {
		t.Errorf("cancelling is answered with %v", r)
	}
	// An answer of success says only that it goes on, and comes no sooner than that may be.
	if r := <-answer; r["code"] == 0.0 && time.Since(began) < arrange.UsualPatience {
		t.Errorf("the copy that was cancelled is answered with %v", r)
	}
	until(t, "the copy has ended", func() bool {
		task, _ = tasks(t, a, token)[0].(map[string]any)
		return task["status"] != "processing"
	})
	if task["status"] != "canceled" || task["cancelable"] != false {
		t.Errorf("the task is %v", task)
	}
	if n := folders(t, a); n != largeCount+2 {
		t.Errorf("%d folders, want %d", n, largeCount+2)
	}
}

func TestALargeCopyGoesOnInTheNextServer(t *testing.T) {
	t.Parallel()
	c := Config{Data: t.TempDir(), AdminEmail: testEmail, AdminPassword: testPassword}
	largeFolder(t, c)
	a, stop := serveJobs(t, c)
	token, _ := signIn(t, a, testEmail)
	_, answer := copyLarge(t, a, token)
	if r := <-answer; r["code"] != 0.0 { // it waits no longer
		t.Errorf("a copy that goes on is answered with %v", r)
	}
	stop()
	next, _ := serve(t, c)
	token, _ = signIn(t, next, testEmail)
	var task map[string]any
	until(t, "the copy has ended", func() bool {
		task, _ = tasks(t, next, token)[0].(map[string]any)
		return task["status"] != "processing" && task["status"] != "queued"
	})
	if task["status"] != "completed" {
		t.Errorf("the task is %v", task)
	}
	if n := folders(t, next); n != 2*largeCount+3 {
		t.Errorf("%d folders, want %d", n, 2*largeCount+3)
	}
}

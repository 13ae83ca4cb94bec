//go:build linux

package load

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// desk signs in on a connection of its own.
func (r Run) desk() (*v4, *conn, error) {
	t, ok := r.Target.(*v4)
	if !ok {
		return nil, nil, errors.New("folders are measured over v4 only")
	}
	k, err := dial(r.Addr)
	if err != nil {
		return nil, nil, err
	}
	if err := t.signIn(k); err != nil {
		k.close()
		return nil, nil, err
	}
	return t, k, nil
}

// Rename gives a file of the folder another name and its own again, reps times, and
// says how long one of them takes. The folder lists the file under its name afterwards.
func (r Run) Rename(mode, dir string, reps int) Result {
	return r.change(mode, dir, reps, func(t *v4, k *conn, file string, back bool) error {
		from, to := file, "renamed"
		if back {
			from, to = to, from
		}
		return t.call(k, http.MethodPost, "/api/v4/file/rename", map[string]any{"uri": uri(dir + "/" + from), "new_name": to}, nil)
	})
}

// Move puts the folder itself into another and back, reps times.
func (r Run) Move(mode, dir string, reps int) Result {
	const other = "elsewhere"
	if t, k, err := r.desk(); err == nil {
		err = t.call(k, http.MethodPost, "/api/v4/file/create", map[string]any{"uri": uri(other), "type": "folder"}, nil)
		k.close()
		if err != nil {
			return r.result(mode).failed(err)
		}
	}
	return r.change(mode, dir, reps, func(t *v4, k *conn, _ string, back bool) error {
		from, to := dir, other
		if back {
			from, to = other+"/"+dir, ""
		}
		return t.call(k, http.MethodPost, "/api/v4/file/move", map[string]any{"uris": []string{uri(from)}, "dst": uri(to)}, nil)
	})
}

func (r Run) change(mode, dir string, reps int, do func(t *v4, k *conn, file string, back bool) error) Result {
	out := r.result(mode)
	t, k, err := r.desk()
	if err != nil {
		return out.failed(err)
	}
	defer k.close()
	p := Page{Dir: dir, Order: "name"}
	before, _, err := t.page(k, p, pageSize)
	if err != nil || len(before.Files) == 0 {
		return out.failed(fmt.Errorf("%d files, %w", len(before.Files), err))
	}
	file := before.Files[len(before.Files)/2].Name
	var took []time.Duration
	m, t0 := startMeter(r.PID), time.Now()
	for i := range 2 * reps {
		a := time.Now()
		if err := do(t, k, file, i%2 == 1); err != nil {
			return out.failed(err)
		}
		took = append(took, time.Since(a))
	}
	out.latencies(took, out.finish(m, t0))
	after, _, err := t.page(k, p, pageSize)
	if err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
		return out.failed(fmt.Errorf("the folder is not what it was: %w", err))
	}
	out.Verified = true
	return out
}

// Remove removes the folder with all that is in it: into the trash, or for good where
// room is not 0. It says how long the answer takes, how long it is until that many
// bytes are given back, and how long the slowest of those had to wait who made folders
// meanwhile.
func (r Run) Remove(mode, dir string, room int64) Result {
	out := r.result(mode)
	t, k, err := r.desk()
	if err != nil {
		return out.failed(err)
	}
	defer k.close()
	was, err := t.used(k)
	if err != nil {
		return out.failed(err)
	}
	others := r.others(dir + "-meanwhile")
	m, t0 := startMeter(r.PID), time.Now()
	err = t.call(k, http.MethodDelete, "/api/v4/file", map[string]any{"uris": []string{uri(dir)}, "skip_soft_delete": room > 0}, nil)
	if err != nil {
		_, _ = others()
		return out.failed(err)
	}
	took := []time.Duration{time.Since(t0)}
	var refused *refusal
	_, _, listed := t.page(k, Page{Dir: dir, Order: "name"}, pageSize)
	for err == nil {
		var now int64
		if now, err = t.used(k); now <= was-room {
			break
		}
		if time.Since(t0) > 5*time.Minute {
			err = fmt.Errorf("%d bytes are in use, %d before", now, was)
		}
		time.Sleep(5 * time.Millisecond)
	}
	out.DoneMs = time.Since(t0).Seconds() * 1e3
	out.latencies(took, out.finish(m, t0))
	slowest, oerr := others()
	if out.WaitMs = slowest.Seconds() * 1e3; err != nil || oerr != nil {
		return out.failed(errors.Join(err, oerr))
	}
	if !errors.As(listed, &refused) {
		return out.failed(fmt.Errorf("the folder is still there: %w", listed))
	}
	out.Verified = true
	return out
}

// others makes folders in dir, one after the other, until the function it returns is
// called, which says how long the slowest took.
func (r Run) others(dir string) func() (time.Duration, error) {
	var slowest time.Duration
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		t, k, err := r.desk()
		for i := 0; err == nil; i++ {
			select {
			case <-stop:
				k.close()
				ended <- nil
				return
			default:
			}
			a := time.Now()
			err = t.call(k, http.MethodPost, "/api/v4/file/create", map[string]any{"uri": uri(fmt.Sprintf("%s/%d", dir, i)), "type": "folder"}, nil)
			slowest = max(slowest, time.Since(a))
		}
		ended <- err
	}()
	return func() (time.Duration, error) {
		close(stop)
		err := <-ended
		return slowest, err
	}
}

func (t *v4) used(k *conn) (int64, error) {
	var c struct{ Used int64 }
	err := t.call(k, http.MethodGet, "/api/v4/user/capacity", nil, &c)
	return c.Used, err
}

//go:build linux

package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"time"
)

const (
	batchPath  = "/api/v4/file/batch"
	batchFiles = 1000 // of one request
)

var errNoDoor = errors.New("POST " + batchPath + " answers 404: this server has no batch door")

// Batch sends files of 4 KiB, a thousand in a request, one request after the other on
// one connection.
func (r Run) Batch(long time.Duration) Result {
	out := r.result("batch")
	t, ok := r.Target.(*v4)
	if !ok {
		return out.failed(errors.New("the batch door is measured over v4 only"))
	}
	if err := t.setup(r.Dir); err != nil {
		return out.failed(err)
	}
	k, err := dial(r.Addr)
	if err != nil {
		return out.failed(err)
	}
	defer k.close()
	payload()
	syscall.Sync()
	m, t0 := startMeter(r.PID), time.Now()
	for time.Since(t0) < long {
		err := r.oneBatch(t, k, out.N)
		if errors.Is(err, errNoDoor) {
			out.Skip = err.Error()
			return out
		}
		if err != nil {
			return out.failed(err)
		}
		out.N += batchFiles
	}
	u := out.finish(m, t0)
	out.PerSec = float64(out.N) / out.Sec
	out.CPUms = u.server * 1000 / float64(out.N)
	for _, i := range []int{0, out.N / 2, out.N - 1} {
		if err := r.verify(batchName(i), r.batchContent(i)); err != nil {
			return out.failed(err)
		}
	}
	out.Verified = true
	return out
}

func batchName(i int) string { return fmt.Sprintf("m%06d.txt", i) }

func (r Run) batchContent(i int) source {
	return newSource(int64(r.Round)*104729+int64(i)*4099, SmallSize)
}

// oneBatch sends one request. Its time is the server's and that of writing the frames.
func (r Run) oneBatch(t *v4, k *conn, first int) error {
	type file struct {
		URI  string `json:"uri"`
		Size int64  `json:"size"`
	}
	var files []file
	var frames bytes.Buffer
	for i := range batchFiles {
		files = append(files, file{uri(place{r.Dir, batchName(first + i)}.String()), SmallSize})
		fmt.Fprintf(&frames, "%d %d\n", i, SmallSize)
		if err := r.batchContent(first+i).writeTo(&frames, 0, SmallSize); err != nil {
			return err
		}
	}
	manifest, err := json.Marshal(map[string]any{"files": files})
	if err != nil {
		return err
	}
	q := request{
		method: http.MethodPost, path: batchPath, text: append(append(manifest, '\n'), frames.Bytes()...),
		header: append([]string{"Content-Type: application/vnd.wharfinger.batch"}, t.auth...),
	}
	got, err := k.do(q)
	if err == nil && got.status == http.StatusNotFound {
		return errNoDoor
	}
	if err := success(got, err, batchPath); err != nil {
		return err
	}
	return allAnswered(got.body, batchFiles)
}

// allAnswered reads the lines of an answer: one for each file, and the last.
func allAnswered(body []byte, want int) error {
	seen := map[int]bool{}
	for d := json.NewDecoder(bytes.NewReader(body)); ; {
		var line struct {
			Index *int
			Done  *int
			Code  int
			Msg   string
		}
		if err := d.Decode(&line); err != nil {
			return fmt.Errorf("the answer has %d of %d files and no end: %w", len(seen), want, err)
		}
		switch {
		case line.Code != 0:
			return &refusal{batchPath, line.Code, line.Msg}
		case line.Index != nil:
			seen[*line.Index] = true
		case line.Done != nil && len(seen) == want:
			return nil
		default:
			return fmt.Errorf("the answer ends with %d of %d files", len(seen), want)
		}
	}
}

package obs

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/counter"
	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

// wish is what x-obs-callback asks for:
// https://support.huaweicloud.com/api-obs/obs_04_0095.html
type wish struct {
	URL  string `json:"callbackUrl"`
	Host string `json:"callbackHost"`
	Body string `json:"callbackBody"`
	Type string `json:"callbackBodyType"`
}

// readWish returns what a request asks for, nil if nothing. The header wins.
func readWish(q counter.Request) (*wish, *counter.Refusal) {
	text := q.Query["x-obs-callback"]
	if h := q.Header.Get("X-Obs-Callback"); h != "" {
		text = h
	}
	if text == "" {
		return nil, nil //nolint:nilnil // no wish, and nothing wrong with that
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, counter.Refuse(http.StatusBadRequest, "InvalidArgument", "x-obs-callback is not base64: %v", err)
	}
	var w wish
	if err := json.Unmarshal(raw, &w); err != nil {
		return nil, counter.Refuse(http.StatusBadRequest, "InvalidArgument", "x-obs-callback is not JSON: %v", err)
	}
	if w.URL == "" {
		// The service stores the object and calls nobody; a test shall not pass by that.
		return nil, counter.Refuse(http.StatusBadRequest, "InvalidArgument", "x-obs-callback without callbackUrl")
	}
	return &w, nil
}

var variable = regexp.MustCompile(`\$\([A-Za-z.]+\)`)

// fill puts in the values of variables, and nothing for those it does not know.
func (w wish) fill(bucket string, o shelf.Object) string {
	values := map[string]string{
		"$(key)": o.Key, "$(fname)": o.Key, "$(size)": strconv.Itoa(len(o.Data)), "$(fsize)": strconv.Itoa(len(o.Data)),
		"$(etag)": o.ETag, "$(bucket)": bucket, "$(mimeType)": o.Type,
	}
	return variable.ReplaceAllStringFunc(w.Body, func(v string) string { return values[v] })
}

// call makes the callback, as often as the test wants it, and returns the last
// answer's body.
func (e *Emulator) call(ctx context.Context, w wish, o shelf.Object) (answer []byte, err error) {
	if e.o.Calls == nil {
		return nil, fmt.Errorf("the emulator has no way out")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for range max(1, e.o.Repeat) {
		to, _, _ := strings.Cut(w.URL, ";")
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader([]byte(w.fill(e.o.Bucket, o))))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", w.Type)
		if w.Host != "" {
			req.Host = w.Host
		}
		resp, err := e.o.Calls.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		answer, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		resp.Body.Close()
		if err != nil {
			return nil, err
		}
		if resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("the callback was answered with %s", resp.Status)
		}
	}
	return answer, nil
}

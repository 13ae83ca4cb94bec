package chaos_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/rig"
)

// TestAPutThatIsCutGivesItsNameAndQuotaBackAtOnce sends half of a content in one request
// and lets the connection go, by a reset and by an end, in every size class and onto new
// and old names. Nobody can go on with it, so nothing of it may stay: long before the
// minute after which an unfinished upload counts as idle, the name takes another upload,
// nothing is reserved, and what was there counts as before.
func TestAPutThatIsCutGivesItsNameAndQuotaBackAtOnce(t *testing.T) {
	t.Parallel()
	rnd, seed := seeded(t)
	a := inProcess(t)
	a.Call(http.MethodPost, "/file/create", map[string]string{"uri": "cloudreve://my/cut", "type": "folder"}, nil)
	counts := map[string]int{}
	defer func() { report(t, seed, counts) }()
	var kept int64
	for i, size := range []int{2, 5000, 64 << 10, 256 << 10, 256<<10 + 1, 3 << 20} {
		for _, end := range []string{"reset", "end"} {
			for _, old := range []bool{false, true} {
				uri := fmt.Sprintf("cloudreve://my/cut/%d-%s-%t.bin", i, end, old)
				if old {
					was := content{rnd.Uint64(), 1000}
					if err := tryPut(a, uri, was); err != nil {
						t.Fatal(err)
					}
					kept += int64(was.size)
				}
				c := content{rnd.Uint64(), size}
				if err := cutPut(a, uri, c, end == "reset"); err != nil {
					t.Fatal(err)
				}
				what := fmt.Sprintf("%d bytes, %s, onto an old name: %t", size, end, old)
				next := content{rnd.Uint64(), 1000}
				var err error
				if !soon(func() bool { err = tryPut(a, uri, next); return err == nil }) {
					t.Fatalf("%s: sent again: %v", what, err)
				}
				if got, err := a.Sum(uri); err != nil || got != next.sum() {
					t.Errorf("%s: sent again, the file reads %s (%v)", what, got, err)
				}
				kept += int64(next.size)
				if !soon(func() bool { used, reserved := a.Capacity(); return reserved == 0 && used == kept }) {
					used, reserved := a.Capacity()
					t.Errorf("%s: %d bytes are used and %d reserved; %d are kept", what, used-reserved, reserved, kept)
				}
				if open := a.Unfinished(); len(open) > 0 {
					t.Errorf("%s: an upload is left: %v", what, open)
				}
				counts["PUTs cut by "+end]++
			}
		}
	}
}

// soon waits for what happens when the server notices.
func soon(holds func() bool) bool {
	for range 500 {
		if holds() {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func tryPut(a *rig.API, uri string, c content) error {
	return a.Raw(http.MethodPut, "/file/content?uri="+url.QueryEscape(uri), c.bytes(), nil, nil)
}

// cutPut sends half of c and lets go.
func cutPut(a *rig.API, uri string, c content, reset bool) error {
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.Base, "http://"))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(conn, "PUT /api/v4/file/content?uri=%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n",
		url.QueryEscape(uri), a.Token, c.size)
	if err != nil {
		return err
	}
	if _, err := conn.Write(c.bytes()[:c.size/2]); err != nil {
		return err
	}
	if c.size > 1<<20 && !soon(func() bool { _, reserved := a.Capacity(); return reserved > 0 }) {
		return errors.New("the content that is being sent has reserved nothing")
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		if err := tcp.SetLinger(0); err != nil {
			return err
		}
	}
	return conn.Close()
}

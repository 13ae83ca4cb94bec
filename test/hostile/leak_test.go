package hostile_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
)

// TestNothingIsLeftBehind: a server that was refusing all the time ends with as many
// goroutines and descriptors as there were before it. It runs alone.
func TestNothingIsLeftBehind(t *testing.T) {
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	t.Run("attacked", func(t *testing.T) {
		w := open(t)
		id := w.begin(admin, "cloudreve://my/f", 3)
		check := w.unchanged()
		for range 20 {
			chunk := "/file/upload/" + id + "/0"
			want(t, "wrong length", w.send(sent{who: admin, method: "POST", path: chunk, body: strings.NewReader("ab")}), 40013)
			want(t, "nobody", w.send(sent{method: "POST", path: chunk, body: strings.NewReader("abc")}), 40011)
			want(t, "lying", w.send(sent{
				who: admin, method: "POST", path: chunk, body: strings.NewReader("abcd"), length: -1, header: map[string]string{"X-Expected-Entity-Length": "3"},
			}), 40013)
			want(t, "no JSON", w.call(admin, "PUT", "/file/upload", "{"), 40001)
			conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			// Half a chunk, then nobody is there any more.
			_, _ = io.WriteString(conn, fmt.Sprintf("POST /api/v4%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 3\r\n\r\nab", chunk, w.tokens[admin]))
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
		}
		settles(t, "connections", files+60, func() int { return descriptors(t) })
		check()
		want(t, "the chunk itself", w.send(sent{who: admin, method: "POST", path: "/file/upload/" + id + "/0", body: strings.NewReader("abc")}), 0)
	})
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(links(t))
		}
	})
	settles(t, "goroutines", goroutines, runtime.NumGoroutine)
	settles(t, "descriptors", files, func() int { return descriptors(t) })
}

// links says what the descriptors of this process are.
func links(t *testing.T) (out []string) {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		to, err := os.Readlink("/proc/self/fd/" + e.Name())
		out = append(out, fmt.Sprint(e.Name(), " ", to, err))
	}
	return out
}

package oss

import (
	"crypto/md5"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/counter"
	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

func asked(text string) counter.Request {
	return counter.Request{Request: httptest.NewRequest(http.MethodPost, "/k", nil), Query: map[string]string{
		"callback": base64.StdEncoding.EncodeToString([]byte(text)),
	}}
}

func TestAWishThatTheServiceWouldRefuseIsRefused(t *testing.T) {
	t.Parallel()
	const good = `{"callbackUrl":"https://drive.example/","callbackBody":"x"}`
	if w, no := readWish(asked(good)); no != nil || w == nil || w.URL != "https://drive.example/" {
		t.Fatalf("%+v %+v", w, no)
	}
	both := asked(good)
	both.Header.Set("X-Oss-Callback", "e30=")
	for name, q := range map[string]counter.Request{
		"no URL":            asked(`{"callbackBody":"x"}`),
		"no body":           asked(`{"callbackUrl":"https://drive.example/"}`),
		"no JSON":           asked(`callbackUrl`),
		"not base64":        {Request: httptest.NewRequest(http.MethodPost, "/k", nil), Query: map[string]string{"callback": "{}"}},
		"header and query":  both,
		"too long":          asked(`{"callbackUrl":"https://drive.example/","callbackBody":"` + strings.Repeat("x", 5<<10) + `"}`),
		"loopback":          asked(`{"callbackUrl":"http://127.0.0.1/","callbackBody":"x"}`),
		"one of two inside": asked(`{"callbackUrl":"https://drive.example/;http://10.0.0.1/","callbackBody":"x"}`),
	} {
		if w, no := readWish(q); w != nil || no == nil || no.Status != http.StatusBadRequest {
			t.Errorf("%s: %+v %+v", name, w, no)
		}
	}
}

func TestTemplatesAreFilledAsTheirTypeWantsIt(t *testing.T) {
	t.Parallel()
	o := shelf.Object{Key: `a "b"&c`, ETag: "ab-2", Data: make([]byte, 5), CRC: 1<<64 - 1}
	for _, c := range []struct{ kind, body, want string }{
		{"application/json", `{"n":${object},"s":${size},"t":"${size},${etag}","x":${crc64},"u":${x:none}}`, `{"n":"a \"b\"\u0026c","s":5,"t":"5,AB-2","x":18446744073709551615,"u":""}`},
		{"application/x-www-form-urlencoded", `object=${object}&size=${size}&b=${bucket}&no=${none}`, `object=a+%22b%22%26c&size=5&b=bkt&no=`},
	} {
		if got := (wish{Type: c.kind, Body: c.body}).fill("bkt", o); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

// heard answers callbacks and keeps their bodies.
type heard struct {
	bodies  *[]string
	answer  string
	chunked bool
}

func (h heard) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	*h.bodies = append(*h.bodies, string(body))
	length := int64(len(h.answer))
	if h.chunked {
		length = -1
	}
	return &http.Response{StatusCode: http.StatusOK, ContentLength: length, Body: io.NopCloser(strings.NewReader(h.answer))}, err
}

func TestCallbacksAreDroppedDoubledAndHeldAsTheTestWants(t *testing.T) {
	t.Parallel()
	var bodies []string
	e := New(Options{Bucket: "bkt", Calls: heard{bodies: &bodies, answer: `{"code":0}`}, Clock: time.Now})
	w, o := wish{URL: "https://drive.example/cb", Body: "${size}"}, shelf.Object{Key: "k", Data: make([]byte, 5)}
	e.Calls.Drop(true)
	if _, err := e.call(t.Context(), w, o); err == nil || len(bodies) > 0 {
		t.Errorf("dropped: %v %q", err, bodies)
	}
	e.Calls.Drop(false)
	e.Calls.Repeat(2)
	until := make(chan struct{})
	e.Calls.Hold(until)
	done := make(chan error, 1)
	go func() {
		_, err := e.call(t.Context(), w, o)
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("not held: %v", err)
	default:
	}
	close(until)
	if err := <-done; err != nil || len(bodies) != 2 || bodies[1] != "5" || len(e.Calls.Sent()) != 2 {
		t.Errorf("doubled: %v %q", err, bodies)
	}
}

func TestAnAnswerThatTheServiceDoesNotTakeFailsTheCallback(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]heard{"no JSON": {answer: "fine"}, "no length": {answer: "{}", chunked: true}} {
		h.bodies = new([]string)
		e := New(Options{Bucket: "bkt", Calls: h, Clock: time.Now})
		if answer, err := e.call(t.Context(), wish{URL: "https://drive.example/cb", Body: "x"}, shelf.Object{Key: "k"}); err == nil {
			t.Errorf("%s: %q", name, answer)
		}
	}
}

func TestTheKeyThatIsServedFitsTheSignature(t *testing.T) {
	t.Parallel()
	e := New(Options{Bucket: "bkt", Clock: time.Now})
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://"+KeyHost+KeyPath, nil))
	block, _ := pem.Decode(w.Body.Bytes())
	if block == nil {
		t.Fatal(w.Body)
	}
	if _, err := x509.ParsePKIXPublicKey(block.Bytes); err != nil {
		t.Error(err)
	}
	if h := e.Sign("https://drive.example/a%20b?c=d", []byte("x")); h.Get("Content-Md5") != base64.StdEncoding.EncodeToString(sumOf("x")) || len(h.Get("Authorization")) != 88 {
		t.Errorf("%v", h)
	}
}

func sumOf(s string) []byte {
	sum := md5.Sum([]byte(s))
	return sum[:]
}

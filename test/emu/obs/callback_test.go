package obs

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wharfinger/wharfinger/test/emu/counter"
	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

func asked(text string) counter.Request {
	return counter.Request{Request: httptest.NewRequest(http.MethodPost, "/k", nil), Query: map[string]string{
		"x-obs-callback": base64.StdEncoding.EncodeToString([]byte(text)),
	}}
}

func TestAWishThatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]counter.Request{
		"no URL":     asked(`{"callbackBody":"x"}`),
		"no JSON":    asked(`callbackUrl`),
		"not base64": {Request: httptest.NewRequest(http.MethodPost, "/k", nil), Query: map[string]string{"x-obs-callback": "{}"}},
	} {
		if w, no := readWish(q); w != nil || no == nil || no.Status != http.StatusBadRequest {
			t.Errorf("%s: %+v %+v", name, w, no)
		}
	}
	q := asked(`{"callbackUrl":"http://query.example/"}`)
	q.Header.Set("X-Obs-Callback", base64.StdEncoding.EncodeToString([]byte(`{"callbackUrl":"http://header.example/"}`)))
	if w, no := readWish(q); no != nil || w.URL != "http://header.example/" {
		t.Errorf("the header wins: %+v %+v", w, no)
	}
}

// heard answers callbacks and keeps their bodies.
type heard struct{ bodies *[]string }

func (h heard) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	*h.bodies = append(*h.bodies, string(body))
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("answer"))}, err
}

func TestACallbackCanBeDoubledAndFillsVendorVariablesOnly(t *testing.T) {
	t.Parallel()
	var bodies []string
	e := New(Options{Bucket: "bkt", Calls: heard{&bodies}, Repeat: 2})
	w := wish{URL: "http://drive.example/cb", Body: "$(key) $(size) $(none) ${size}"}
	answer, err := e.call(t.Context(), w, shelf.Object{Key: "k", Data: make([]byte, 5)})
	if err != nil || string(answer) != "answer" {
		t.Errorf("%q %v", answer, err)
	}
	if want := "k 5  ${size}"; len(bodies) != 2 || bodies[0] != want || bodies[1] != want {
		t.Errorf("heard %q, want %q twice", bodies, want)
	}
}

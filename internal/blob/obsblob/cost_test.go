package obsblob_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
)

// docs/policies/obs.md tells what an upload costs.
func TestRequestsAreAsManyAsThePolicyPageSays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := content(3 * mib)
	h, err := r.parts().Begin(t.Context(), key, int64(len(data)), blob.PutOptions{})
	r.must(err)
	r.must(r.parts().WriteAt(t.Context(), h, core.Range{To: int64(len(data))}, bytes.NewReader(data), blob.PutOptions{}))
	_, err = r.parts().Commit(t.Context(), h, blob.PutOptions{})
	r.must(err)
	if n := len(r.emu.Front.Log()); n != 3+7 {
		t.Errorf("relay: %d requests: %q", n, r.emu.Front.Log())
	}

	r = newRig(t)
	a := ask(int64(len(data)))
	h, s := r.grant(a)
	if status, answer := r.complete(s, r.send(a, s, data)); status != http.StatusOK {
		t.Fatal(status, answer)
	}
	_, err = r.direct().Confirm(t.Context(), h)
	r.must(err)
	if n := len(r.emu.Front.Log()); n != 3+5 {
		t.Errorf("direct: %d requests: %q", n, r.emu.Front.Log())
	}
}

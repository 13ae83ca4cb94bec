package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/test/emu/gateway"
	"github.com/wharfinger/wharfinger/test/rig"
)

// straight is a server whose files go straight to a real bucket, with a clock
// that can be put forward, and an existing client that uploads to it.
type straight struct {
	*testing.T
	*site
	bucket *bucket
	later  *atomic.Int64 // nanoseconds
	api    *rig.API
}

func newStraight(t *testing.T) *straight {
	t.Helper()
	later := new(atomic.Int64)
	x := &straight{T: t, bucket: newBucket(t), later: later, site: &site{t: t, config: app.Config{
		Data: t.TempDir(), Listen: freeAddress(t), AdminEmail: rig.AdminEmail, AdminPassword: core.Secret(rig.AdminPassword),
		Grace: time.Second, Sweep: 50 * time.Millisecond,
		Clock: func() time.Time { return time.Now().Add(time.Duration(later.Load())) },
	}}}
	x.start()
	t.Cleanup(x.stop)
	_, err := x.a.AddPolicy(t.Context(), app.NewPolicy{
		Name: "Bucket", Type: "s3", Endpoint: "http://" + x.bucket.Addr, Region: gateway.Region, Bucket: "files", PathStyle: true,
		AccessKey: gateway.Access, SecretKey: gateway.Secret, ChunkSize: 5 << 20,
	})
	if err == nil {
		_, err = x.a.SetGroupPolicy(t.Context(), "Admin", "Bucket")
	}
	if err != nil {
		t.Fatal(err)
	}
	x.api = rig.NewAPI(t, x.a.URL())
	return x
}

// ticket is the session as clients of the contract read it.
type ticket struct {
	SessionID      string   `json:"session_id"`
	UploadID       string   `json:"upload_id"`
	ChunkSize      int64    `json:"chunk_size"`
	UploadURLs     []string `json:"upload_urls"`
	CompleteURL    string   `json:"completeURL"`
	CallbackSecret string   `json:"callback_secret"`
	StoragePolicy  struct {
		Type  string
		Relay bool
	} `json:"storage_policy"`
}

func (x *straight) create(name string, size int) ticket {
	x.Helper()
	var u ticket
	x.api.Call(http.MethodPut, "/file/upload", map[string]any{"uri": "cloudreve://my/" + name, "size": size, "policy_id": ""}, &u)
	want := max(1, (size+int(u.ChunkSize)-1)/int(max(u.ChunkSize, 1)))
	if u.StoragePolicy.Type != "s3" || u.StoragePolicy.Relay || u.UploadID == "" || u.CompleteURL == "" || u.ChunkSize < 5<<20 ||
		len(u.UploadURLs) != want || len(u.CallbackSecret) != 32 {
		x.Fatalf("ticket: %+v", u)
	}
	return u
}

// send puts the parts from..to, as the web client does, and returns their tags.
func (x *straight) send(u ticket, data []byte, from, to int) []string {
	x.Helper()
	tags := make([]string, len(u.UploadURLs))
	var all sync.WaitGroup
	for n := from; n < to; n++ {
		all.Go(func() {
			at := n * int(u.ChunkSize)
			part := data[at:min(at+int(u.ChunkSize), len(data))]
			resp := x.ask(http.MethodPut, u.UploadURLs[n], part)
			if tags[n] = resp.Header.Get("ETag"); resp.StatusCode != http.StatusOK || tags[n] == "" {
				x.Errorf("part %d: HTTP %s", n, resp.Status)
			}
		})
	}
	all.Wait()
	return tags
}

func (x *straight) ask(method, address string, body []byte) *http.Response {
	x.Helper()
	r, err := http.NewRequestWithContext(x.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		x.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/octet-stream")
	resp, err := x.api.HTTP.Do(r)
	if err != nil {
		x.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(text))
	return resp
}

// complete ends the upload at the store.
func (x *straight) complete(u ticket, tags []string) {
	x.Helper()
	var body strings.Builder
	body.WriteString("<CompleteMultipartUpload>")
	for i, tag := range tags {
		fmt.Fprintf(&body, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, tag)
	}
	body.WriteString("</CompleteMultipartUpload>")
	if resp := x.ask(http.MethodPost, u.CompleteURL, []byte(body.String())); resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		x.Fatalf("complete: HTTP %s %s", resp.Status, text)
	}
}

// call makes the callback and returns its HTTP status and code.
func (x *straight) call(u ticket, method, kind, secret string) (status int, body string) {
	x.Helper()
	resp := x.ask(method, x.a.URL()+"/api/v4/callback/"+kind+"/"+u.SessionID+"/"+url.PathEscape(secret), nil)
	text, _ := io.ReadAll(resp.Body)
	code, _, _ := strings.Cut(strings.TrimPrefix(string(text), `{"code":`), ",")
	return resp.StatusCode, code
}

func (x *straight) called(u ticket) {
	x.Helper()
	if status, code := x.call(u, http.MethodGet, "s3", u.CallbackSecret); status != 200 || code != "0" {
		x.Fatalf("callback: HTTP %d, code %s", status, code)
	}
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// holds checks that the file is there, once, with these bytes and nothing held.
func (x *straight) holds(name string, data []byte) {
	x.Helper()
	if got, err := x.api.Sum("cloudreve://my/" + name); err != nil || got != sumOf(data) {
		x.Errorf("%s: SHA-256 %s, want %s: %v", name, got, sumOf(data), err)
	}
	if used, reserved := x.api.Capacity(); used != int64(len(data)) || reserved != 0 {
		x.Errorf("used %d, reserved %d; the file has %d", used, reserved, len(data))
	}
	if n := len(x.bucket.objects(x.T)); n != 1 {
		x.Errorf("%d objects in the bucket", n)
	}
}

// waits puts the clock forward in steps until the file is complete.
func (x *straight) waits(name string, data []byte) {
	x.Helper()
	for range 40 {
		if got, err := x.api.Sum("cloudreve://my/" + name); err == nil && got == sumOf(data) {
			return
		}
		x.later.Add(int64(20 * time.Second))
		time.Sleep(150 * time.Millisecond)
	}
	x.Fatalf("%s was not completed", name)
}

// TestAnUploadStraightToTheBucketIsConfirmedByTheStore is the flow of existing
// clients: parts, completion, callback; then everything again.
func TestAnUploadStraightToTheBucketIsConfirmedByTheStore(t *testing.T) {
	long(t)
	t.Parallel()
	x := newStraight(t)
	data := noise(11<<20+5, 1)
	u := x.create("a/big", len(data))

	for _, c := range []struct{ method, kind, secret, want string }{
		{"GET", "s3", strings.Repeat("x", 32), "401 40020"}, // forged
		{"GET", "s3", "x", "401 40020"},
		{"POST", "cos", u.CallbackSecret, "401 40006"},
		{"GET", "s3", u.CallbackSecret, "400 40055"}, // early
	} {
		status, code := x.call(u, c.method, c.kind, c.secret)
		if got := fmt.Sprint(status, " ", code); got != c.want {
			t.Errorf("callback %v: %s", c, got)
		}
	}
	if err := x.api.Send(u.SessionID, 0, data[:5<<20], nil); rig.Code(err) != 40006 {
		t.Errorf("a chunk sent to us: %v", err)
	}
	tags := x.send(u, data, 0, 3)
	x.complete(u, tags)
	x.called(u)
	x.holds("a/big", data)
	x.called(u) // doubled
	if status, code := x.call(u, http.MethodPost, "s3", u.CallbackSecret); status != 200 || code != "0" {
		t.Errorf("callback by another method: HTTP %d, code %s", status, code)
	}
	if status, code := x.call(u, http.MethodGet, "s3", "x"); status != 401 || code != "40020" {
		t.Errorf("forged after completion: HTTP %d, code %s", status, code)
	}
	status, code := x.call(ticket{SessionID: core.NewUUID()}, http.MethodGet, "s3", "x")
	if status != 401 || code != "40011" {
		t.Errorf("unknown session: HTTP %d, code %s", status, code)
	}
	x.holds("a/big", data)
}

// TestManyCallbacksAtOnceMakeOneFile races callbacks with each other and with the
// reconciler.
func TestManyCallbacksAtOnceMakeOneFile(t *testing.T) {
	long(t)
	t.Parallel()
	x := newStraight(t)
	data := noise(6<<20, 2)
	u := x.create("one", len(data))
	x.complete(u, x.send(u, data, 0, 2))
	x.later.Add(int64(2 * time.Minute))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if status, code := x.call(u, http.MethodGet, "s3", u.CallbackSecret); status != 200 {
				t.Errorf("HTTP %d, code %s", status, code)
			}
		})
	}
	all.Wait()
	x.holds("one", data)
}

// TestALostCallbackIsNoLoss ends the upload at the store and tells nobody; the
// server is restarted on top.
func TestALostCallbackIsNoLoss(t *testing.T) {
	long(t)
	t.Parallel()
	x := newStraight(t)
	data := noise(12<<20, 3)
	u := x.create("lost", len(data))
	tags := x.send(u, data, 0, 2)
	x.restart()
	tags[2] = x.send(u, data, 2, 3)[2]
	x.complete(u, tags)
	x.restart()
	x.waits("lost", data)
	x.holds("lost", data)
	x.called(u) // late
}

// TestALostCompletionIsMadeUpFor sends all parts and dies.
func TestALostCompletionIsMadeUpFor(t *testing.T) {
	long(t)
	t.Parallel()
	x := newStraight(t)
	data := noise(12<<20, 4)
	u := x.create("parts", len(data))
	x.send(u, data, 0, 3)
	x.waits("parts", data)
	x.holds("parts", data)
}

// TestSizesOfDirectUploads sends the sizes that are special.
func TestSizesOfDirectUploads(t *testing.T) {
	long(t)
	t.Parallel()
	x := newStraight(t)
	for _, size := range []int{0, 1, 5 << 20, 5<<20 + 1, 10 << 20} {
		name, data := fmt.Sprint("size-", size), noise(size, 5)
		u := x.create(name, size)
		x.complete(u, x.send(u, data, 0, len(u.UploadURLs)))
		x.called(u)
		if got, err := x.api.Sum("cloudreve://my/" + name); err != nil || got != sumOf(data) {
			t.Errorf("%d bytes: SHA-256 %s, want %s: %v", size, got, sumOf(data), err)
		}
	}
}

// TestACancelledDirectUploadLeavesNothing cancels in the middle, and after the
// store has all.
func TestACancelledDirectUploadLeavesNothing(t *testing.T) {
	long(t)
	t.Parallel()
	x := newStraight(t)
	data := noise(6<<20, 6)
	for i, whole := range []bool{false, true} {
		name := fmt.Sprint("gone-", i)
		u := x.create(name, len(data))
		tags := x.send(u, data, 0, 2)
		if whole {
			x.complete(u, tags)
		}
		x.api.Call(http.MethodDelete, "/file/upload", map[string]string{"id": u.SessionID, "uri": "cloudreve://my/" + name}, nil)
		if status, code := x.call(u, http.MethodGet, "s3", u.CallbackSecret); status != 401 || code != "40011" {
			t.Errorf("callback of a cancelled upload: HTTP %d, code %s", status, code)
		}
	}
	if left := x.bucket.objects(t); len(left) > 0 {
		t.Errorf("%d objects left", len(left))
	}
	if used, reserved := x.api.Capacity(); used != 0 || reserved != 0 {
		t.Errorf("used %d, reserved %d", used, reserved)
	}
	for _, f := range filesIn(t, x.bucket.dir) {
		if !strings.Contains(f, ".vgw") {
			t.Errorf("left in the bucket: %s", f)
		}
	}
}

// addresses is a page of them as clients read it.
type addresses struct {
	Parts       int
	From        int
	UploadURLs  []string `json:"upload_urls"`
	CompleteURL string
	Expires     time.Time
	Complete    bool
	Stored      []struct {
		Index int
		Size  int64
		ETag  string
	}
}

func (x *straight) addresses(u ticket, query string) (a addresses) {
	x.Helper()
	x.api.Call(http.MethodGet, "/file/upload/"+u.SessionID+"/addresses?"+query, nil, &a)
	return a
}

// TestAnUploadGoesOnWithFreshAddressesAndWhatTheStoreHas is a client that died with
// its addresses.
func TestAnUploadGoesOnWithFreshAddressesAndWhatTheStoreHas(t *testing.T) {
	long(t)
	t.Parallel()
	x := newStraight(t)
	data := noise(16<<20, 8)
	u := x.create("resumed", len(data))
	x.send(u, data, 1, 3)
	x.restart()

	a := x.addresses(u, "stored=true")
	if a.Parts != 4 || len(a.UploadURLs) != 4 || len(a.Stored) != 2 || a.Stored[0].Index != 1 || a.Stored[1].Size != 5<<20 || a.Complete {
		t.Fatalf("%+v", a)
	}
	tags := make([]string, a.Parts)
	for _, part := range a.Stored {
		tags[part.Index] = part.ETag
	}
	u.UploadURLs, u.CompleteURL = a.UploadURLs, a.CompleteURL
	tags[0] = x.send(u, data, 0, 1)[0]
	if one := x.addresses(u, "from=3&count=1"); one.From != 3 || len(one.UploadURLs) != 1 || one.Stored != nil {
		t.Errorf("%+v", one)
	}
	if past := x.addresses(u, "from=4"); past.From != 4 || len(past.UploadURLs) != 0 {
		t.Errorf("past the end: %+v", past)
	}
	tags[3] = x.send(u, data, 3, 4)[3]
	x.complete(u, tags)
	if now := x.addresses(u, "stored=true"); !now.Complete || len(now.Stored) != 0 {
		t.Errorf("after the end: %+v", now)
	}
	x.called(u)
	x.holds("resumed", data)
	if err := x.api.Try(http.MethodGet, "/file/upload/"+u.SessionID+"/addresses", nil, nil); rig.Code(err) != 40011 {
		t.Errorf("of a file that is there: %v", err)
	}
}

// TestWhoAsksForPagesGetsOne creates an upload of ten thousand parts.
func TestWhoAsksForPagesGetsOne(t *testing.T) {
	long(t)
	t.Parallel()
	x := newStraight(t)
	const size = 10_000 * 5 << 20
	for paged, want := range map[bool]int{true: 100, false: 10_000} {
		var u ticket
		x.api.Call(http.MethodPut, "/file/upload", map[string]any{"uri": fmt.Sprint("cloudreve://my/huge-", paged), "size": size, "paged": paged}, &u)
		if len(u.UploadURLs) != want || u.CompleteURL == "" {
			t.Errorf("paged %v: %d addresses", paged, len(u.UploadURLs))
		}
		if a := x.addresses(u, "from=9000&count=5000"); a.Parts != 10_000 || len(a.UploadURLs) != 1000 {
			t.Errorf("%d of %d addresses", len(a.UploadURLs), a.Parts)
		}
	}
}

// TestADirectUploadThatNobodyEndsExpiresAtTheStoreToo lets two run out: one in the
// middle, one that the store has whole.
func TestADirectUploadThatNobodyEndsExpiresAtTheStoreToo(t *testing.T) {
	long(t)
	t.Parallel()
	x := newStraight(t)
	x.api.Call(http.MethodPatch, "/admin/settings", map[string]any{"settings": map[string]string{"upload_session_timeout": "300"}}, nil)
	data := noise(6<<20, 9)
	x.send(x.create("half", len(data)), data, 0, 1)
	u := x.create("whole", len(data))
	x.complete(u, x.send(u, data, 0, 2))
	x.later.Add(int64(6 * time.Minute)) // the store refuses clocks that are a quarter of an hour off
	for range 200 {
		if used, reserved := x.api.Capacity(); used == int64(len(data)) && reserved == 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	x.holds("whole", data)
	for _, f := range filesIn(t, x.bucket.dir) {
		if strings.Contains(f, u.UploadID) || strings.Contains(f, "multipart") && strings.Contains(f, "half") {
			t.Errorf("left in the bucket: %s", f)
		}
	}
}

// TestOurClientsRelayWhereTheyCannotGoStraight: the command line's package asks
// for it.
func TestOurClientsRelayWhereTheyCannotGoStraight(t *testing.T) {
	long(t)
	t.Parallel()
	x := newStraight(t)
	data := noise(11<<20, 7)
	c := x.client()
	if _, err := c.Upload(t.Context(), upload(data, "mine")); err != nil {
		t.Fatal(err)
	}
	x.holds("mine", data)
}

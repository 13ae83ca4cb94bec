package app

import (
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/direct"
)

func TestEachKindHasADriverAndIsTakenDirectly(t *testing.T) {
	t.Parallel()
	v := vendors{clock: time.Now}
	c := vendorConfig{Region: "cn-hangzhou", Bucket: "files-1250000000", AccessKey: "id"}
	for _, kind := range kinds {
		d, err := v.far(t.Context(), kind, c, "key")
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if err := d.Close(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if !new(direct.Flow).Takes(catalog.Policy{Type: kind}) {
			t.Errorf("%s: a client may not send to it", kind)
		}
	}
}

func TestAKindThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"", "local", "OSS", "gcs"} {
		if _, err := (vendors{clock: time.Now}).far(t.Context(), kind, vendorConfig{Bucket: "b"}, "key"); err == nil || !strings.Contains(err.Error(), "no kind") {
			t.Errorf("%q: %v", kind, err)
		}
	}
}

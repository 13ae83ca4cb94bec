package obsblob_test

import (
	"strings"
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/obsblob"
)

// Parts are left out: the suite writes pieces that are smaller than the store
// takes, and reads them before the end. The tests of xmlstore
// have them.
func TestConformance(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) blobtest.Subject {
		return blobtest.Subject{Driver: struct{ blob.Driver }{newRig(t).d}}
	})
}

func TestAWrongConfigIsNamed(t *testing.T) {
	t.Parallel()
	good := obsblob.Config{Bucket: "files", Region: "cn-north-4", AccessKey: "a", SecretKey: "s"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*obsblob.Config){
		"3 to 63":         func(c *obsblob.Config) { c.Bucket = "Files" },
		"in it twice":     func(c *obsblob.Config) { c.Endpoint = "https://files.files.obs.cn-north-4.myhuaweicloud.com" },
		"region":          func(c *obsblob.Config) { c.Region = "ap/guangzhou" },
		"access key":      func(c *obsblob.Config) { c.AccessKey = "" },
		"secret key":      func(c *obsblob.Config) { c.SecretKey = "s\n" },
		"part size":       func(c *obsblob.Config) { c.PartSize = 100<<10 - 1 },
		"scheme and host": func(c *obsblob.Config) { c.Endpoint = "https://obs.example/files" },
		"https://host":    func(c *obsblob.Config) { c.Endpoint = "obs.example" },
	} {
		c := good
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want a word of %q", err, want)
		}
		if _, err := obsblob.Open(t.Context(), c, nil, nil); err == nil {
			t.Errorf("Open with a wrong %s: no error", want)
		}
	}
}

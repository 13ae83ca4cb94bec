package ossblob_test

import (
	"strings"
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/ossblob"
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
	good := ossblob.Config{Bucket: "files", Region: "cn-hangzhou", AccessKey: "a", SecretKey: "s"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*ossblob.Config){
		"3 to 63":          func(c *ossblob.Config) { c.Bucket = "Files" },
		"names it":         func(c *ossblob.Config) { c.Endpoint, c.Region = "https://files.example", "" },
		"the bucket's own": func(c *ossblob.Config) { c.Endpoint = "https://oss-cn-hangzhou.aliyuncs.com" },
		"region":           func(c *ossblob.Config) { c.Region = "ap/guangzhou" },
		"access key":       func(c *ossblob.Config) { c.AccessKey = "" },
		"secret key":       func(c *ossblob.Config) { c.SecretKey = "s\n" },
		"part size":        func(c *ossblob.Config) { c.PartSize = 100<<10 - 1 },
		"scheme and host":  func(c *ossblob.Config) { c.Endpoint = "https://cos.example/files" },
		"https://host":     func(c *ossblob.Config) { c.Endpoint = "cos.example" },
	} {
		c := good
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want a word of %q", err, want)
		}
		if _, err := ossblob.Open(t.Context(), c, nil, nil); err == nil {
			t.Errorf("Open with a wrong %s: no error", want)
		}
	}
}

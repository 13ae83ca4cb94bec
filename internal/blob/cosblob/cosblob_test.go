package cosblob_test

import (
	"strings"
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/cosblob"
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
	good := cosblob.Config{Bucket: "files-1250000000", Region: "ap-guangzhou", AccessKey: "a", SecretKey: "s"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*cosblob.Config){
		"account's number": func(c *cosblob.Config) { c.Bucket = "files" },
		"region":           func(c *cosblob.Config) { c.Region = "ap/guangzhou" },
		"access key":       func(c *cosblob.Config) { c.AccessKey = "" },
		"secret key":       func(c *cosblob.Config) { c.SecretKey = "s\n" },
		"part size":        func(c *cosblob.Config) { c.PartSize = mib - 1 },
		"scheme and host":  func(c *cosblob.Config) { c.Endpoint = "https://cos.example/files" },
		"https://host":     func(c *cosblob.Config) { c.Endpoint = "cos.example" },
	} {
		c := good
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want a word of %q", err, want)
		}
		if _, err := cosblob.Open(t.Context(), c, nil, nil); err == nil {
			t.Errorf("Open with a wrong %s: no error", want)
		}
	}
}

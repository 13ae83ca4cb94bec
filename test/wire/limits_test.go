package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wharfinger/wharfinger/api/wire"
)

func TestMetadataHasAtMost256Entries(t *testing.T) {
	t.Parallel()
	s := connectLocal(t, nil)
	meta := map[string]string{}
	for i := range 256 {
		meta[fmt.Sprintf("props:%d", i)] = "x"
	}
	if c := s.code(t, "PUT", "/file/upload", wire.CreateUploadRequest{URI: "cloudreve://my/a", Size: 1, Metadata: meta}); c != wire.CodeOK {
		t.Errorf("256 entries: %d", c)
	}
	meta["props:one-more"] = "x"
	if c := s.code(t, "PUT", "/file/upload", wire.CreateUploadRequest{URI: "cloudreve://my/b", Size: 1, Metadata: meta}); c != wire.CodeBadParameter {
		t.Errorf("257 entries: %d", c)
	}
}

func TestBatchesAreBounded(t *testing.T) {
	t.Parallel()
	s := connectLocal(t, nil)
	uris := strings.Split(strings.Repeat("cloudreve://my/nope ", 3001), " ")[:3001]
	if c := s.code(t, "DELETE", "/file", wire.DeleteFilesRequest{URIs: uris}); c != wire.CodeTooManyURIs {
		t.Errorf("deleting 3001: %d", c)
	}
	if c := s.code(t, "POST", "/file/url", wire.CreateURLRequest{URIs: uris}); c != wire.CodeTooManyURIs {
		t.Errorf("addresses of 3001: %d", c)
	}
	tokens := strings.Split(strings.Repeat("t ", 16385), " ")[:16385]
	if c := s.code(t, "DELETE", "/file/lock", wire.DeleteLocksRequest{Tokens: tokens}); c != wire.CodeBadParameter {
		t.Errorf("unlocking 16385: %d", c)
	}
}

func TestUserHasAtMost1000UnfinishedUploads(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes 1001 uploads")
	}
	s := connectLocal(t, nil)
	for i := range 1000 {
		if c := s.code(t, "PUT", "/file/upload", wire.CreateUploadRequest{URI: fmt.Sprintf("cloudreve://my/many/%d", i), Size: 1}); c != wire.CodeOK {
			t.Fatalf("upload %d: %d", i, c)
		}
	}
	if c := s.code(t, "PUT", "/file/upload", wire.CreateUploadRequest{URI: "cloudreve://my/many/more", Size: 1}); c != wire.CodeUploadFailed {
		t.Errorf("upload 1001: %d", c)
	}
	if c := s.codeAs(t, "bob", "PUT", "/file/upload", wire.CreateUploadRequest{URI: "cloudreve://my/other", Size: 1}); c != wire.CodeOK {
		t.Errorf("another user's upload: %d", c)
	}
}

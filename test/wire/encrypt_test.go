package wire_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/hex"
	"io"
	"math/big"
	"net/http"
	"testing"

	"github.com/wharfinger/wharfinger/api/wire"
)

// ctr encrypts what stands at an offset of a file, which may be any: the
// counter of byte o is IV + o/16 as a 128-bit big-endian number.
func ctr(t *testing.T, key, iv []byte, offset int64, plain []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	n := new(big.Int).SetBytes(iv)
	n.Add(n, big.NewInt(offset/aes.BlockSize))
	n.Mod(n, new(big.Int).Lsh(big.NewInt(1), 128))
	stream := cipher.NewCTR(block, n.FillBytes(make([]byte, 16)))
	skipped := make([]byte, offset%aes.BlockSize)
	stream.XORKeyStream(skipped, skipped)
	out := make([]byte, len(plain))
	stream.XORKeyStream(out, plain)
	return out
}

func TestEncryptionVectorOfTheProtocol(t *testing.T) {
	t.Parallel()
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	iv, err := hex.DecodeString("f0f1f2f3f4f5f6f7f8f9fafbfffffffe")
	if err != nil {
		t.Fatal(err)
	}
	plain := []byte("The quick brown fox jumps over 13 lazy dogs near a riverbank.")
	const want = "262692674aa1ae124e5c6919ff84c0ba00dcf928a3df2d44b90e2b9856f38574cf13cd7149f4765b07eb51792b3e040d0194522895437d733bac321f1d"
	for _, from := range []int{0, 1, 15, 16, 32, 33, 60} {
		if got := hex.EncodeToString(ctr(t, key, iv, int64(from), plain[from:])); got != want[2*from:] {
			t.Errorf("from %d: %s", from, got)
		}
	}
}

// A client that encrypts by itself, as the web client does: chunks out of
// order, without Content-Length.
func TestFileEncryptedByItsSenderIsReadInClear(t *testing.T) {
	t.Parallel()
	s := connectLocal(t, map[string]string{"encrypt": "true", "chunk": "65536"})
	const uri = "cloudreve://my/sealed"
	plain := generated(3*s.chunk+61, "sealed")
	ticket := call[wire.UploadTicket](t, s, "admin", "PUT", "/file/upload", wire.CreateUploadRequest{
		URI: uri, Size: int64(len(plain)), EncryptionSupported: []string{"aes-256-ctr"},
	})
	if ticket.Data == nil || ticket.Data.EncryptMetadata == nil {
		t.Fatalf("%+v", ticket)
	}
	meta := ticket.Data.EncryptMetadata
	key, iv := fromBase64(t, meta.KeyPlainText), fromBase64(t, meta.Iv)
	if len(key) != 32 || len(iv) != 16 || meta.Key != nil || meta.Algorithm != "aes-256-ctr" {
		t.Fatalf("%+v", meta)
	}
	for _, i := range []int64{2, 3, 0, 1} {
		from, to := i*s.chunk, min((i+1)*s.chunk, int64(len(plain)))
		sealed := ctr(t, key, iv, from, plain[from:to])
		got := s.raw(t, "admin", "POST", chunkPath(ticket.Data.SessionID, i), struct{ io.Reader }{bytes.NewReader(sealed)},
			"X-Expected-Entity-Length", itoa(to-from))
		if string(got.body) != `{"code":0,"msg":""}` {
			t.Fatalf("chunk %d: %s", i, got.body)
		}
	}
	if got := s.download(t, uri); !bytes.Equal(got, plain) {
		t.Fatalf("got %d other bytes", len(got))
	}
	info := call[wire.File](t, s, "admin", "GET", "/file/info?extended=true&uri="+uri, nil)
	if info.Data == nil || info.Data.ExtendedInfo == nil || len(info.Data.ExtendedInfo.Entities) != 1 || info.Data.ExtendedInfo.Entities[0].EncryptedWith != "aes-256-ctr" {
		t.Errorf("%+v", info)
	}
}

func fromBase64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// download reads the current content of a file.
func (s *server) download(t *testing.T, uri string) []byte {
	t.Helper()
	urls := call[wire.FileURLs](t, s, "admin", "POST", "/file/url", wire.CreateURLRequest{URIs: []string{uri}})
	if urls.Data == nil {
		t.Fatalf("%+v", urls)
	}
	r := &runner{server: s, values: values{}}
	target, err := r.target(step{path: urls.Data.URLs[0].URL})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := send(req)
	if err != nil || got.status != http.StatusOK {
		t.Fatalf("%d, %v", got.status, err)
	}
	return got.body
}

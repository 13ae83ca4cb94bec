package thumb

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/minio/crc64nvme"
	"golang.org/x/image/bmp"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

type body struct{ *bytes.Reader }

func (body) Close() error { return nil }

// of makes the picture of these bytes.
func of(b []byte) (Picture, error) {
	return opened(b, crc64nvme.Checksum(b)).Of(context.Background(), 1)
}

func opened(b []byte, sum uint64) *Maker {
	return New(Options{Open: func(context.Context, core.VersionID) (catalog.Body, error) {
		return catalog.Body{Version: catalog.Version{ID: 1, Size: int64(len(b)), CRC64: sum}, ReadSeekCloser: body{bytes.NewReader(b)}}, nil
	}})
}

// flag is red at the left and blue at the right.
func flag(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{R: 200, A: 255}
			if x >= w/2 {
				c = color.NRGBA{B: 200, A: 255}
			}
			m.Set(x, y, c)
		}
	}
	return m
}

func encode(f func(io.Writer) error) []byte {
	var b bytes.Buffer
	if err := f(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func asPNG(m image.Image) []byte { return encode(func(w io.Writer) error { return png.Encode(w, m) }) }

func asJPEG(m image.Image) []byte {
	return encode(func(w io.Writer) error { return jpeg.Encode(w, m, nil) })
}

// turned puts an EXIF orientation into a JPEG.
func turned(b []byte, turn byte) []byte {
	exif := append([]byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00"), 0x12, 0x01, 3, 0, 1, 0, 0, 0, turn, 0, 0, 0)
	head := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(exif)+2))...)
	return append(append(head, exif...), b[2:]...)
}

// a lossless WebP of one pixel.
const onePixel = "RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"

func TestPicturesFitAndKeepTheirShape(t *testing.T) {
	t.Parallel()
	pale := flag(40, 40)
	pale.Set(0, 0, color.NRGBA{})
	for name, c := range map[string]struct {
		sent []byte
		mime string
		w, h int
	}{
		"wide jpeg":   {asJPEG(flag(1600, 400)), "image/jpeg", 400, 100},
		"high png":    {asPNG(flag(100, 1200)), "image/jpeg", 25, 300},
		"small png":   {asPNG(flag(20, 31)), "image/jpeg", 20, 31},
		"clear png":   {asPNG(pale), "image/png", 40, 40},
		"one line":    {asPNG(flag(5000, 1)), "image/jpeg", 400, 1},
		"gif":         {encode(func(w io.Writer) error { return gif.Encode(w, flag(800, 600), nil) }), "image/jpeg", 400, 300},
		"bmp":         {encode(func(w io.Writer) error { return bmp.Encode(w, flag(300, 300)) }), "image/jpeg", 300, 300},
		"webp":        {[]byte(onePixel), "", 1, 1},
		"with a tail": {append(asPNG(flag(9, 9)), "<script>alert(1)</script>"...), "image/jpeg", 9, 9},
	} {
		p, err := of(c.sent)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, kind, err := image.DecodeConfig(bytes.NewReader(p.Bytes))
		if err != nil || got.Width != c.w || got.Height != c.h || c.mime != "" && (p.MIME != c.mime || p.MIME != "image/"+kind) {
			t.Errorf("%s: %v %dx%d %s %v", name, kind, got.Width, got.Height, p.MIME, err)
		}
	}
}

func TestAPictureStandsAsTheCameraWasHeld(t *testing.T) {
	t.Parallel()
	red := func(m image.Image, x, y int) bool {
		r, _, b, _ := m.At(x, y).RGBA()
		return r > b
	}
	src := flag(80, 40) // red at the left as it was taken
	for turn, where := range map[byte]string{0: "left", 1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom", 8: "bottom", 9: "left"} {
		p, err := of(turned(asJPEG(src), turn))
		if err != nil {
			t.Fatal(turn, err)
		}
		m, _, err := image.Decode(bytes.NewReader(p.Bytes))
		if err != nil {
			t.Fatal(err)
		}
		w, h := m.Bounds().Dx(), m.Bounds().Dy()
		got := map[string]bool{
			"left": red(m, 2, h/2) && !red(m, w-3, h/2), "right": !red(m, 2, h/2) && red(m, w-3, h/2),
			"top": red(m, w/2, 2) && !red(m, w/2, h-3), "bottom": !red(m, w/2, 2) && red(m, w/2, h-3),
		}
		if (w > h) != (turn < 5 || turn > 8) || !got[where] {
			t.Errorf("orientation %d: %dx%d, red is at %v, want %s", turn, w, h, got, where)
		}
	}
}

// bomb is a PNG that announces w by h pixels of 16 bits.
func bomb(w, h uint32) []byte {
	b := asPNG(flag(1, 1))
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	return b
}

func TestNoPictureIsMadeOfWhatIsNoneOrCostsTooMuch(t *testing.T) {
	t.Parallel()
	good := asPNG(flag(50, 50))
	liar := "RIFF\x40\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00VP8 \x0a\x00\x00\x00\x10\x00\x00\x9d\x01\x2a\xff\x3f\xff\x3f"
	for name, sent := range map[string][]byte{
		"text": []byte("hello"), "svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "a cut png": good[:len(good)-30], "a cut head": good[:20],
		"a bomb": bomb(60000, 60000), "a long line": bomb(1<<20, 1), "no width": bomb(0, 5), "jpeg of nothing": {0xff, 0xd8, 0xff},
		"jpeg of markers": bytes.Repeat([]byte{0xff, 0xd8, 0xff, 0xe0, 0, 2}, 5000), "a webp whose frame is larger than its canvas": []byte(liar), "tiff": []byte("II*\x00aaaaaaaaaaaaa"),
	} {
		if p, err := of(sent); !errs.Has(err, errs.NoThumb) {
			t.Errorf("%s: %d bytes, %v", name, len(p.Bytes), err)
		}
	}
	if h, err := look(bytes.NewReader([]byte(liar))); err == nil && h.memory() <= maxMemory {
		t.Errorf("a frame of 16383 by 16383 pixels is thought to take %d bytes", h.memory())
	}
	progressive := bytes.Replace(asJPEG(flag(16, 16)), []byte{0xff, 0xc0}, []byte{0xff, 0xc2}, 1)
	plain, _ := look(bytes.NewReader(asJPEG(flag(16, 16))))
	held, err := look(bytes.NewReader(progressive))
	if err != nil || held.memory() != 5*plain.memory() {
		t.Errorf("a progressive JPEG is thought to take %d bytes, another %d: %v", held.memory(), plain.memory(), err)
	}
}

func TestNothingIsShownOfBytesThatHaveChanged(t *testing.T) {
	t.Parallel()
	b := asPNG(flag(50, 50))
	if p, err := opened(b, crc64nvme.Checksum(b)+1).Of(t.Context(), 1); !errs.Has(err, errs.RecoverNeeded) {
		t.Errorf("%d bytes, %v", len(p.Bytes), err)
	}
}

func TestManyWhoAskForOnePictureGetItMadeOnce(t *testing.T) {
	t.Parallel()
	b := asPNG(flag(500, 500))
	var opens atomic.Int64
	m := New(Options{Open: func(_ context.Context, id core.VersionID) (catalog.Body, error) {
		opens.Add(1)
		if id == 9 {
			return catalog.Body{}, errors.New("the disk is away")
		}
		return catalog.Body{Version: catalog.Version{ID: id, Size: int64(len(b))}, ReadSeekCloser: body{bytes.NewReader(b)}}, nil
	}})
	var work sync.WaitGroup
	for range 50 {
		work.Go(func() {
			if p, err := m.Of(context.Background(), 1); err != nil || len(p.Bytes) == 0 {
				t.Error(err)
			}
		})
	}
	work.Wait()
	if n := opens.Load(); n != 1 {
		t.Errorf("the file was opened %d times", n)
	}
	for range 2 {
		if _, err := m.Of(t.Context(), 9); err == nil {
			t.Error("a file that cannot be opened has a picture")
		}
	}
	if n := opens.Load(); n != 3 {
		t.Errorf("a failure of the moment was kept: %d opens", n)
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	for id := range core.VersionID(100) {
		m.keep(&entry{id: id, pic: Picture{Bytes: make([]byte, 1<<20)}})
	}
	if m.bytes > maxKept || len(m.kept) != m.order.Len() || m.kept[99] == nil || m.kept[0] != nil {
		t.Errorf("%d bytes of %d pictures are kept", m.bytes, len(m.kept))
	}
}

func FuzzAnyBytes(f *testing.F) {
	f.Add(asPNG(flag(3, 3)))
	f.Add(turned(asJPEG(flag(8, 8)), 6))
	f.Add([]byte(onePixel))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := of(b); err == nil && len(p.Bytes) == 0 {
			t.Error("a picture without bytes")
		}
	})
}

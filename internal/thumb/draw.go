package thumb

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	"github.com/minio/crc64nvme"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Width and Height are what a picture fits into.
const (
	Width   = 400
	Height  = 300
	quality = 80
	samples = 6 // of a pixel in each direction, at most
)

// draw decodes the body and makes it small.
func (h header) draw(ctx context.Context, body catalog.Body) (Picture, error) {
	sum := crc64nvme.New()
	r := io.TeeReader(&patient{ctx, body}, sum)
	src, bad := h.decode(r)
	if _, err := io.Copy(io.Discard, r); err != nil { // the checksum is of the whole file
		return Picture{}, ioFailed(err)
	}
	if crc := body.Version.CRC64; crc != 0 && sum.Sum64() != crc { // some stores tell no sum
		return Picture{}, errs.Newf(errs.Internal, errs.RecoverNeeded, "version %d is not what was uploaded", body.Version.ID).At("thumb.draw")
	}
	if bad != nil {
		return Picture{}, none("it is damaged").Because(bad)
	}
	seen, ok := src.(image.RGBA64Image)
	if b := src.Bounds(); !ok || int64(b.Dx())*int64(b.Dy()) > 2*h.width*h.height || b.Empty() {
		return Picture{}, none("it is not what its header says")
	}
	small, opaque := shrink(seen, h.turn)
	var out bytes.Buffer
	p := Picture{MIME: "image/jpeg"}
	var err error
	if opaque {
		err = jpeg.Encode(&out, small, &jpeg.Options{Quality: quality})
	} else {
		p.MIME = "image/png"
		err = png.Encode(&out, small)
	}
	p.Bytes = out.Bytes()
	return p, errs.As("thumb.draw", errs.Internal, errs.IOFailed, err)
}

// patient reads until ctx ends.
type patient struct {
	ctx context.Context //nolint:containedctx // a reader has no other way to be told
	r   io.Reader
}

// Read implements io.Reader.
func (p *patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.r.Read(b)
}

// shrink turns src as the camera was held and averages it down to what fits; a small
// one stays as large as it is.
func shrink(src image.RGBA64Image, turn int) (_ *image.NRGBA, opaque bool) {
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	turned := turn >= 5
	if turned {
		w, h = h, w
	}
	dw, dh := w, h
	if dw > Width {
		dw, dh = Width, max(1, h*Width/w)
	}
	if dh > Height {
		dw, dh = max(1, w*Height/h), Height
	}
	dst := image.NewNRGBA(image.Rect(0, 0, dw, dh))
	opaque = true
	for y := range dh {
		for x := range dw {
			r := image.Rect(x*w/dw, y*h/dh, max((x+1)*w/dw, x*w/dw+1), max((y+1)*h/dh, y*h/dh+1))
			c := average(src, held(r, turn, w, h).Add(b.Min))
			opaque = opaque && c.A == 0xffff
			dst.Set(x, y, c)
		}
	}
	return dst, opaque
}

// held is where in the picture as it was taken the rectangle r lies of the picture as
// it is seen, which has w by h pixels.
func held(r image.Rectangle, turn, w, h int) image.Rectangle {
	if turn == 2 || turn == 3 || turn == 6 || turn == 7 {
		r.Min.X, r.Max.X = w-r.Max.X, w-r.Min.X
	}
	if turn == 3 || turn == 4 || turn == 7 || turn == 8 {
		r.Min.Y, r.Max.Y = h-r.Max.Y, h-r.Min.Y
	}
	if turn >= 5 {
		r = image.Rect(r.Min.Y, r.Min.X, r.Max.Y, r.Max.X)
	}
	return r
}

// average looks at no more than a few pixels of each row and column of r.
func average(src image.RGBA64Image, r image.Rectangle) color.RGBA64 {
	var sum [4]uint64
	var n uint64
	stepX, stepY := 1+(r.Dx()-1)/samples, 1+(r.Dy()-1)/samples
	for y := r.Min.Y; y < r.Max.Y; y += stepY {
		for x := r.Min.X; x < r.Max.X; x += stepX {
			c := src.RGBA64At(x, y)
			for i, v := range [4]uint16{c.R, c.G, c.B, c.A} {
				sum[i] += uint64(v)
			}
			n++
		}
	}
	return color.RGBA64{R: uint16(sum[0] / n), G: uint16(sum[1] / n), B: uint16(sum[2] / n), A: uint16(sum[3] / n)}
}

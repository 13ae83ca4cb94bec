package account

import (
	"bytes"
	"context"
	"image"
	"image/color"
	_ "image/gif" // its first picture
	"image/jpeg"
	"image/png"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

const (
	// MaxPicture is what a picture may have that is sent, in bytes.
	MaxPicture = 4 << 20
	// maxPixels bounds what is decoded, one picture at a time: eight bytes a pixel
	// at most, 64 MiB.
	maxPixels = 8 << 20
	// side of the picture that is kept.
	pictureSide    = 256
	pictureQuality = 88
)

// SetPicture keeps a picture of the caller, decoded and encoded again: nothing of
// what was sent but its colours is ever served. None takes it away. JPEG, PNG and
// the first picture of a GIF are taken; Invalid/picture_bad.
func (k *Keeper) SetPicture(ctx context.Context, who core.Actor, sent []byte) error {
	const op = "account.SetPicture"
	if len(sent) == 0 {
		return errs.Wrap(op, k.Store.SetPicture(ctx, who.User, nil))
	}
	select {
	case k.drawing <- struct{}{}:
	case <-ctx.Done():
		return errs.Wrap(op, ctx.Err())
	}
	p, err := draw(sent)
	<-k.drawing
	if err != nil {
		return errs.Wrap(op, err)
	}
	p.At = k.now()
	return errs.Wrap(op, k.Store.SetPicture(ctx, who.User, &p))
}

// PictureOf returns the picture of a user; NotFound/picture_missing.
func (k *Keeper) PictureOf(ctx context.Context, user core.UserID) (Picture, error) {
	p, err := k.Store.Picture(ctx, user)
	return p, errs.Wrap("account.PictureOf", err)
}

// draw makes the picture that is kept.
func draw(sent []byte) (Picture, error) {
	const op = "account.draw"
	bad := func(why string, err error) error {
		return errs.Newf(errs.Invalid, errs.PictureBad, "%s", why).At(op).Because(err)
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(sent))
	if err != nil {
		return Picture{}, bad("This is no JPEG, PNG or GIF picture", err)
	}
	if c.Width < 1 || c.Height < 1 || int64(c.Width)*int64(c.Height) > maxPixels {
		return Picture{}, bad("A picture has at most 8 million pixels", nil)
	}
	src, _, err := image.Decode(bytes.NewReader(sent))
	if err != nil {
		return Picture{}, bad("The picture is damaged", err)
	}
	seen, ok := src.(image.RGBA64Image)
	if !ok { // all that image/… decodes to can
		return Picture{}, bad("The picture has colours of an unknown kind", nil)
	}
	dst, opaque := shrink(seen)
	var out bytes.Buffer
	p := Picture{MIME: "image/jpeg"}
	if opaque {
		err = jpeg.Encode(&out, dst, &jpeg.Options{Quality: pictureQuality})
	} else {
		p.MIME = "image/png"
		err = png.Encode(&out, dst)
	}
	p.Image = out.Bytes()
	return p, errs.As(op, errs.Internal, errs.IOFailed, err)
}

// shrink cuts the square from the middle and averages it down; a small one stays
// as large as it is.
func shrink(src image.RGBA64Image) (_ *image.NRGBA64, opaque bool) {
	b := src.Bounds()
	cut := min(b.Dx(), b.Dy())
	from := image.Pt(b.Min.X+(b.Dx()-cut)/2, b.Min.Y+(b.Dy()-cut)/2)
	side := min(cut, pictureSide)
	dst := image.NewNRGBA64(image.Rect(0, 0, side, side))
	opaque = true
	for y := range side {
		for x := range side {
			at := average(src, image.Rect(x*cut/side, y*cut/side, (x+1)*cut/side, (y+1)*cut/side).Add(from))
			opaque = opaque && at.A == 0xffff
			dst.Set(x, y, at)
		}
	}
	return dst, opaque
}

func average(src image.RGBA64Image, r image.Rectangle) color.RGBA64 {
	var sum [4]uint64
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := src.RGBA64At(x, y)
			for i, v := range [4]uint16{c.R, c.G, c.B, c.A} {
				sum[i] += uint64(v)
			}
		}
	}
	n := uint64(r.Dx() * r.Dy())
	return color.RGBA64{R: uint16(sum[0] / n), G: uint16(sum[1] / n), B: uint16(sum[2] / n), A: uint16(sum[3] / n)}
}

package thumb

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"slices"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// format is how a kind of picture is read.
type format struct {
	magic  string
	header func(*header, *bufio.Reader) error // finds what config does not tell; may be nil
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

// formats know their files by how they begin, whatever their names say.
var formats = []format{
	{"\xff\xd8", (*header).jpeg, jpeg.DecodeConfig, jpeg.Decode},
	{"\x89PNG\r\n\x1a\n", (*header).png, png.DecodeConfig, png.Decode},
	{"GIF8", nil, gif.DecodeConfig, gif.Decode},
	{"RIFF", (*header).webp, webp.DecodeConfig, webp.Decode},
	{"BM", nil, bmp.DecodeConfig, bmp.Decode},
}

// header is what a file says of itself before its pixels.
type header struct {
	format
	width, height int64
	perPixel      int64 // bytes that decoding takes for a pixel, at most
	turn          int   // 1 to 8, as EXIF numbers them; 0 unknown
}

func (h header) memory() int64 { return h.width * h.height * h.perPixel }

// look reads the header and goes back to the start.
func look(body io.ReadSeeker) (h header, err error) {
	r := bufio.NewReader(body)
	begin, err := r.Peek(16)
	if err != nil && len(begin) == 0 {
		return h, ioFailed(err)
	}
	i := slices.IndexFunc(formats, func(f format) bool { return strings.HasPrefix(string(begin), f.magic) })
	if i < 0 {
		return h, none("it is no JPEG, PNG, GIF, WebP or BMP")
	}
	h = header{format: formats[i], perPixel: 4}
	if h.header != nil {
		if err := h.header(&h, r); err != nil {
			return h, none("its header is damaged").Because(err)
		}
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return h, ioFailed(err)
	}
	c, err := h.config(bufio.NewReader(body))
	if err != nil {
		return h, none("its header is damaged").Because(err)
	}
	h.width, h.height = max(h.width, int64(c.Width)), max(h.height, int64(c.Height))
	if h.width < 1 || h.height < 1 || h.width > 1<<16 || h.height > 1<<16 {
		return h, none("it has %d by %d pixels", h.width, h.height)
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return h, ioFailed(err)
	}
	return h, nil
}

// png finds how many bits a colour has, and whether the picture is put together of
// parts at the end.
func (h *header) png(r *bufio.Reader) error {
	b, err := r.Peek(29)
	if err != nil {
		return err
	}
	if b[24] == 16 {
		h.perPixel = 8
	}
	if b[28] != 0 {
		h.perPixel *= 2
	}
	return nil
}

// webp finds the largest of the sizes that the parts of a file give: that of the
// canvas says nothing of what is decoded.
func (h *header) webp(r *bufio.Reader) error {
	if _, err := r.Discard(12); err != nil {
		return err
	}
	for range 1000 {
		b, err := r.Peek(18)
		if len(b) < 8 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		size := int64(binary.LittleEndian.Uint32(b[4:]))
		part := string(b[:4])
		b = append(bytes.Clone(b[8:]), make([]byte, 10)...)
		switch part {
		case "VP8X":
			h.atLeast(1+le24(b[4:]), 1+le24(b[7:]))
		case "VP8 ":
			h.atLeast(int64(binary.LittleEndian.Uint16(b[6:])&0x3fff), int64(binary.LittleEndian.Uint16(b[8:])&0x3fff))
		case "VP8L":
			bits := binary.LittleEndian.Uint32(b[1:])
			h.atLeast(1+int64(bits&0x3fff), 1+int64(bits>>14&0x3fff))
			h.perPixel = 12
		case "ALPH":
			h.perPixel = 12
		}
		if _, err := io.CopyN(io.Discard, r, 8+size+size&1); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return errs.New(errs.Invalid, errs.NoThumb)
}

func le24(b []byte) int64 { return int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16 }

func (h *header) atLeast(w, hgt int64) { h.width, h.height = max(h.width, w), max(h.height, hgt) }

func ioFailed(err error) error {
	return errs.As("thumb.look", errs.Transient, errs.IOFailed, err)
}

// Markers of JPEG.
const (
	markerSOF0 = 0xc0
	markerSOF2 = 0xc2 // progressive: all coefficients are held until the end
	markerSOS  = 0xda
	markerAPP1 = 0xe1
)

// jpeg reads the segments up to the one that says how large the picture is, as
// image/jpeg reads them: it must see the same.
func (h *header) jpeg(r *bufio.Reader) error {
	if _, err := r.Discard(2); err != nil {
		return err
	}
	for range 1000 {
		marker, size, err := segment(r)
		switch {
		case err != nil:
			return err
		case marker >= markerSOF0 && marker <= markerSOF2:
			if marker == markerSOF2 {
				h.perPixel *= 5 // a coefficient has four bytes
			}
			return nil
		case marker == markerSOS:
			return errs.New(errs.Invalid, errs.NoThumb)
		case marker == markerAPP1 && h.turn == 0:
			b := make([]byte, size)
			if _, err := io.ReadFull(r, b); err != nil {
				return err
			}
			h.turn = orientation(b)
		default:
			if _, err := r.Discard(size); err != nil {
				return err
			}
		}
	}
	return errs.New(errs.Invalid, errs.NoThumb)
}

// segment reads the beginning of one: its marker, and how many bytes follow.
func segment(r *bufio.Reader) (marker byte, size int, err error) {
	var b [2]byte
	for {
		for b[0] != 0xff { // what lies between segments is passed over
			if b[0], err = r.ReadByte(); err != nil {
				return 0, 0, err
			}
		}
		if b[1], err = r.ReadByte(); err != nil {
			return 0, 0, err
		}
		if b[1] != 0 {
			break
		}
		b[0] = 0
	}
	for b[1] == 0xff {
		if b[1], err = r.ReadByte(); err != nil {
			return 0, 0, err
		}
	}
	switch marker = b[1]; {
	case marker >= 0xd0 && marker <= 0xd7:
		return marker, 0, nil
	case marker == 0xd9:
		return 0, 0, io.ErrUnexpectedEOF
	}
	if _, err = io.ReadFull(r, b[:]); err != nil {
		return 0, 0, err
	}
	if size = int(binary.BigEndian.Uint16(b[:])) - 2; size < 0 {
		return 0, 0, io.ErrUnexpectedEOF
	}
	return marker, size, nil
}

// orientation finds in an EXIF segment how the camera was held; 0 if it does not say.
func orientation(b []byte) int {
	const begin, tag = "Exif\x00\x00", 0x0112
	if !strings.HasPrefix(string(b), begin) || len(b) < len(begin)+8 {
		return 0
	}
	b = b[len(begin):]
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 0
	}
	n, b := int(order.Uint16(b[at:])), b[at+2:]
	for ; n > 0 && len(b) >= 12; n, b = n-1, b[12:] {
		if order.Uint16(b) == tag {
			if v := int(order.Uint16(b[8:])); v >= 1 && v <= 8 {
				return v
			}
			return 0
		}
	}
	return 0
}

package batch

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// The bounds of one request.
const (
	MaxFiles    = 4096
	MaxManifest = 4 << 20  // bytes of its line
	MaxBytes    = 64 << 20 // of all frames, headers not counted
)

// ReadManifest reads the first line. What is behind it stays in r.
func ReadManifest(r *bufio.Reader) (wire.BatchManifest, error) {
	const op = "batch.ReadManifest"
	var m wire.BatchManifest
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > MaxManifest {
			return m, errs.Newf(errs.Invalid, errs.TooMany, "The manifest has more than %d bytes.", MaxManifest).At(op)
		}
		line = append(line, part...)
		if err == nil {
			break
		}
		if errors.Is(err, io.EOF) {
			return m, errs.Newf(errs.Invalid, errs.BadParam, "The manifest does not end with a line feed.").At(op)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return m, errs.As(op, errs.Transient, errs.ChunkShort, err)
		}
	}
	if err := json.Unmarshal(line, &m); err != nil {
		return m, errs.Newf(errs.Invalid, errs.BadParam, "The manifest is not one line of JSON as described.").At(op).Because(err)
	}
	if len(m.Files) > MaxFiles {
		return m, errs.Newf(errs.Invalid, errs.TooMany, "The manifest names %d files, more than %d.", len(m.Files), MaxFiles).At(op)
	}
	return m, nil
}

// Frame is the header of one.
type Frame struct {
	Index  int
	Size   int64
	Unread bool // the client could not read the file: no bytes follow
}

// maxHeader is the longest header: an index, a blank, a length and a line feed.
const maxHeader = len("4095 ") + len("67108864\n")

// ReadFrame reads one header; io.EOF where a header would begin is the end.
func ReadFrame(r io.ByteReader) (Frame, error) {
	const op = "batch.ReadFrame"
	var text [maxHeader]byte
	for n := range text {
		c, err := r.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && n == 0:
			return Frame{}, io.EOF
		case err != nil:
			return Frame{}, broken(op, err)
		case c == '\n':
			f, ok := parseFrame(string(text[:n]))
			if !ok {
				return f, badFrame(op)
			}
			return f, nil
		}
		text[n] = c
	}
	return Frame{}, badFrame(op)
}

func badFrame(op string) error {
	return errs.Newf(errs.Invalid, errs.BadParam, "What follows is not the header of a frame: index, blank, length, line feed.").At(op)
}

func parseFrame(text string) (f Frame, ok bool) {
	index, length, ok := strings.Cut(text, " ")
	i, fine := number(index)
	if !ok || !fine || i >= MaxFiles {
		return f, false
	}
	f.Index = int(i)
	if length == "-" {
		f.Unread = true
		return f, true
	}
	f.Size, ok = number(length)
	return f, ok && f.Size <= MaxBytes
}

// number reads decimal digits, and nothing that is spelled in another way.
func number(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0 && strconv.FormatInt(n, 10) == text
}

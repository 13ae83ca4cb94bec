package search

import (
	"math"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// maxTerms is how many names and metadata one search may name.
const maxTerms = 32

// Terms is what a node must be.
type Terms struct {
	names    []pattern
	anyName  bool // one of names is enough
	fold     bool
	kind     *catalog.Kind
	suffixes []string
	meta     []metaTerm
	ranges   []span
}

// pattern is pieces of text that a name has in this order.
type pattern []string

type metaTerm struct {
	key, text string
	exact     bool
}

// span is a range of a number of a node, both ends in it.
type span struct {
	of       func(*catalog.Node) int64
	from, to int64
	files    bool // of files alone
}

// categories are the name extensions of a kind of content.
var categories = map[string][]string{
	"image":    {"3fr", "apng", "arw", "avif", "bmp", "cr2", "cr3", "dng", "gif", "heic", "heif", "ico", "jfif", "jpeg", "jpg", "jxl", "nef", "orf", "png", "psd", "raf", "raw", "rw2", "svg", "tif", "tiff", "webp"},
	"video":    {"3gp", "avi", "flv", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "ogv", "rm", "rmvb", "ts", "vob", "webm", "wmv"},
	"audio":    {"aac", "aiff", "ape", "flac", "m4a", "mid", "midi", "mp3", "oga", "ogg", "opus", "wav", "wma"},
	"document": {"csv", "doc", "docx", "epub", "md", "mobi", "odp", "ods", "odt", "pdf", "ppt", "pptx", "rtf", "txt", "xls", "xlsx"},
}

// numbers are the ranges by their names on the wire, without _gte and _lte. unit is
// how much of the node's number is one of the wire's.
var numbers = []struct {
	name  string
	of    func(*catalog.Node) int64
	unit  int64
	files bool
}{
	{"size", func(n *catalog.Node) int64 { return n.Size }, 1, true},
	{"created", func(n *catalog.Node) int64 { return n.Created.UnixMicro() }, int64(time.Second / time.Microsecond), false},
	{"updated", func(n *catalog.Node) int64 { return n.Updated.UnixMicro() }, int64(time.Second / time.Microsecond), false},
}

// Parse reads the query of a file URI; nil when it asks for nothing that is known
// here. Invalid/bad_param for a value that is none.
func Parse(q url.Values) (*Terms, error) {
	const op = "search.Parse"
	t := &Terms{anyName: q.Has("use_or") || q.Has("name_op_or"), fold: q.Has("case_folding")}
	for _, text := range q["name"] {
		if p := t.pattern(text); p != nil {
			t.names = append(t.names, p)
		}
	}
	if err := t.kinds(q); err != nil {
		return nil, errs.Wrap(op, err)
	}
	for key, values := range q {
		name, exact := strings.CutPrefix(key, "exact_meta_")
		if !exact {
			var ok bool
			if name, ok = strings.CutPrefix(key, "meta_"); !ok {
				continue
			}
		}
		t.meta = append(t.meta, metaTerm{key: name, text: values[0], exact: exact})
	}
	for _, n := range numbers {
		if err := t.span(q, n.name, span{of: n.of, files: n.files}, n.unit); err != nil {
			return nil, errs.Wrap(op, err)
		}
	}
	switch {
	case len(t.names)+len(t.meta) > maxTerms:
		return nil, errs.Newf(errs.Invalid, errs.BadParam, "A search may name %d things at most", maxTerms).At(op)
	case len(t.names)+len(t.meta)+len(t.ranges)+len(t.suffixes) == 0 && t.kind == nil:
		return nil, nil
	}
	return t, nil
}

// pattern reads one name: "…" is taken as it is, else * stands for any text. A name
// without letters asks for nothing.
func (t *Terms) pattern(text string) (p pattern) {
	pieces := []string{text}
	if n := len(text); n >= 2 && text[0] == '"' && text[n-1] == '"' {
		pieces[0] = text[1 : n-1]
	} else {
		pieces = strings.Split(text, "*")
	}
	for _, piece := range pieces {
		if piece != "" {
			p = append(p, t.folded(catalog.NameKey(piece)))
		}
	}
	return p
}

func (t *Terms) folded(s string) string {
	if t.fold {
		return fold(s)
	}
	return s
}

// fold makes texts equal that differ in case.
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

func (t *Terms) kinds(q url.Values) error {
	file, folder := catalog.File, catalog.Folder
	switch q.Get("type") {
	case "":
	case "file":
		t.kind = &file
	case "folder":
		t.kind = &folder
	default:
		return errs.Newf(errs.Invalid, errs.BadParam, "type is file or folder")
	}
	if c := q.Get("category"); c != "" {
		if t.suffixes = categories[c]; t.suffixes == nil {
			return errs.Newf(errs.Invalid, errs.BadParam, "category is image, video, audio or document")
		}
	}
	return nil
}

const most = 1 << 53 // of a range, in the units of a node

func (t *Terms) span(q url.Values, name string, s span, unit int64) error {
	s.from, s.to = math.MinInt64, math.MaxInt64
	for _, end := range []struct {
		key string
		set func(int64)
	}{
		{name + "_gte", func(v int64) { s.from = v * unit }},
		{name + "_lte", func(v int64) { s.to = v*unit + unit - 1 }},
	} {
		text := q.Get(end.key)
		if text == "" {
			continue
		}
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v > most/unit || v < -most/unit {
			return errs.Newf(errs.Invalid, errs.BadParam, "%s is a whole number", end.key)
		}
		end.set(v)
	}
	if s.from != math.MinInt64 || s.to != math.MaxInt64 {
		t.ranges = append(t.ranges, s)
	}
	return nil
}

// Match reports whether n is what is asked for.
func (t *Terms) Match(n *catalog.Node) bool {
	if t.kind != nil && n.Kind != *t.kind {
		return false
	}
	for _, s := range t.ranges {
		if v := s.of(n); v < s.from || v > s.to || s.files && n.Kind != catalog.File {
			return false
		}
	}
	if t.suffixes != nil {
		ext := strings.TrimPrefix(strings.ToLower(path.Ext(n.Name)), ".")
		if n.Kind != catalog.File || !slices.Contains(t.suffixes, ext) {
			return false
		}
	}
	return t.matchName(n) && t.matchMeta(n)
}

func (t *Terms) matchName(n *catalog.Node) bool {
	if len(t.names) == 0 {
		return true
	}
	name := t.folded(n.Key)
	for _, p := range t.names {
		if p.in(name) == t.anyName {
			return t.anyName
		}
	}
	return !t.anyName
}

func (p pattern) in(name string) bool {
	for _, piece := range p {
		_, rest, ok := strings.Cut(name, piece)
		if !ok {
			return false
		}
		name = rest
	}
	return true
}

func (t *Terms) matchMeta(n *catalog.Node) bool {
	if len(t.meta) == 0 {
		return true
	}
	has := n.Shown()
	for _, m := range t.meta {
		value, ok := has[m.key]
		switch {
		case !ok:
			return false
		case m.exact && value != m.text:
			return false
		case !m.exact && !strings.Contains(fold(value), fold(m.text)):
			return false
		}
	}
	return true
}

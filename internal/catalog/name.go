package catalog

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// MaxName is how many bytes a name may have.
const MaxName = 255

// forbidden are the characters that no name holds, because some client's file
// system or some protocol gives them a meaning (contract, envelope.md 1.5).
const forbidden = `\/:*?"<>|`

// CheckName returns Invalid/name_rejected unless name may stand in a folder.
func CheckName(name string) error {
	const op = "catalog.CheckName"
	if why := nameDefect(name); why != "" {
		return errs.Newf(errs.Invalid, errs.NameRejected, "The name %s.", why).At(op)
	}
	return nil
}

func nameDefect(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > MaxName:
		return "is longer than 255 bytes"
	case name == "." || name == "..":
		return "has a meaning of its own"
	case !utf8.ValidString(name):
		return "is not valid UTF-8"
	case strings.ContainsAny(name, forbidden):
		return `holds one of \ / : * ? " < > |`
	case strings.HasSuffix(name, " ") || strings.HasSuffix(name, "."):
		// Windows drops both, so two names would meet in one file there.
		return "ends with a space or a dot"
	}
	for _, r := range name {
		if r == utf8.RuneError {
			// What a JSON decoder leaves of bytes that were not UTF-8.
			return "is not valid UTF-8"
		}
		if isControl(r) {
			return "holds a control or text direction character"
		}
	}
	return ""
}

// isControl names C0, DEL, C1 and the bidirectional controls that can make a
// name read as another (Unicode TR36 §2.1).
func isControl(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r <= 0x9f:
		return true
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x061c:
		return true
	case r == 0x2028, r == 0x2029:
		return true
	}
	return false
}

// invisible are characters that do not show: names that differ only in them are
// one name.
var invisible = strings.NewReplacer("\u200b", "", "\u200c", "", "\u200d", "", "\u2060", "", "\ufeff", "", "\u00ad", "")

// NameKey is what makes names equal: NFC without invisible characters. Case
// counts.
func NameKey(name string) string {
	key := norm.NFC.String(invisible.Replace(name))
	if key == "" {
		return name
	}
	return key
}

// EmailKey is what makes addresses equal: trimmed, NFKC, lower case.
func EmailKey(email string) string {
	return strings.ToLower(norm.NFKC.String(strings.TrimSpace(email)))
}

// extension is the last one of a name, in lower case and without its dot.
func extension(name string) string { return strings.ToLower(strings.TrimPrefix(path.Ext(name), ".")) }

// CheckFileName returns Invalid/name_rejected unless the policy takes a file of
// that name: the last extension against the suffix lists, in lower case and
// without its dot, and the whole name against the RE2 expressions.
func (p Policy) CheckFileName(name string) error {
	const op = "catalog.Policy.CheckFileName"
	suffix := extension(name)
	no := func(why string) error {
		return errs.Newf(errs.Invalid, errs.NameRejected, "The storage policy %q does not take this file: %s.", p.Name, why).At(op)
	}
	switch {
	case len(p.AllowedSuffix) > 0 && !slices.Contains(p.AllowedSuffix, suffix):
		return no("its extension is not on the list")
	case slices.Contains(p.DeniedSuffix, suffix):
		return no("its extension is on the list of refused ones")
	}
	for _, rule := range []struct {
		re   string
		want bool
	}{{p.AllowedName, true}, {p.DeniedName, false}} {
		if rule.re == "" {
			continue
		}
		re, err := regexp.Compile(rule.re)
		if err != nil {
			return errs.Newf(errs.Internal, errs.PolicyUse, "A name rule of storage policy %q is not a valid expression.", p.Name).At(op).Because(err)
		}
		if re.MatchString(name) != rule.want {
			return no("its name is against a rule")
		}
	}
	return nil
}

// CheckSize returns TooLarge/file_too_large when a file of size bytes is over
// the policy's limit.
func (p Policy) CheckSize(size int64) error {
	const op = "catalog.Policy.CheckSize"
	if p.MaxSize > 0 && size > p.MaxSize {
		return errs.Newf(errs.TooLarge, errs.FileTooLarge, "The file has %d bytes; storage policy %q takes %d.", size, p.Name, p.MaxSize).At(op)
	}
	return nil
}

// Meta limits: what a client may attach to one file.
const (
	maxMetaEntries = 256
	maxMetaBytes   = 64 << 10
)

// metaCategories a client may set itself. sys: is the server's own.
var metaCategories = []string{"dav", "thumb", "customize", "tag", "props"}

var colour = regexp.MustCompile(`^(#[0-9a-fA-F]{3,8}|[a-zA-Z]{1,32}|(rgb|rgba|hsl|hsla)\([0-9.,%/ ]{1,64}\))?$`)

// CheckMeta returns Invalid/bad_param unless a client may set these entries.
// The notes are those that clients of the contract know (envelope.md 1.9).
func CheckMeta(meta map[string]string) error {
	const op = "catalog.CheckMeta"
	if len(meta) > maxMetaEntries {
		return errs.Newf(errs.Invalid, errs.BadParam, "Metadata too long").At(op)
	}
	var n int
	for k, v := range meta {
		category, name, ok := strings.Cut(k, ":")
		if !ok || category == "" || name == "" || len(k) > MaxName || !utf8.ValidString(k) {
			return errs.Newf(errs.Invalid, errs.BadParam, "Invalid metadata key").At(op)
		}
		if !slices.Contains(metaCategories, category) || category == "tag" && !colour.MatchString(v) {
			return errs.Newf(errs.Invalid, errs.BadParam, "Invalid metadata patch").At(op)
		}
		if n += len(k) + len(v); n > maxMetaBytes {
			return errs.Newf(errs.Invalid, errs.BadParam, "Metadata too long").At(op)
		}
	}
	return nil
}

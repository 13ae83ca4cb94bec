package wire_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
)

// kinds are the placeholders that stand for any value of a kind, with the
// pattern of its text; none for kinds that are not strings.
var kinds = map[string]string{
	"any": `[\s\S]*`, "string": `[\s\S]*`, "text": `[\s\S]+`,
	"uuid":   `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`,
	"time":   `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)`,
	"id":     `[A-Za-z0-9]+`,
	"int":    `-?\d+`,
	"digest": `crc64nvme=:[A-Za-z0-9+/]{11}=:(?:, sha-256=:[A-Za-z0-9+/]{43}=:)?`,
	"bool":   "", "list": "", "object": "", "absent": "",
}

var placeholder = regexp.MustCompile(`\$\{(?:=([^}]*)|(?:(\w+):)?(\w+))\}`)

// values are what a case has kept so far.
type values map[string]string

// expand replaces what is known and leaves ${kind} and ${name:kind} as it is.
// quote makes a value fit where it is put.
func (v values) expand(s string, quote func(string) string) (string, error) {
	var bad error
	out := placeholder.ReplaceAllStringFunc(s, func(m string) string {
		parts := placeholder.FindStringSubmatch(m)
		switch expr, keep, name := parts[1], parts[2], parts[3]; {
		case expr != "":
			n, err := v.calc(expr)
			if err != nil {
				bad = err
			}
			return strconv.FormatInt(n, 10)
		case keep != "" || isKind(name):
			return m
		default:
			value, ok := v[name]
			if !ok {
				bad = fmt.Errorf("${%s} is not known", name)
			}
			return quote(value)
		}
	})
	return out, bad
}

func isKind(name string) bool {
	_, ok := kinds[name]
	return ok
}

func plain(s string) string { return s }

func inJSON(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text[1 : len(text)-1])
}

// calc works out sums, differences and products of numbers and names.
func (v values) calc(expr string) (int64, error) {
	if i := strings.LastIndexAny(expr, "+-"); i > 0 {
		a, err := v.calc(expr[:i])
		if err != nil {
			return 0, err
		}
		b, err := v.calc(expr[i+1:])
		if expr[i] == '-' {
			b = -b
		}
		return a + b, err
	}
	if i := strings.LastIndexByte(expr, '*'); i > 0 {
		a, err := v.calc(expr[:i])
		if err != nil {
			return 0, err
		}
		b, err := v.calc(expr[i+1:])
		return a * b, err
	}
	if known, ok := v[expr]; ok {
		expr = known
	}
	return strconv.ParseInt(expr, 10, 64)
}

// generated is a body of n bytes, the same for the same seed.
func generated(n int64, seed string) []byte {
	h := fnv.New64a()
	h.Write([]byte(seed))
	var key [32]byte
	copy(key[:], strconv.FormatUint(h.Sum64(), 16))
	b := make([]byte, n)
	if _, err := rand.NewChaCha8(key).Read(b); err != nil {
		panic(err)
	}
	return b
}

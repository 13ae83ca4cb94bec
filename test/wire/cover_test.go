package wire_test

import (
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
)

// cannotFail are the operations that refuse nothing: they take no parameters
// that could be wrong, or read wrong ones as the default.
var cannotFail = []string{"ping", "getSiteConfig", "getOpenAPI", "optionsContent"}

// cannotSucceed are the operations whose success needs more than a request: a
// browser at an address with a name: TestAPasskeyFromRegistrationToRemoval is
// theirs. Or a store: TestAnUploadStraightToTheBucketIsConfirmedByTheStore and
// TestAnUploadGoesOnWithFreshAddressesAndWhatTheStoreHas. Or it
// has no end: TestASecondWindowLearnsOfWhatTheFirstDoes. createDavAccount only
// refuses until there is WebDAV. Or work that takes long:
// TestALargeCopyIsCancelledAndLeavesNothing. Or a bucket:
// TestABucketThatLacksNothingPassesAfterItsCORSRuleIsSet.
var cannotSucceed = []string{"listenEvents", "askPasskey", "createTokenByPasskey", "offerPasskey", "addPasskey", "deletePasskey", "callByClient", "callByStore", "listUploadAddresses", "createDavAccount", "cancelWorkflow", "adminAllowOrigin"}

func TestEveryOperationHasASuccessAndAFailure(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	good, bad := map[string]int{}, map[string]int{}
	for _, th := range loadThemes(t) {
		for _, g := range th.cases {
			for _, s := range g.steps {
				if s.order != nil {
					continue
				}
				op := c.operation(s.method, pathOf(s.path))
				if op == nil {
					continue
				}
				if s.want.succeeds() {
					good[op.OperationID]++
				} else {
					bad[op.OperationID]++
				}
			}
		}
	}
	for _, item := range c.doc.Paths.Map() {
		for _, op := range item.Operations() {
			id := op.OperationID
			if good[id] == 0 && !slices.Contains(cannotSucceed, id) {
				t.Errorf("%s: no case in which it succeeds", id)
			}
			if bad[id] == 0 && !slices.Contains(cannotFail, id) {
				t.Errorf("%s: no case in which it fails", id)
			}
			if bad[id] > 0 && slices.Contains(cannotFail, id) || good[id] > 0 && slices.Contains(cannotSucceed, id) {
				t.Errorf("%s: the exception is not needed", id)
			}
		}
	}
	t.Logf("%d operations", len(slices.Collect(maps.Keys(good))))
}

// pathOf is the path of a step as a pattern is matched with it: placeholders
// are no separators, and the address of a content is told by its name.
func pathOf(path string) string {
	if path == "${zip}" {
		return "/file/archive/x/archive.zip"
	}
	if path == "${link}" {
		return "/file/source/x/n"
	}
	if path == "${thumb}" {
		return "/file/thumb/e"
	}
	if path == "${url}" || path == "${location}" || path == "${a}" || path == "${b}" {
		return "/file/content/e/0/n"
	}
	path, _, _ = strings.Cut(path, "?")
	if plain, err := url.PathUnescape(path); err == nil && strings.Count(plain, "/") == strings.Count(path, "/") {
		return plain
	}
	return path
}

func (w want) succeeds() bool {
	switch {
	case w.verb != "":
		return w.verb == "done"
	case w.status >= "400":
		return false
	case strings.HasPrefix(w.body, "{"):
		return strings.HasPrefix(w.body, `{"code":0,`) || !strings.HasPrefix(w.body, `{"code":`)
	}
	// A content is never JSON: then the address was refused.
	return !slices.ContainsFunc(w.header, func(h [2]string) bool {
		return h[0] == "Content-Type" && strings.HasPrefix(h[1], "application/json")
	})
}

// TestEveryCallOfTheWebClientIsServed: what is described has its cases by
// TestEveryOperationHasASuccessAndAFailure.
func TestEveryCallOfTheWebClientIsServed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/surface.txt")
	if err != nil {
		t.Fatal(err)
	}
	c, calls := newChecker(t), 0
	for line := range strings.Lines(string(text)) {
		need, call, _ := strings.Cut(strings.TrimSpace(line), " ")
		if need == "#" {
			continue
		}
		calls++
		method, path, ok := strings.Cut(call, " ")
		if !ok || need != "R" && need != "D" {
			t.Fatalf("surface.txt: %q", line)
		}
		if c.operation(method, path) == nil {
			t.Errorf("%s is not described", call)
		}
	}
	t.Logf("%d calls", calls)
}

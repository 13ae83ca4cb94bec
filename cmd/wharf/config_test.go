package main

import "testing"

func TestExcludePatterns(t *testing.T) {
	t.Parallel()
	out, err := excluder([]string{"*.tmp", "build/", "a/*.log", "/top"})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		rel    string
		folder bool
		want   bool
	}{
		{"x.tmp", false, true},
		{"d/e/x.tmp", false, true},
		{"x.tmpx", false, false},
		{"build", true, true},
		{"d/build", true, true},
		{"build", false, false},
		{"a/x.log", false, true},
		{"b/x.log", false, false},
		{"a/b/x.log", false, false},
		{"top", false, true},
		{"d/top", false, false},
	} {
		if got := out(k.rel, k.folder); got != k.want {
			t.Errorf("%s (folder: %v): %v, want %v", k.rel, k.folder, got, k.want)
		}
	}
	if _, err := excluder([]string{"["}); err == nil {
		t.Error("[ is accepted")
	}
}

func TestNamesThatATerminalWouldObeyAreQuoted(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a b.txt": "a b.txt", "näme": "näme", "\x1b[2J": `"\x1b[2J"`, "a\nb": `"a\nb"`, "\xff": `"\xff"`, "\u202Egpj.exe": `"\u202egpj.exe"`,
	} {
		if got := show(in); got != want {
			t.Errorf("%q is shown as %s, want %s", in, got, want)
		}
	}
}

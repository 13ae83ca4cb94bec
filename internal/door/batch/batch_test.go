package batch_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/wharfinger/wharfinger/internal/door/batch"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// record is a Work that keeps in memory.
type record struct {
	mu      sync.Mutex
	kept    map[int]string
	refused map[int]error
	groups  []int
}

func (r *record) work(sizes ...int64) batch.Work {
	r.kept, r.refused = map[int]string{}, map[int]error{}
	return batch.Work{
		Sizes: sizes,
		Keep: func(_ context.Context, files []batch.Body) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.groups = append(r.groups, len(files))
			for _, f := range files {
				r.kept[f.Index] = string(f.Bytes)
			}
		},
		Refuse: func(i int, err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.refused[i] != nil {
				panic("refused twice")
			}
			r.refused[i] = err
		},
	}
}

func TestFramesAreReadAsTheyCome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		sizes      []int64
		want       errs.Reason // of the whole
		kept       string      // indices
		refused    string
	}{
		{"in any order", "1 3\nyou0 2\nhi", []int64{2, 3}, "", "01", ""},
		{"nothing to come", "", nil, "", "", ""},
		{"an empty file", "0 0\n", []int64{0}, "", "0", ""},
		{"one that the client could not read", "0 -\n1 3\nyou", []int64{2, 3}, "", "1", "0"},
		{"one that never comes", "1 3\nyou", []int64{2, 3}, "", "1", "0"},
		{"another length", "0 5\nhello1 3\nyou", []int64{2, 3}, "", "1", "0"},
		{"one that was refused comes all the same", "0 2\nhi1 3\nyou", []int64{batch.Refused, 3}, "", "1", ""},
		{"one that was refused does not come", "1 3\nyou", []int64{batch.Refused, 3}, "", "1", ""},
		{"unknown index", "0 2\nhi2 1\nx", []int64{2, 3}, errs.BadParam, "0", ""},
		{"doubled", "0 2\nhi0 2\nhi", []int64{2, 3}, errs.BadParam, "0", ""},
		{"cut in a body", "0 2\nhi1 3\ny", []int64{2, 3}, errs.ChunkShort, "0", ""},
		{"cut in a header", "0 2\nhi1 ", []int64{2, 3}, errs.ChunkShort, "0", ""},
		{"negative length", "0 -2\n", []int64{2}, errs.BadParam, "", ""},
		{"negative index", "-0 2\n", []int64{2}, errs.BadParam, "", ""},
		{"signs", "+0 2\nhi", []int64{2}, errs.BadParam, "", ""},
		{"zeros in front", "00 2\nhi", []int64{2}, errs.BadParam, "", ""},
		{"CR LF", "0 2\r\nhi", []int64{2}, errs.BadParam, "", ""},
		{"garbage", strings.Repeat("x", 1<<20), []int64{2}, errs.BadParam, "", ""},
		{"a length that no request has", "0 99999999999999\n", []int64{2}, errs.BadParam, "", ""},
		{"more than a request takes", "0 67108864\n", []int64{2}, errs.ChunkShort, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var r record
			err := batch.Run(t.Context(), bufio.NewReader(strings.NewReader(c.body)), r.work(c.sizes...))
			if errs.ReasonOf(err) != c.want || (err == nil) != (c.want == "") {
				t.Errorf("got %v, want %q", err, c.want)
			}
			var kept, refused string
			for i := range c.sizes {
				if _, ok := r.kept[i]; ok {
					kept += fmt.Sprint(i)
				}
				if r.refused[i] != nil {
					refused += fmt.Sprint(i)
				}
			}
			if kept != c.kept || refused != c.refused {
				t.Errorf("kept %q, refused %q; want %q, %q", kept, refused, c.kept, c.refused)
			}
		})
	}
}

func TestManifestsAreBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want errs.Reason
	}{
		"good":            {`{"files":[{"uri":"a","size":1}]}` + "\nrest", ""},
		"no files":        {"{}\n", ""},
		"no line feed":    {`{"files":[]}`, errs.BadParam},
		"empty":           {"", errs.BadParam},
		"not JSON":        {"hello\n", errs.BadParam},
		"wrong type":      {`{"files":[{"uri":"a","size":"1"}]}` + "\n", errs.BadParam},
		"a size too far":  {`{"files":[{"uri":"a","size":99999999999999999999}]}` + "\n", errs.BadParam},
		"too many files":  {`{"files":[{}` + strings.Repeat(",{}", batch.MaxFiles) + "]}\n", errs.TooMany},
		"too many bytes":  {strings.Repeat(" ", batch.MaxManifest+1) + "\n", errs.TooMany},
		"never ends":      {strings.Repeat("[", 300<<20>>3), errs.TooMany},
		"nested too deep": {`{"files":` + strings.Repeat("[", 100_000) + "\n", errs.BadParam},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := bufio.NewReader(strings.NewReader(c.text))
			_, err := batch.ReadManifest(r)
			if errs.ReasonOf(err) != c.want || (err == nil) != (c.want == "") {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if rest, _ := io.ReadAll(r); name == "good" && string(rest) != "rest" {
				t.Errorf("behind the manifest is %q", rest)
			}
		})
	}
}

func TestWhatComesWhileAGroupIsStoredIsTheNextGroup(t *testing.T) {
	t.Parallel()
	in, out := io.Pipe()
	var r record
	w := r.work(1, 1, 1)
	first, more := make(chan struct{}), make(chan struct{})
	keep := w.Keep
	var once sync.Once
	w.Keep = func(ctx context.Context, files []batch.Body) {
		once.Do(func() { close(first); <-more })
		keep(ctx, files)
	}
	go func() {
		_, _ = io.WriteString(out, "0 1\na")
		<-first
		_, _ = io.WriteString(out, "1 1\nb2 1\nc")
		_ = out.Close()
		close(more)
	}()
	if err := batch.Run(t.Context(), bufio.NewReader(in), w); err != nil {
		t.Fatal(err)
	}
	if len(r.groups) != 2 || r.groups[1] != 2 {
		t.Errorf("groups of %v", r.groups)
	}
}

func TestGroupsAreBounded(t *testing.T) {
	t.Parallel()
	const n = 1000
	var body bytes.Buffer
	sizes := make([]int64, n)
	for i := range n {
		sizes[i] = 4096
		fmt.Fprintf(&body, "%d 4096\n", i)
		body.Write(make([]byte, 4096))
	}
	var r record
	if err := batch.Run(t.Context(), bufio.NewReader(&body), r.work(sizes...)); err != nil {
		t.Fatal(err)
	}
	all := 0
	for _, g := range r.groups {
		if all += g; g > 128 {
			t.Errorf("a group of %d", g)
		}
	}
	if all != n {
		t.Errorf("%d files in groups, want %d", all, n)
	}
}

func TestAnswersDoNotWaitForWhoReadsThem(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	var got bytes.Buffer
	a := batch.NewAnswers(func(lines []byte) error {
		<-hold
		got.Write(lines)
		return nil
	})
	a.Start()
	want := ""
	for i := range batch.MaxFiles {
		line := fmt.Sprintln(i)
		want += line
		a.Add([]byte(line))
	}
	close(hold)
	if err := a.End(); err != nil || got.String() != want {
		t.Errorf("%v, %d bytes of %d", err, got.Len(), len(want))
	}
}

func TestAnswersEndWhenTheyCannotBeSent(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	a := batch.NewAnswers(func([]byte) error { return gone })
	a.Add([]byte("a\n"))
	a.Start()
	if err := a.End(); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	a.Add([]byte("b\n"))
}

// FuzzFrames holds that whatever comes is read to an end, that each file is kept
// or refused at most once, and that what is kept has the size of the manifest.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("0 2\nhi1 -\n2 0\n"))
	f.Add([]byte("1 3\nyou0 2\nhi"))
	f.Add([]byte("3 9\nrefused!!0 5\nhello"))
	f.Add([]byte("0 67108864\nx"))
	f.Fuzz(func(t *testing.T, body []byte) {
		var r record
		sizes := []int64{2, 3, 0, batch.Refused}
		err := batch.Run(context.Background(), bufio.NewReader(bytes.NewReader(body)), r.work(sizes...))
		for i, text := range r.kept {
			if int64(len(text)) != sizes[i] || r.refused[i] != nil {
				t.Errorf("file %d of %d bytes was kept with %d, refused %v", i, sizes[i], len(text), r.refused[i])
			}
		}
		if err == nil && len(r.kept)+len(r.refused) != 3 {
			t.Errorf("no error, and %d kept and %d refused", len(r.kept), len(r.refused))
		}
	})
}

// FuzzFrameHeader holds that a header that is taken is spelled in its one way.
func FuzzFrameHeader(f *testing.F) {
	for _, s := range []string{"0 2\n", "4095 67108864\n", "1 -\n", "01 2\n", "-1 2\n", "1  2\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := batch.ReadFrame(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			return
		}
		want := fmt.Sprintf("%d %d\n", got.Index, got.Size)
		if got.Unread {
			want = fmt.Sprintf("%d -\n", got.Index)
		}
		if !strings.HasPrefix(text, want) {
			t.Errorf("%q was read as %q", text, want)
		}
	})
}

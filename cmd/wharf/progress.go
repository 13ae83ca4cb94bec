package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/client/batch"
	"github.com/wharfinger/wharfinger/cmd/wharf/human"
)

// progress tells people or programs how a transfer goes. Its methods may be
// called by many goroutines.
type progress interface {
	event(client.Event)
	result(result)
	close()
}

// newProgress chooses: JSON lines if asked for, bars on a terminal, lines of
// text otherwise. verb is what bytes were: sent or received.
func newProgress(std streams, f transferFlags, verb string) progress {
	s := &sum{verb: verb, began: time.Now()}
	if f.JSON {
		return &jsonLines{enc: json.NewEncoder(std.out), sum: s}
	}
	l := &lines{out: std.out, err: std.err, sum: s, quiet: f.Quiet, told: map[string]time.Time{}}
	if file, ok := std.err.(*os.File); ok && !f.Quiet && term.IsTerminal(int(file.Fd())) {
		return newBars(file, l)
	}
	return l
}

// sum is what the last line says.
type sum struct {
	verb                                      string
	began                                     time.Time
	files, unchanged, skipped, passed, failed int
	bytes, resumed                            int64
}

func (s *sum) add(r result) {
	s.bytes += r.sent
	switch {
	case r.err != nil:
		s.failed++
	case r.note != "":
		s.passed++
	case r.outcome == client.Sent:
		s.files++
		s.resumed += r.resumed
	case r.outcome == client.Unchanged:
		s.unchanged++
	case r.outcome == client.Skipped:
		s.skipped++
	}
}

func (s *sum) String() string {
	took := time.Since(s.began)
	text := fmt.Sprintf("%s %s, %s in %s", count(s.files, "file"), s.verb, human.ShowSize(s.bytes), took.Round(10*time.Millisecond))
	if took > 200*time.Millisecond && s.bytes > 0 {
		text += fmt.Sprintf(" (%s/s)", human.ShowSize(int64(float64(s.bytes)/took.Seconds())))
	}
	for _, more := range []struct {
		n    int
		text string
	}{{s.unchanged, "unchanged"}, {s.skipped, "skipped"}, {s.passed, "passed over"}, {s.failed, "failed"}} {
		if more.n > 0 {
			text += fmt.Sprintf(", %d %s", more.n, more.text)
		}
	}
	return text + "."
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// failure is the explanation of r's failure, with what is safe of it.
func (s *sum) failure(r result) explanation {
	x := explain(r.err)
	if x.Do == again {
		x.Do = "run the same command again; it goes on where this one stopped"
	}
	if kept := r.sent + r.resumed; kept > 0 {
		where := "on the server"
		if s.verb == "received" {
			where = "on this disk"
		}
		x.Safe = fmt.Sprintf("%s of %s are %s", human.ShowSize(kept), human.ShowSize(r.size), where)
	}
	return x
}

// jsonLines writes one object a line. The kinds are started, limited, progress,
// retry, restarted and verifying of a transfer, then done, unchanged, skipped, passed
// or failed of a file; summary is the last.
type jsonLines struct {
	mu  sync.Mutex
	enc *json.Encoder
	sum *sum
}

// line has the keys of all kinds; those without a value are left out.
type line struct {
	Event     string    `json:"event"`
	Time      time.Time `json:"time"`
	Local     string    `json:"local,omitempty"`
	Remote    string    `json:"remote,omitempty"` // a URI
	As        string    `json:"as,omitempty"`     // where it went instead
	Size      *int64    `json:"size,omitempty"`
	Confirmed *int64    `json:"confirmed,omitempty"` // bytes that are safe on the other side
	Resumed   int64     `json:"resumed,omitempty"`   // of these, from an earlier run
	WaitMS    int64     `json:"wait_ms,omitempty"`   // until the next try
	TookMS    int64     `json:"took_ms,omitempty"`
	Note      string    `json:"note,omitempty"`
	*explanation
	*counts
}

type counts struct {
	Files     int   `json:"files"`
	Unchanged int   `json:"unchanged"`
	Skipped   int   `json:"skipped"`
	Passed    int   `json:"passed"`
	Failed    int   `json:"failed"`
	Bytes     int64 `json:"bytes"`
}

func (j *jsonLines) write(l line) {
	l.Time = time.Now().UTC()
	_ = j.enc.Encode(l) // a reader that went away is no reason to stop sending
}

func (j *jsonLines) event(e client.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	l := line{Event: string(e.Kind), Local: e.Local, Remote: e.Remote, Size: &e.Size, Confirmed: &e.Confirmed, Resumed: e.Resumed, WaitMS: e.Wait.Milliseconds(), Note: e.Note}
	if e.Remote == "" { // of many files
		l.Size, l.Confirmed = nil, nil
	}
	if e.Err != nil {
		x := explain(e.Err)
		x.Do = ""
		l.explanation = &x
	}
	j.write(l)
}

func (j *jsonLines) result(r result) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sum.add(r)
	l := line{Local: r.local, Remote: r.remote.String(), As: r.as, Note: r.note, TookMS: r.took.Milliseconds(), Resumed: r.resumed}
	confirmed := r.sent + r.resumed
	switch {
	case r.err != nil:
		x := j.sum.failure(r)
		l.Event, l.explanation, l.Confirmed = "failed", &x, &confirmed
	case r.note != "":
		l.Event = "passed"
	case r.folder:
		l.Event = "folder"
	case r.outcome == client.Sent:
		l.Event, l.Size, l.Confirmed = "done", &r.size, &confirmed
	default:
		l.Event = string(r.outcome)
	}
	j.write(l)
}

func (j *jsonLines) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.sum
	j.write(line{Event: "summary", TookMS: time.Since(s.began).Milliseconds(), counts: &counts{
		Files: s.files, Unchanged: s.unchanged, Skipped: s.skipped, Passed: s.passed, Failed: s.failed, Bytes: s.bytes,
	}})
}

// lines writes a line for each file that is done, and complaints as they come.
type lines struct {
	mu       sync.Mutex
	out, err io.Writer
	sum      *sum
	quiet    bool
	told     map[string]time.Time // when a file's last retry was told of
	limit    string               // what was told of the way to the server
}

func (l *lines) event(e client.Event) {
	if l.quiet {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.say(e)
}

// say prints events that somebody who watches wants to know of.
func (l *lines) say(e client.Event) {
	name := show(e.Local)
	switch e.Kind {
	case client.EventStarted:
		if e.Resumed > 0 {
			fmt.Fprintf(l.err, "%s: goes on at %s of %s\n", name, human.ShowSize(e.Resumed), human.ShowSize(e.Size))
		}
	case client.EventRetry:
		if time.Since(l.told[e.Remote]) < time.Second {
			return // the other chunks say the same
		}
		l.told[e.Remote] = time.Now()
		if e.Remote == "" { // a request of many
			fmt.Fprintf(l.err, "small files: %s; trying again in %s\n", brief(e.Err), e.Wait.Round(100*time.Millisecond))
			return
		}
		fmt.Fprintf(l.err, "%s: %s; %s of %s are safe; trying again in %s\n", name, brief(e.Err), human.ShowSize(e.Confirmed), human.ShowSize(e.Size), e.Wait.Round(100*time.Millisecond))
	case client.EventRestarted:
		fmt.Fprintf(l.err, "%s: begins anew: %s\n", name, human.Message(e.Err))
	case client.EventLimited:
		if e.Note != l.limit { // the other files say the same
			l.limit = e.Note
			fmt.Fprintln(l.err, e.Note)
		}
	case client.EventProgress, client.EventVerifying:
	}
}

func (l *lines) result(r result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sum.add(r)
	l.print(r)
}

func (l *lines) print(r result) {
	delete(l.told, r.remote.String())
	if r.err != nil {
		explainTo(l.err, r.about(), l.sum.failure(r))
		return
	}
	if l.quiet {
		return
	}
	from, to := show(r.local), show(remotePath(r.remote))
	if l.sum.verb == "received" {
		from, to = to, from
	}
	if r.as != "" {
		to = show(r.as)
	}
	switch {
	case r.note != "":
		fmt.Fprintf(l.err, "%s: passed over: %s\n", from, r.note)
	case r.folder:
		fmt.Fprintf(l.out, "%s → %s/  empty folder\n", from, to)
	case r.outcome == client.Sent:
		fmt.Fprintf(l.out, "%s → %s  %s\n", from, to, human.ShowSize(r.size))
	default:
		fmt.Fprintf(l.out, "%s → %s  %s\n", from, to, r.outcome)
	}
}

// about is what a failure of r is about.
func (r result) about() string {
	if r.local == "" {
		return remotePath(r.remote)
	}
	return r.local
}

func (l *lines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.quiet {
		fmt.Fprintln(l.out, l.sum)
	}
}

// bars draws a bar for each file under way and, above them, one for all.
type bars struct {
	*lines
	p     *mpb.Progress
	total *mpb.Bar
	files map[string]*mpb.Bar
	known int64 // bytes of the files begun so far
	done  map[string]int64
}

func newBars(w io.Writer, l *lines) *bars {
	p := mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh(), mpb.WithWidth(40))
	b := &bars{lines: l, p: p, files: map[string]*mpb.Bar{}, done: map[string]int64{}}
	l.out, l.err = p, p
	b.total = p.AddBar(0, mpb.BarPriority(1<<30), mpb.PrependDecorators(decor.Name("all  ", decor.WCSyncSpaceR)), mpb.AppendDecorators(
		decor.CountersKibiByte("% .1f / % .1f", decor.WCSyncSpace), decor.AverageSpeed(decor.SizeB1024(0), "% .1f", decor.WCSyncSpace)))
	return b
}

func (b *bars) event(e client.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	bar := b.files[e.Remote]
	switch {
	case e.Kind == client.EventStarted && e.Size <= batch.MaxFile: // thousands are under way at once
		if _, again := b.done[e.Remote]; !again {
			b.done[e.Remote] = 0
			b.known += e.Size
			b.total.SetTotal(b.known, false)
		}
	case e.Kind == client.EventStarted && bar == nil:
		name := []rune(show(filepath.Base(e.Local)))
		if len(name) > 32 {
			name = append(name[:31], '…')
		}
		bar = b.p.AddBar(e.Size, mpb.BarRemoveOnComplete(), mpb.PrependDecorators(decor.Name(string(name)+"  ", decor.WCSyncSpaceR)),
			mpb.AppendDecorators(decor.Percentage(decor.WCSyncSpace)))
		bar.SetRefill(e.Resumed)
		b.files[e.Remote] = bar
		b.known += e.Size
		b.total.SetTotal(b.known, false)
	case e.Kind == client.EventRetry, e.Kind == client.EventRestarted, e.Kind == client.EventLimited:
		b.say(e)
	}
	if bar != nil {
		bar.SetCurrent(min(e.Confirmed, max(0, e.Size-1))) // the end is for the result to say
	}
	if _, known := b.done[e.Remote]; known || bar != nil {
		b.advance(e.Remote, e.Confirmed)
	}
}

// advance moves the bar of all to where one file is.
func (b *bars) advance(remote string, confirmed int64) {
	b.total.IncrInt64(confirmed - b.done[remote])
	b.done[remote] = confirmed
}

func (b *bars) result(r result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sum.add(r)
	key := r.remote.String()
	if bar := b.files[key]; bar != nil {
		bar.Abort(true)
		delete(b.files, key)
	}
	delete(b.done, key)
	if r.err != nil || r.note != "" || r.as != "" || r.outcome == client.Skipped {
		b.print(r)
	}
}

func (b *bars) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintln(b.p, b.sum)
	b.total.Abort(true)
	b.p.Wait()
}

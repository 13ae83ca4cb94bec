package batch

import (
	"bytes"
	"sync"
)

// Answers sends lines while more are being made. Nobody who adds one waits for
// the client: one that reads nothing until all is sent must not stop us from
// reading. What waits is bounded by the files of the manifest.
type Answers struct {
	send func(lines []byte) error

	mu     sync.Mutex
	moved  sync.Cond
	lines  bytes.Buffer
	ended  bool
	failed error
	over   chan struct{}
}

// NewAnswers sends with send, which is called by one goroutine at a time and
// flushes. After an error of it nothing more is sent.
func NewAnswers(send func(lines []byte) error) *Answers {
	a := &Answers{send: send, over: make(chan struct{})}
	a.moved.L = &a.mu
	return a
}

// Add sends a line soon. It must end with a line feed.
func (a *Answers) Add(line []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failed == nil {
		a.lines.Write(line)
		a.moved.Signal()
	}
}

// Start begins to send.
func (a *Answers) Start() { go a.run() }

// End waits until all is sent, or cannot be.
func (a *Answers) End() error {
	a.mu.Lock()
	a.ended = true
	a.moved.Signal()
	a.mu.Unlock()
	<-a.over
	return a.failed
}

func (a *Answers) run() {
	defer close(a.over)
	var out []byte
	for {
		a.mu.Lock()
		for a.lines.Len() == 0 && !a.ended {
			a.moved.Wait()
		}
		out = append(out[:0], a.lines.Bytes()...)
		a.lines.Reset()
		a.mu.Unlock()
		if len(out) == 0 {
			return
		}
		if err := a.send(out); err != nil {
			a.mu.Lock()
			a.failed = err
			a.lines = bytes.Buffer{}
			a.mu.Unlock()
			return
		}
	}
}

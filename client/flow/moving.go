package flow

import (
	"errors"
	"io"
)

// Moving tells the watch of every byte.
type Moving struct {
	Reader io.Reader
	Closer io.Closer // nil: a request body, which has nothing to close
	Watch  *Watch
	Fault  func(error) error // names an error; nil: it stays
}

// Read implements io.Reader.
func (m *Moving) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if n > 0 {
		m.Watch.Moved(1)
	}
	if err != nil && !errors.Is(err, io.EOF) && m.Fault != nil {
		err = m.Fault(err)
	}
	return n, err
}

// Close ends the answer.
func (m *Moving) Close() error {
	if m.Closer == nil {
		return nil
	}
	m.Watch.Stop()
	return m.Closer.Close()
}

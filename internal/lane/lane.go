package lane

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
)

// Listen returns l with connections that have a lane, where they are TCP.
func Listen(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	switch t := c.(type) {
	case *net.TCPConn:
		return &Conn{Conn: t, tcp: t}, nil
	case interface{ TCP() *net.TCPConn }:
		return &Conn{Conn: c, tcp: t.TCP()}, nil
	}
	return c, nil
}

// Conn is a connection whose bytes can be moved to a file.
type Conn struct {
	net.Conn
	tcp   *net.TCPConn
	armed atomic.Pointer[order]
}

// order is one armed buffer.
type order struct {
	at    *byte
	file  *os.File
	off   int64
	moved int
}

// Move reads once, by a read that ends in this connection, of at most len(p)
// bytes. They are in p, or moved to f from off on: moved says where. An error of
// f ends the connection, for bytes are lost from it. p must not be read into by
// anybody else.
func (c *Conn) Move(f *os.File, off int64, p []byte, read func([]byte) (int, error)) (n int, moved bool, err error) {
	if len(p) == 0 {
		n, err = read(p)
		return n, false, err
	}
	o := &order{at: &p[0], file: f, off: off}
	c.armed.Store(o)
	n, err = read(p)
	c.armed.Store(nil)
	if o.moved != 0 && o.moved != n {
		return 0, false, fmt.Errorf("lane: %d bytes went to the file, %d were read", o.moved, n)
	}
	return n, o.moved > 0, err
}

// Read implements io.Reader.
func (c *Conn) Read(p []byte) (int, error) {
	if o := c.armed.Load(); o != nil && len(p) > 0 && &p[0] == o.at && o.moved == 0 {
		return c.move(o, p)
	}
	return c.Conn.Read(p)
}

// ReadFrom implements io.ReaderFrom, so that the kernel still sends files.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) { return c.tcp.ReadFrom(r) }

// CloseWrite lets net/http end its side first.
func (c *Conn) CloseWrite() error { return c.tcp.CloseWrite() }

// LocalAddr implements net.Conn. The address knows its connection: it is the one
// thing of a connection that net/http shows to handlers.
func (c *Conn) LocalAddr() net.Addr { return addr{c.Conn.LocalAddr(), c} }

type addr struct {
	net.Addr
	conn *Conn
}

// Of returns the connection of a request that ctx belongs to; nil if it has no
// lane.
func Of(ctx context.Context) *Conn {
	if a, ok := ctx.Value(http.LocalAddrContextKey).(addr); ok {
		return a.conn
	}
	return nil
}

package app

import (
	"net"
	"net/netip"
	"sync"
)

// crowd is a listener that bounds the connections of each address, an IPv4
// address or the /64 that an IPv6 customer has: one machine cannot take all
// descriptors by opening connections and standing still. The machine itself and
// trusted proxies are not bounded, they stand for many.
type crowd struct {
	net.Listener
	most  int
	peers proxies

	mu   sync.Mutex
	here map[netip.Prefix]int
}

// loopback is the machine itself.
var loopback = proxies{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func bounded(l net.Listener, most int, peers proxies) net.Listener {
	if most < 0 {
		return l
	}
	return &crowd{Listener: l, most: most, peers: peers, here: map[netip.Prefix]int{}}
}

// Accept implements net.Listener. Connections over the bound are closed: an
// answer would cost what the bound saves.
func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, counts := c.from(conn.RemoteAddr())
		tcp, ok := conn.(*net.TCPConn)
		if !counts || !ok {
			return conn, nil
		}
		if c.enter(from) {
			return &guest{TCPConn: tcp, leave: sync.OnceFunc(func() { c.leave(from) })}, nil
		}
		_ = conn.Close() // nothing was said
	}
}

func (c *crowd) from(a net.Addr) (p netip.Prefix, counts bool) {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Prefix{}, false
	}
	ip := at.Addr().Unmap().WithZone("")
	if c.peers.trust(ip) {
		return netip.Prefix{}, false
	}
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, err = ip.Prefix(bits)
	return p, err == nil
}

func (c *crowd) enter(p netip.Prefix) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.here[p] >= c.most {
		return false
	}
	c.here[p]++
	return true
}

func (c *crowd) leave(p netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.here[p]--; c.here[p] == 0 {
		delete(c.here, p)
	}
}

// guest is a counted connection. It is still one that the kernel can send files
// to.
type guest struct {
	*net.TCPConn
	leave func()
}

// TCP returns the connection itself.
func (g *guest) TCP() *net.TCPConn { return g.TCPConn }

// Close implements net.Conn.
func (g *guest) Close() error {
	g.leave()
	return g.TCPConn.Close()
}

//go:build !linux

package lane

// move copies: there is no splice.
func (c *Conn) move(_ *order, p []byte) (int, error) { return c.Conn.Read(p) }

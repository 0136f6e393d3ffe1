package callback

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// discard keeps what net/http says about broken requests off the terminal; it may quote them.
var discard = log.New(io.Discard, "", 0)

// crowd bounds the connections that are open at once, so that a flood cannot use up the process's descriptors and
// keep the browser out. Beyond the bound the oldest is closed, but not before it had its chance: a real redirect is
// read within milliseconds of being accepted. Until then the others wait to be accepted, in the order they came.
type crowd struct {
	limit int
	grace time.Duration // how long a connection is left alone

	mu    sync.Mutex
	order []net.Conn              // oldest first
	state map[net.Conn]connection // all of order
}

type connection struct {
	since time.Time // accepted
	fresh bool      // no byte has come yet
	safe  bool      // holds the browser that waits for the outcome
}

func newCrowd(limit int, grace time.Duration) *crowd {
	return &crowd{limit: limit, grace: grace, state: map[net.Conn]connection{}}
}

// note is the server's ConnState. It is called with a new connection before the next one is accepted.
func (c *crowd) note(conn net.Conn, s http.ConnState) {
	if s == http.StateNew {
		c.add(conn)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch s {
	case http.StateActive:
		if known, ok := c.state[conn]; ok {
			known.fresh = false
			c.state[conn] = known
		}
	case http.StateClosed, http.StateHijacked:
		c.forgetLocked(conn)
	case http.StateNew, http.StateIdle:
	}
}

// add takes a connection in, when there is room for it.
func (c *crowd) add(conn net.Conn) {
	for {
		c.mu.Lock()
		wait := c.roomLocked()
		if wait <= 0 {
			break
		}
		c.mu.Unlock()
		time.Sleep(min(wait, 10*time.Millisecond)) // one of them may end by itself
	}
	defer c.mu.Unlock()
	c.order = append(c.order, conn)
	c.state[conn] = connection{since: time.Now(), fresh: true}
}

// roomLocked closes the oldest connection if there is no room for another, or returns how long it is left alone.
func (c *crowd) roomLocked() time.Duration {
	if len(c.order) < c.limit {
		return 0
	}
	for _, conn := range c.order {
		if s := c.state[conn]; !s.safe {
			if wait := c.grace - time.Since(s.since); wait > 0 {
				return wait
			}
			break
		}
	}
	c.closeLocked(func(s connection) bool { return !s.safe }, 1)
	return 0
}

// keep exempts the connection of the request with this context.
func (c *crowd) keep(ctx context.Context) {
	conn, ok := ctx.Value(connKey{}).(net.Conn)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.state[conn]; ok {
		known.safe = true
		c.state[conn] = known
	}
}

// closeFresh closes connections that were opened and never used. Browsers open some ahead of need, and
// http.Server.Shutdown would wait five seconds for them.
func (c *crowd) closeFresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeLocked(func(s connection) bool { return s.fresh }, len(c.order))
}

// closeLocked closes the oldest connections for which which holds, at most limit of them.
func (c *crowd) closeLocked(which func(connection) bool, limit int) {
	var chosen []net.Conn
	for _, conn := range c.order {
		if len(chosen) == limit {
			break
		}
		if which(c.state[conn]) {
			chosen = append(chosen, conn)
		}
	}
	for _, conn := range chosen {
		_ = conn.Close() // the server notices and reports StateClosed
		c.forgetLocked(conn)
	}
}

func (c *crowd) forgetLocked(conn net.Conn) {
	if _, ok := c.state[conn]; !ok {
		return
	}
	delete(c.state, conn)
	for i, other := range c.order {
		if other == conn {
			c.order = append(c.order[:i], c.order[i+1:]...)
			return
		}
	}
}

type connKey struct{}

// connContext is the server's ConnContext: keep finds the connection again.
func connContext(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

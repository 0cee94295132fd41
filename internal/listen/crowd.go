package listen

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// patience is how long a new connection may be without a complete request before others may have its place. Without it,
// in a rush, those who come would push out those whose request has arrived and is not read yet.
const patience = time.Second

// crowd is a socket that bounds how many of its connections are open together.
type crowd struct {
	*net.TCPListener
	most   int
	gone   chan struct{} // holds a token when one may have left, asked for something, or become free to be closed
	closed chan struct{}
	once   sync.Once

	mu    sync.Mutex
	size  int
	fresh list.List // of guests without a complete request yet; the oldest first
	// Of guests that have no request under way, the longest idle first: those whom no mount has ever answered 2xx, and
	// those whom one has.
	strange, known list.List
}

func newCrowd(socket *net.TCPListener, most int) *crowd {
	return &crowd{TCPListener: socket, most: most, gone: make(chan struct{}, 1), closed: make(chan struct{})}
}

// Accept waits for the next connection and then for room. Only one goroutine may call it.
func (c *crowd) Accept() (net.Conn, error) {
	conn, err := c.AcceptTCP()
	if err != nil {
		return nil, err
	}
	g := newGuest(conn, c)
	for {
		wait := c.admit(g)
		if wait == 0 {
			return g, nil
		}
		again := time.NewTimer(wait)
		select {
		case <-c.gone:
		case <-again.C:
		case <-c.closed:
			_ = conn.Close()
			err = net.ErrClosed
		}
		again.Stop()
		if err != nil {
			return nil, err
		}
	}
}

// admit takes a guest in, or says after what time to ask again. Where it is full it closes another.
func (c *crowd) admit(g *guest) time.Duration {
	c.mu.Lock()
	victim, wait := c.victim(time.Now())
	if wait > 0 {
		c.mu.Unlock()
		return wait
	}
	if victim != nil {
		c.remove(victim)
	}
	c.size++
	g.arrived = time.Now()
	g.wait(&c.fresh)
	c.mu.Unlock()
	if victim != nil {
		_ = victim.TCPConn.Close()
	}
	return 0
}

// victim chooses who has to go: the oldest that has lost our patience, else the longest idle whom nobody here has ever
// answered 2xx. Those who were are the last: their next request may be on its way, and a sender takes a connection that
// is closed on it for a refusal. While others may yet lose our patience, that is waited for. Who has asked for nothing
// yet has half of the room at most. Nil: there is room. The lock is held.
func (c *crowd) victim(now time.Time) (_ *guest, wait time.Duration) {
	full := c.size >= c.most
	if !full && c.fresh.Len() < (c.most+1)/2 {
		return nil, 0
	}
	eldest := longest(&c.fresh)
	if eldest != nil {
		if wait = eldest.arrived.Add(patience).Sub(now); wait <= 0 {
			return eldest, 0
		}
	}
	if g := longest(&c.strange); full && g != nil {
		return g, 0
	}
	if eldest != nil {
		return nil, wait
	}
	if g := longest(&c.known); g != nil {
		return g, 0
	}
	return nil, patience // when all are served, one of them ends that
}

// longest returns who has been in a list for longest; nil: nobody is.
func longest(in *list.List) *guest {
	if first := in.Front(); first != nil {
		return first.Value.(*guest)
	}
	return nil
}

// remove is called with the lock held.
func (c *crowd) remove(g *guest) {
	if !g.left {
		g.left = true
		c.size--
		g.stopWaiting()
	}
}

func (c *crowd) nudge() {
	select {
	case c.gone <- struct{}{}:
	default:
	}
}

// Close ends Accept.
func (c *crowd) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.TCPListener.Close()
}

// guest is one connection. It stays a *net.TCPConn beneath, for what net/http asks of one (half-closing, above all).
type guest struct {
	*net.TCPConn
	crowd *crowd

	reads, writes deadline

	attended atomic.Bool // while a request is under way
	welcome  bool        // a mount has answered 2xx; belongs to the goroutine that serves the connection

	// The crowd's lock guards these; wait and stopWaiting want it held.
	arrived time.Time
	list    *list.List // fresh, strange or known; nil while a request is under way
	place   *list.Element
	left    bool
}

func newGuest(conn *net.TCPConn, c *crowd) *guest {
	return &guest{
		TCPConn: conn, crowd: c,
		reads:  deadline{set: conn.SetReadDeadline},
		writes: deadline{set: conn.SetWriteDeadline},
	}
}

func (g *guest) wait(in *list.List) { g.list, g.place = in, in.PushBack(g) }

func (g *guest) stopWaiting() {
	if g.list != nil {
		g.list.Remove(g.place)
		g.list, g.place = nil, nil
	}
}

// attend keeps the connection of a request from being closed for another's sake, until its answer is written.
func (g *guest) attend() {
	g.attended.Store(true)
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	if g.list == &g.crowd.fresh {
		g.crowd.nudge()
	}
	g.stopWaiting()
}

func (g *guest) release() {
	g.attended.Store(false)
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	if g.left || g.list != nil {
		return
	}
	if g.welcome {
		g.wait(&g.crowd.known)
	} else {
		g.wait(&g.crowd.strange)
	}
	g.crowd.nudge()
}

func (g *guest) Close() error {
	g.crowd.mu.Lock()
	g.crowd.remove(g)
	g.crowd.mu.Unlock()
	g.crowd.nudge()
	return g.TCPConn.Close()
}

type guestKey struct{}

// withGuest lets a request find its connection.
func withGuest(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, guestKey{}, beneath(conn))
}

// watchGuest learns from net/http that an answer is written. Its other states tell nothing: to be "active" a
// connection needs to have sent one byte.
func watchGuest(conn net.Conn, state http.ConnState) {
	if state == http.StateIdle {
		beneath(conn).release()
	}
}

func beneath(conn net.Conn) *guest {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	return conn.(*guest)
}

func guestOf(ctx context.Context) *guest { return ctx.Value(guestKey{}).(*guest) }
